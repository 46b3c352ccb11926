"""The durable memory of what is sealed, until the store has it.

One database per state directory. It holds no private key and no unsigned
event. What a stored seal sent to the store is dropped at once; of the seals
themselves the founding, the last one (the head) and the last stored one (what
the store is compared with at start) stay.
"""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from beats_signer.chain.head import Head
from beats_signer.errors import DurabilityError
from beats_signer.sign.bare import delete_bare, insert_bare, select_bare
from beats_signer.sign.disk import Disk
from beats_signer.sign.journal_file import create_journal, open_journal
from beats_signer.sign.journal_rows import (
    JournaledChain,
    JournaledSeal,
    SideEffects,
    UnstoredSeal,
    close_chain,
    delete_windows,
    end_route,
    insert_chain,
    insert_seal,
    insert_windows,
    mark_seal_stored,
    select_chains,
    to_seal,
    to_unstored,
    to_write,
    update_chains,
    update_settings,
)
from beats_signer.sign.recognition import SentWindow
from beats_signer.store.contract import Write

__all__ = ["Journal"]

_SEALS = "SELECT * FROM seals WHERE chain = ?"


class Journal:
    """All chains of one state directory. Any thread may call it.

    Every method that writes is one durable transaction. ``DurabilityError``
    from any method means that what the disk holds is unknown: end the process,
    the next start reads it. After the first of them every call raises one.
    """

    def __init__(self, path: Path, database: sqlite3.Connection) -> None:
        self.path = path
        self._database = database
        self._lock = threading.Lock()
        self._has_failed = False

    @classmethod
    def create(cls, path: Path) -> "Journal":
        """Make the empty journal of a new state directory; see ``create_journal``."""
        return cls(path, create_journal(path))

    @classmethod
    def open(cls, path: Path, disk: Disk | None = None) -> "Journal":
        """Open an existing journal; see ``open_journal``."""
        return cls(path, open_journal(path, disk or Disk()))

    def close(self) -> None:
        """Close the file; all that was committed stays."""
        with self._lock:
            self._database.close()

    def add_chain(
        self,
        chain: JournaledChain,
        write: Write,
        head: Head,
        replaces: JournaledChain | None = None,
    ) -> None:
        """Journal seal 0 of a new chain; it may take the place of another one.

        The journal need not know that one yet, but does so from here on.
        """
        with self._transaction() as database:
            if replaces is not None:
                end_route(database, chain)
                if all(one.chain != replaces.chain for one in select_chains(database)):
                    insert_chain(database, replaces)
            insert_chain(database, chain)
            insert_seal(database, write, head)

    def commit(self, write: Write, head: Head, effects: SideEffects) -> None:
        """Journal one seal with all that belongs to it. From here on it counts."""
        with self._transaction() as database:
            insert_seal(database, write, head)
            insert_windows(database, write.chain, effects.windows)
            delete_windows(database, write.chain, effects.forgotten)
            update_chains(database, effects)
            delete_bare(database, effects.listed)
            if effects.config is not None:
                update_settings(database, write.chain, effects.config)
            if effects.closes:
                close_chain(database, write.chain)

    def mark_stored(self, chain: bytes, number: int, bare: Sequence[int] = ()) -> None:
        """Note that the store has confirmed this seal.

        *bare* are the indexes of its entries that are bare documents.
        """
        with self._transaction() as database:
            insert_bare(database, chain, bare)
            mark_seal_stored(database, chain, number)

    def forget(self, chain: bytes, windows: Sequence[tuple[str, int]]) -> None:
        """Drop windows that can no longer be sent again."""
        with self._transaction() as database:
            delete_windows(database, chain, windows)

    def chains(self) -> list[JournaledChain]:
        """Return all chains, the catalogue first; those that have ended too."""
        with self._locked() as database:
            return select_chains(database)

    def last(self, chain: bytes) -> JournaledSeal | None:
        """Return the newest seal; its ``head`` is what the next seal extends.

        Only a replaced chain may have none.
        """
        return self._seal(f"{_SEALS} ORDER BY number DESC LIMIT 1", chain)

    def last_stored(self, chain: bytes) -> JournaledSeal | None:
        """Return the newest seal that the store has confirmed."""
        return self._seal(f"{_SEALS} AND stored ORDER BY number DESC LIMIT 1", chain)

    def seal(self, chain: bytes, number: int) -> JournaledSeal | None:
        """Return seal *number* when the journal still holds it."""
        return self._seal(f"{_SEALS} AND number = ?", chain, number)

    def unstored(self, chain: bytes) -> list[UnstoredSeal]:
        """Return the seals that the store has not confirmed, in order."""
        rows = self._query(
            "SELECT note, length(data) AS write_bytes FROM writes"
            " JOIN seals USING (chain, number) WHERE chain = ? ORDER BY number",
            chain,
        )
        return [to_unstored(row) for row in rows]

    def write(self, chain: bytes, number: int) -> Write:
        """Return the exact bytes of an unstored seal, to be sent again."""
        seal = self.seal(chain, number)
        (row,) = self._query(
            "SELECT * FROM writes WHERE chain = ? AND number = ?", chain, number
        )
        assert seal is not None, "a seal outlives its write"
        return to_write(row, seal)

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

    def _seal(self, statement: str, *values: object) -> JournaledSeal | None:
        rows = self._query(statement, *values)
        return to_seal(rows[0]) if rows else None

    def _query(self, statement: str, *values: object) -> list[sqlite3.Row]:
        with self._locked() as database:
            return database.execute(statement, values).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._locked() as database:
            database.execute("BEGIN IMMEDIATE")
            yield database
            database.execute("COMMIT")

    @contextmanager
    def _locked(self) -> Iterator[sqlite3.Connection]:
        """Lend the database to one thread; after a failure to none."""
        with self._lock:
            if self._has_failed:
                raise DurabilityError(f"{self.path}: an earlier write has failed")
            try:
                yield self._database
            except BaseException as error:
                # Not rolled back: the file is closed to us, as after a crash.
                self._has_failed = True
                if isinstance(error, sqlite3.Error):
                    raise self._failure(error) from error
                raise

    def _failure(self, error: sqlite3.Error) -> DurabilityError:
        return DurabilityError(
            f"{self.path}: reading or writing failed: {error}",
            hint=f"See that {self.path.parent} has space and its disk is sound, then "
            "start again: nothing that was acknowledged is lost.",
        )
