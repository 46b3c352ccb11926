"""The durable file that holds sealed bytes until the store has them.

One SQLite database per state directory, WAL and ``synchronous=FULL``: a
transaction that has returned survives a power cut. It holds no private key and
no unsigned event. A stored seal's bulk body is dropped at once; of the seals
themselves only the last one (the head) and the last stored one (what the
store is compared with at start) stay.
"""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from beats_signer.chain.head import Head
from beats_signer.chain.seal import SealRecord, parse_seal_note
from beats_signer.errors import StateError
from beats_signer.sign.bare import (
    BARE_TABLE,
    BareMarks,
    delete_bare,
    insert_bare,
    select_bare,
)
from beats_signer.sign.recognition import SentWindow
from beats_signer.store.contract import Write

__all__ = ["Journal", "JournaledChain", "JournaledSeal", "SideEffects"]

SCHEMA_VERSION = 2
"""Version 1 had no table of bare documents; it is brought up to date."""

_SCHEMA = """
CREATE TABLE chains (
    chain       BLOB PRIMARY KEY,
    origin      TEXT NOT NULL UNIQUE,
    tenant      TEXT,               -- NULL in the catalogue
    stream      TEXT,
    salt_bytes  INTEGER NOT NULL,
    active      INTEGER NOT NULL,   -- 0: replaced by a later founding
    catalogued  INTEGER NOT NULL,   -- its found record is in the journal
    reported    INTEGER NOT NULL    -- size in its newest head record
) WITHOUT ROWID;
CREATE TABLE seals (
    chain   BLOB NOT NULL,
    number  INTEGER NOT NULL,
    note    TEXT NOT NULL,
    body    TEXT NOT NULL,
    leaves  BLOB NOT NULL,
    head    BLOB NOT NULL,          -- the head after this seal
    stored  INTEGER NOT NULL,
    write   BLOB,                   -- what goes to the store; NULL once it is there
    PRIMARY KEY (chain, number)
);
CREATE TABLE windows (
    chain       BLOB NOT NULL,
    connection  TEXT NOT NULL,
    window      INTEGER NOT NULL,
    certificate TEXT,
    address     TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    first       INTEGER NOT NULL,
    seal        INTEGER NOT NULL,
    received    INTEGER NOT NULL,
    PRIMARY KEY (chain, connection, window)
) WITHOUT ROWID;
"""

_COLUMNS = "SELECT number, note, body, leaves, head, stored FROM seals WHERE chain = ?"
_ONE = _COLUMNS + " AND number = ?"
_NEWEST = _COLUMNS + " ORDER BY number DESC LIMIT 1"
_NEWEST_STORED = _COLUMNS + " AND stored = 1 ORDER BY number DESC LIMIT 1"


@dataclass(frozen=True, slots=True)
class JournaledChain:
    """One chain as the journal knows it."""

    chain: bytes
    origin: str
    tenant: str | None
    stream: str | None
    salt_bytes: int
    active: bool
    catalogued: bool
    reported: int


@dataclass(frozen=True, slots=True)
class JournaledSeal:
    """One seal as the journal holds it; ``write`` is gone once it is stored."""

    number: int
    record: SealRecord
    head: Head
    stored: bool


@dataclass(frozen=True, slots=True)
class SideEffects:
    """What has to become durable together with a seal, not before and not after.

    ``catalogued``, ``reported`` and ``listed`` belong to the catalogue's own seals:
    the chains whose ``found`` record the seal holds, the sizes of its ``head``
    records, and the entries of its ``bare`` records. ``windows`` may have to be
    recognised later, ``forgotten`` (connection, window) no longer.
    """

    windows: Sequence[SentWindow] = ()
    forgotten: Sequence[tuple[str, int]] = ()
    catalogued: Sequence[bytes] = ()
    reported: dict[bytes, int] = field(default_factory=dict)
    listed: BareMarks = field(default_factory=dict)


