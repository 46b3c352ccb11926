"""Keep which events were found bare, and which may be, until both are known.

The catalogue may list an event as bare after its chain was read, and both may be
many. They go to a temporary database, as the heads do.
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from beats_signer.chain.findings import Document, FindingKind
from beats_signer.store.contract import Flaw

__all__ = ["BareEvents", "Unlisted"]


@dataclass(frozen=True, slots=True)
class Unlisted:
    """A bare document that the catalogue does not list."""

    origin: str
    index: int
    seal: int
    document: Document

    def flaw(self) -> Flaw:
        """Say what is wrong with it."""
        return Flaw(
            FindingKind.DRIFT,
            "bare",
            seals=(self.seal, self.seal),
            entries=(self.index, self.index),
            documents=(self.document,),
        )


class BareEvents:
    """Bare documents by chain and index; used by one thread."""

    def __init__(self) -> None:
        """Start without any."""
        self._connection = sqlite3.connect("", isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = OFF")
        self._connection.execute("PRAGMA synchronous = OFF")
        self._connection.execute(
            "CREATE TABLE listed (origin TEXT, entry INTEGER, seal INTEGER,"
            " PRIMARY KEY (origin, entry, seal)) WITHOUT ROWID"
        )
        self._connection.execute(
            "CREATE TABLE seen (origin TEXT, entry INTEGER, seal INTEGER, place TEXT,"
            " name TEXT, PRIMARY KEY (origin, entry, place, name)) WITHOUT ROWID"
        )

    def list(self, origin: str, indexes: Sequence[int], seal: int) -> None:
        """Keep what a record in a seal of the catalogue lists."""
        rows = [(origin, index, seal) for index in indexes]
        self._connection.executemany(
            "INSERT OR IGNORE INTO listed VALUES (?,?,?)", rows
        )

    def see(self, origin: str, index: int, seal: int, document: Document) -> None:
        """Keep that the document of an entry is bare."""
        self._connection.execute(
            "INSERT OR IGNORE INTO seen VALUES (?, ?, ?, ?, ?)",
            (origin, index, seal, document.index, document.id),
        )

    def count(self) -> int:
        """Return how many documents were seen bare."""
        return int(self._connection.execute("SELECT count(*) FROM seen").fetchone()[0])

    def unlisted(self, is_proven: Callable[[int], bool]) -> Iterator[Unlisted]:
        """Yield those that no proven seal of the catalogue lists, in order."""
        self._connection.create_function("is_proven", 1, is_proven)
        rows = self._connection.execute(
            "SELECT * FROM seen WHERE NOT EXISTS (SELECT * FROM listed"
            " WHERE listed.origin = seen.origin AND listed.entry = seen.entry"
            " AND is_proven(listed.seal)) ORDER BY origin, entry"
        )
        for origin, index, seal, place, name in rows:
            yield Unlisted(origin, index, seal, Document(place, name))

    def close(self) -> None:
        """Forget all."""
        self._connection.close()
