"""Keep the heads of all chains between reading the catalogue and the chains.

A catalogue holds a head per chain and minute: in ten years more than memory
should hold. They go to a temporary database, which SQLite keeps in memory while
it is small, and which is gone with the process.
"""

import sqlite3
from collections.abc import Callable, Iterator

__all__ = ["HeadSpool"]

_PENDING = 1000


class HeadSpool:
    """Heads by chain and size; used by one thread."""

    def __init__(self) -> None:
        """Start without heads."""
        self._connection = sqlite3.connect("", isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = OFF")
        self._connection.execute("PRAGMA synchronous = OFF")
        self._connection.execute(
            "CREATE TABLE heads (origin TEXT, size INTEGER, root BLOB, seal INTEGER,"
            " PRIMARY KEY (origin, size, seal)) WITHOUT ROWID"
        )
        self._pending: list[tuple[str, int, bytes, int]] = []

    def add(self, origin: str, size: int, root: bytes, seal: int) -> None:
        """Keep a head that stands in a seal of the catalogue."""
        self._pending.append((origin, size, root, seal))
        if len(self._pending) >= _PENDING:
            self._write()

    def read(
        self, origin: str, is_proven: Callable[[int], bool]
    ) -> Iterator[tuple[int, bytes]]:
        """Yield size and root of a chain's heads that stand in proven seals."""
        self._write()
        for size, root, seal in self._connection.execute(
            "SELECT size, root, seal FROM heads WHERE origin = ? ORDER BY size",
            (origin,),
        ):
            if is_proven(seal):
                yield size, root

    def largest(self, origin: str) -> int:
        """Return the largest recorded size of a chain; 0 without a head."""
        self._write()
        row = self._connection.execute(
            "SELECT max(size) FROM heads WHERE origin = ?", (origin,)
        ).fetchone()
        return row[0] or 0

    def origins(self) -> list[str]:
        """Return the origins of all chains that have a head."""
        self._write()
        return [
            row[0]
            for row in self._connection.execute("SELECT DISTINCT origin FROM heads")
        ]

    def close(self) -> None:
        """Forget all heads."""
        self._connection.close()

    def _write(self) -> None:
        if self._pending:
            self._connection.execute("BEGIN")
            self._connection.executemany(
                "INSERT OR IGNORE INTO heads VALUES (?, ?, ?, ?)", self._pending
            )
            self._connection.execute("COMMIT")
            self._pending = []