class Journal:
    """All chains of one state directory. Any thread may call it, one at a time.

    Every method that writes is one durable transaction. An ``OSError`` or
    ``sqlite3.Error`` from one of them means that what the disk holds is
    unknown: end the process, the next start reads it.
    """

    def __init__(self, path: Path, database: sqlite3.Connection) -> None:
        self.path = path
        self._database = database
        self._lock = threading.Lock()

    @classmethod
    def create(cls, path: Path) -> "Journal":
        """Make the empty journal of a new state directory, mode 0600."""
        path.touch(mode=0o600, exist_ok=False)
        database = _connect(path)
        database.executescript(
            f"BEGIN; {_SCHEMA} {BARE_TABLE}"
            f" PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
        )
        return cls(path, database)

    @classmethod
    def open(cls, path: Path) -> "Journal":
        """Open an existing journal.

        Raises:
            StateError: It is missing, damaged or of another version.
        """
        if not path.exists():
            raise StateError(
                f"{path}: there is no journal", hint="Run 'beats-signer init' first."
            )
        try:
            database = _connect(path)
            (version,) = database.execute("PRAGMA user_version").fetchone()
            damage = database.execute("PRAGMA quick_check(1)").fetchone()[0]
        except sqlite3.Error as error:
            raise StateError(f"{path}: {error}", hint=_DAMAGED) from error
        if damage != "ok":
            raise StateError(f"{path}: damaged: {damage}", hint=_DAMAGED)
        if version == SCHEMA_VERSION - 1:
            database.executescript(
                f"BEGIN; {BARE_TABLE} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
            )
        elif version != SCHEMA_VERSION:
            raise StateError(
                f"{path}: journal of version {version}, this program reads version "
                f"{SCHEMA_VERSION}",
                hint="Use the version of beats-signer that wrote it.",
            )
        return cls(path, database)

    def close(self) -> None:
        """Close the file; all that was committed stays."""
        with self._lock:
            self._database.close()

    def add_chain(
        self, chain: JournaledChain, write: Write, head: Head, replaces: bytes | None
    ) -> None:
        """Journal seal 0 of a new chain; it may take the place of another one."""
        with self._transaction() as database:
            if replaces is not None:
                database.execute(
                    "UPDATE chains SET active = 0 WHERE chain = ?", (replaces,)
                )
            database.execute(
                "INSERT INTO chains VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    chain.chain,
                    chain.origin,
                    chain.tenant,
                    chain.stream,
                    chain.salt_bytes,
                    chain.active,
                    chain.catalogued,
                    chain.reported,
                ),
            )
            _insert_seal(database, write, head)

    def commit(self, write: Write, head: Head, effects: SideEffects) -> None:
        """Journal one seal with all that belongs to it. From here on it counts."""
        with self._transaction() as database:
            _insert_seal(database, write, head)
            _forget(database, write.chain, effects.forgotten)
            database.executemany(
                "INSERT INTO windows VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [_window_row(write.chain, window) for window in effects.windows],
            )
            database.executemany(
                "UPDATE chains SET catalogued = 1 WHERE chain = ?",
                [(chain,) for chain in effects.catalogued],
            )
            database.executemany(
                "UPDATE chains SET reported = ? WHERE chain = ?",
                [(size, chain) for chain, size in effects.reported.items()],
            )
            delete_bare(database, effects.listed)

    def mark_stored(
        self, chain: bytes, numbers: Sequence[int], bare: Sequence[int] = ()
    ) -> None:
        """Note that the store has confirmed these seals; drop what it now holds.

        ``bare`` are the indexes of their entries that are bare documents.
        """
        with self._transaction() as database:
            insert_bare(database, chain, bare)
            database.executemany(
                "UPDATE seals SET stored = 1, write = NULL"
                " WHERE chain = ? AND number = ?",
                [(chain, number) for number in numbers],
            )
            database.execute(
                "DELETE FROM seals WHERE chain = :chain AND stored = 1 AND number <"
                " (SELECT max(number) FROM seals WHERE chain = :chain AND stored = 1)",
                {"chain": chain},
            )

    def forget(self, chain: bytes, windows: Sequence[tuple[str, int]]) -> None:
        """Drop windows that can no longer be sent again."""
        with self._transaction() as database:
            _forget(database, chain, windows)

    def chains(self) -> list[JournaledChain]:
        """Return all chains, the catalogue and replaced ones included."""
        rows = self._query("SELECT * FROM chains ORDER BY origin")
        return [
            JournaledChain(
                chain=row["chain"],
                origin=row["origin"],
                tenant=row["tenant"],
                stream=row["stream"],
                salt_bytes=row["salt_bytes"],
                active=bool(row["active"]),
                catalogued=bool(row["catalogued"]),
                reported=row["reported"],
            )
            for row in rows
        ]

    def last(self, chain: bytes) -> JournaledSeal:
        """Return the newest seal; its ``head`` is what the next seal extends."""
        return self._seals(_NEWEST, chain)[0]

    def last_stored(self, chain: bytes) -> JournaledSeal | None:
        """Return the newest seal that the store has confirmed."""
        found = self._seals(_NEWEST_STORED, chain)
        return found[0] if found else None

    def seal(self, chain: bytes, number: int) -> JournaledSeal | None:
        """Return seal *number* when the journal still holds it."""
        found = self._seals(_ONE, chain, number)
        return found[0] if found else None

    def unstored(self, chain: bytes) -> list[int]:
        """Return the numbers of the seals that the store has not confirmed."""
        rows = self._query(
            "SELECT number FROM seals WHERE chain = ? AND stored = 0 ORDER BY number",
            chain,
        )
        return [number for (number,) in rows]

    def write(self, chain: bytes, number: int) -> Write:
        """Return the exact bytes of an unstored seal, to be sent again."""
        ((note, body, leaves, data),) = self._query(
            "SELECT note, body, leaves, write FROM seals"
            " WHERE chain = ? AND number = ?",
            chain,
            number,
        )
        record = SealRecord(note, body, leaves)
        return Write(chain, parse_seal_note(note)[0], record, data)

    def bare(self) -> dict[bytes, list[int]]:
        """Return the bare documents that the catalogue does not list yet."""
        return select_bare(
            self._query("SELECT chain, entry FROM bare ORDER BY chain, entry")
        )

    def windows(self, chain: bytes) -> list[SentWindow]:
        """Return the windows of *chain* that a sender may send again."""
        rows = self._query(
            "SELECT connection, window, certificate, address, fingerprint, first, seal,"
            " received FROM windows WHERE chain = ? ORDER BY first",
            chain,
        )
        return [SentWindow(*row) for row in rows]

    def _seals(self, statement: str, *values: object) -> list[JournaledSeal]:
        rows = self._query(statement, *values)
        return [
            JournaledSeal(
                number,
                SealRecord(note, body, leaves),
                Head.from_bytes(head),
                bool(stored),
            )
            for number, note, body, leaves, head, stored in rows
        ]

    def _query(self, statement: str, *values: object) -> list[sqlite3.Row]:
        with self._lock:
            return self._database.execute(statement, values).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield self._database
            except BaseException:
                self._database.rollback()
                raise
            self._database.execute("COMMIT")


_DAMAGED = (
    "The journal holds sealed events that may not be stored yet: keep the file. "
    "Restore nothing over it; found a new signer with 'beats-signer init' and a new "
    "signer name."
)


def _connect(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    database.row_factory = sqlite3.Row
    database.execute("PRAGMA page_size = 8192")
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    return database


def _insert_seal(database: sqlite3.Connection, write: Write, head: Head) -> None:
    record = write.record
    database.execute(
        "INSERT INTO seals VALUES (?, ?, ?, ?, ?, ?, 0, ?)",
        (
            write.chain,
            write.seal.number,
            record.note,
            record.body,
            record.leaves,
            head.to_bytes(),
            write.body,
        ),
    )


def _forget(
    database: sqlite3.Connection, chain: bytes, windows: Sequence[tuple[str, int]]
) -> None:
    database.executemany(
        "DELETE FROM windows WHERE chain = ? AND connection = ? AND window = ?",
        [(chain, connection, window) for connection, window in windows],
    )


def _window_row(chain: bytes, window: SentWindow) -> tuple[object, ...]:
    return (
        chain,
        window.connection,
        window.window,
        window.certificate,
        window.address,
        window.fingerprint,
        window.first,
        window.seal,
        window.received,
    )
