"""What the journal knows of chains and seals, and the rows that spell it.

SQLite notices pages that do not fit together, not bits that have turned. What
is signed further or sent again carries a digest of its own.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from msgspec import UNSET

from beats_signer.chain.body import ConfigBody
from beats_signer.chain.head import Head
from beats_signer.chain.seal import Seal, SealRecord, parse_seal_note
from beats_signer.errors import StateError
from beats_signer.sign.bare import BareMarks
from beats_signer.sign.journal_file import DAMAGED_HINT
from beats_signer.sign.recognition import SentWindow
from beats_signer.store.contract import Write

__all__ = [
    "JournaledChain",
    "JournaledSeal",
    "SideEffects",
    "UnstoredSeal",
    "close_chain",
    "delete_windows",
    "end_route",
    "insert_chain",
    "insert_seal",
    "insert_windows",
    "mark_seal_stored",
    "select_chains",
    "to_seal",
    "to_unstored",
    "to_write",
    "update_chains",
    "update_settings",
]


@dataclass(frozen=True, slots=True)
class JournaledChain:
    """One chain as the journal knows it."""

    chain: bytes
    origin: str
    tenant: str | None
    """``None`` in the catalogue."""
    stream: str | None
    salt_bytes: int = 0
    active: bool = True
    """Neither closed nor replaced by a successor."""
    catalogued: bool = False
    """Its ``found`` record is in the journal."""
    reported: int = 0
    """Number of seals in its newest ``head`` record."""
    retention_days: int | None = None
    """What the chain says of its retention, by its newest seal."""
    heartbeat_seconds: int | None = None
    """Of the catalogue, as it says by its newest seal."""
    identity: str | None = None
    """The same, as a vkey; ``None``: the one that its founding names."""


@dataclass(frozen=True, slots=True)
class JournaledSeal:
    """One seal as the journal holds it."""

    number: int
    record: SealRecord
    head: Head
    """The head after this seal."""


@dataclass(frozen=True, slots=True)
class UnstoredSeal:
    """A journaled seal that the store has not confirmed."""

    seal: Seal
    write_bytes: int


@dataclass(frozen=True, slots=True)
class SideEffects:
    """What has to become durable together with a seal, not before and not after.

    ``catalogued``, ``reported`` and ``listed`` belong to the catalogue's own
    seals: the chains whose ``found`` record the seal holds, the sizes of its
    ``head`` records, and the entries of its ``bare`` records. ``windows`` may have
    to be recognised later, ``forgotten`` (connection, window) no longer.
    ``config`` holds from a seal of that kind on. ``closes``: nothing follows the seal.
    """

    windows: Sequence[SentWindow] = ()
    forgotten: Sequence[tuple[str, int]] = ()
    catalogued: Sequence[bytes] = ()
    reported: Mapping[bytes, int] = field(default_factory=dict)
    listed: BareMarks = field(default_factory=dict)
    config: ConfigBody | None = None
    closes: bool = False


def select_chains(database: sqlite3.Connection) -> list[JournaledChain]:
    """Read all chains, the catalogue first."""
    rows = database.execute("SELECT * FROM chains ORDER BY stream NOTNULL, origin")
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
            retention_days=row["retention_days"],
            heartbeat_seconds=row["heartbeat_seconds"],
            identity=row["identity"],
        )
        for row in rows
    ]


def end_route(database: sqlite3.Connection, successor: JournaledChain) -> None:
    """Note that a route goes on in another chain from here on."""
    database.execute(
        "UPDATE chains SET active = 0 WHERE tenant = ? AND stream = ?",
        (successor.tenant, successor.stream),
    )


def close_chain(database: sqlite3.Connection, chain: bytes) -> None:
    """Note that a chain has ended; its route is free, and no window is repeated."""
    database.execute("UPDATE chains SET active = 0 WHERE chain = ?", (chain,))
    database.execute("DELETE FROM windows WHERE chain = ?", (chain,))


def insert_chain(database: sqlite3.Connection, chain: JournaledChain) -> None:
    """Add a chain that the journal does not know."""
    database.execute(
        "INSERT INTO chains VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            chain.chain,
            chain.origin,
            chain.tenant,
            chain.stream,
            chain.salt_bytes,
            chain.active,
            chain.catalogued,
            chain.reported,
            chain.retention_days,
            chain.heartbeat_seconds,
            chain.identity,
        ),
    )


def insert_seal(database: sqlite3.Connection, write: Write, head: Head) -> None:
    """Add a seal and what it sends to the store."""
    number, record = write.seal.number, write.record
    columns = record.note, head.to_bytes(), record.body, record.leaves
    database.execute(
        "INSERT INTO seals VALUES (?, ?, 0, ?, ?, ?, ?, ?)",
        (write.chain, number, *columns, _digest(*columns)),
    )
    database.execute(
        "INSERT INTO writes VALUES (?, ?, ?, ?)",
        (write.chain, number, write.body, _digest(write.body)),
    )


def mark_seal_stored(database: sqlite3.Connection, chain: bytes, number: int) -> None:
    """Drop what the store now holds, but for the founding and the newest seals."""
    seal = {"chain": chain, "number": number}
    database.execute(
        "DELETE FROM writes WHERE chain = :chain AND number = :number", seal
    )
    database.execute(
        "UPDATE seals SET stored = 1 WHERE chain = :chain AND number = :number", seal
    )
    database.execute(
        "DELETE FROM seals WHERE chain = :chain AND stored AND number > 0 AND number <"
        " (SELECT max(number) FROM seals WHERE chain = :chain AND stored)",
        seal,
    )


def update_chains(database: sqlite3.Connection, effects: SideEffects) -> None:
    """Note which chains the catalogue lists, and how far."""
    database.executemany(
        "UPDATE chains SET catalogued = 1 WHERE chain = ?",
        [(chain,) for chain in effects.catalogued],
    )
    database.executemany(
        "UPDATE chains SET reported = ? WHERE chain = ?",
        [(size, chain) for chain, size in effects.reported.items()],
    )


def update_settings(
    database: sqlite3.Connection, chain: bytes, config: ConfigBody
) -> None:
    """Note what a chain says of its settings from here on."""
    if config.retention_days is not UNSET:
        database.execute(
            "UPDATE chains SET retention_days = ? WHERE chain = ?",
            (config.retention_days, chain),
        )
    if config.heartbeat_seconds is not UNSET:
        database.execute(
            "UPDATE chains SET heartbeat_seconds = ? WHERE chain = ?",
            (config.heartbeat_seconds, chain),
        )
    if config.identity is not UNSET:
        database.execute(
            "UPDATE chains SET identity = ? WHERE chain = ?",
            (str(config.identity), chain),
        )


def insert_windows(
    database: sqlite3.Connection, chain: bytes, windows: Sequence[SentWindow]
) -> None:
    """Add windows that a sender may send again."""
    database.executemany(
        "INSERT INTO windows VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
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
            for window in windows
        ],
    )


def delete_windows(
    database: sqlite3.Connection, chain: bytes, windows: Sequence[tuple[str, int]]
) -> None:
    """Drop windows, named by connection and number."""
    database.executemany(
        "DELETE FROM windows WHERE chain = ? AND connection = ? AND window = ?",
        [(chain, connection, window) for connection, window in windows],
    )


def to_seal(row: sqlite3.Row) -> JournaledSeal:
    """Read a row of ``seals``; a bit that has turned is a StateError."""
    columns = row["note"], row["head"], row["body"], row["leaves"]
    _check_digest(row, *columns)
    note, head, body, leaves = columns
    return JournaledSeal(
        row["number"], SealRecord(note, body, leaves), Head.from_bytes(head)
    )


def to_unstored(row: sqlite3.Row) -> UnstoredSeal:
    """Read a note and the size of what it sends."""
    return UnstoredSeal(parse_seal_note(row["note"])[0], row["write_bytes"])


def to_write(row: sqlite3.Row, seal: JournaledSeal) -> Write:
    """Read a row of ``writes``, of this seal; checked as by ``to_seal``."""
    data: bytes = row["data"]
    _check_digest(row, data)
    return Write(row["chain"], parse_seal_note(seal.record.note)[0], seal.record, data)


def _digest(*columns: str | bytes) -> bytes:
    digest = sha256()
    for column in columns:
        encoded = column.encode() if isinstance(column, str) else column
        digest.update(len(encoded).to_bytes(8, "big"))
        digest.update(encoded)
    return digest.digest()


def _check_digest(row: sqlite3.Row, *columns: str | bytes) -> None:
    if row["digest"] != _digest(*columns):
        raise StateError(
            f"seal {row['number']} of chain {row['chain'].hex()} is damaged in the "
            "journal",
            hint=DAMAGED_HINT,
        )
