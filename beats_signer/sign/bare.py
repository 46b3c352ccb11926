"""Entries that the store has without their visible fields, and their records.

They are marked in the journal when their seal is marked stored, and listed in
the catalogue before a head that covers them; the same transaction that journals
the list drops the marks.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence

from beats_signer.chain.records import BareRecord

__all__ = [
    "BARE_TABLE",
    "BareMarks",
    "build_bare_records",
    "delete_bare",
    "insert_bare",
    "select_bare",
]

BARE_TABLE = """
CREATE TABLE bare (                 -- entries that the catalogue does not list yet
    chain   BLOB NOT NULL,
    entry   INTEGER NOT NULL,
    PRIMARY KEY (chain, entry)
) WITHOUT ROWID;
"""

BareMarks = Mapping[bytes, Sequence[int]]
"""Indexes of entries by chain, ascending."""

_RECORD_INDEXES = 10_000
"""Indexes of one record: it stays below 150 KiB."""


def build_bare_records(origin: str, indexes: Sequence[int]) -> Iterator[bytes]:
    """Yield the payloads of the catalogue's records for some entries of a chain."""
    for start in range(0, len(indexes), _RECORD_INDEXES):
        part = tuple(indexes[start : start + _RECORD_INDEXES])
        yield BareRecord(origin, part).to_payload()


def insert_bare(
    database: sqlite3.Connection, chain: bytes, indexes: Sequence[int]
) -> None:
    """Mark entries; marking one twice is marking it once."""
    database.executemany(
        "INSERT OR IGNORE INTO bare VALUES (?, ?)",
        [(chain, index) for index in indexes],
    )


def delete_bare(database: sqlite3.Connection, listed: BareMarks) -> None:
    """Drop the marks of entries that the catalogue lists from here on."""
    database.executemany(
        "DELETE FROM bare WHERE chain = ? AND entry = ?",
        [(chain, index) for chain, indexes in listed.items() for index in indexes],
    )


def select_bare(rows: Sequence[sqlite3.Row]) -> dict[bytes, list[int]]:
    """Return the marks that some rows of the table hold."""
    marks: dict[bytes, list[int]] = {}
    for chain, index in rows:
        marks.setdefault(chain, []).append(index)
    return marks
