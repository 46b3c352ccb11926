"""Read the rows of an archive, a few at a time: one statement, one short lock.

Whoever can write the file can put any value into any column: rows that a
verifier reads are cast to their type, and a row that lies is still a row.
"""

import sqlite3
from dataclasses import dataclass

from beats_signer.chain.errors import ChainError
from beats_signer.chain.seal import COUNT_LIMIT, Seal, SealRecord

__all__ = [
    "SealRow",
    "select_block",
    "select_block_key",
    "select_block_keys",
    "select_chain",
    "select_chains",
    "select_checkpoint",
    "select_covering_seal",
    "select_highest",
    "select_last_block",
    "select_next_seal",
    "select_origins",
    "select_seal",
]

_SEAL = (
    "cast(number AS INTEGER), cast(first AS INTEGER), cast(count AS INTEGER),"
    " cast(note AS TEXT), cast(body AS TEXT), cast(leaves AS BLOB)"
)
_KEY = "cast(first AS INTEGER), ifnull(cast(count AS INTEGER), 0)"


@dataclass(frozen=True, slots=True)
class SealRow:
    """A stored seal, with the place that it claims for its entries."""

    number: int
    first: int
    end: int
    """One more than the index of the last entry."""
    record: SealRecord


def select_seal(
    connection: sqlite3.Connection, chain: bytes, number: int
) -> SealRecord | None:
    """Return one seal, or ``None``."""
    row = connection.execute(
        "SELECT note, body, leaves FROM seals WHERE chain = ? AND number = ?",
        (chain, number),
    ).fetchone()
    return None if row is None else SealRecord(*row)


def select_next_seal(
    connection: sqlite3.Connection, chain: bytes, number: int, last: int
) -> SealRow | None:
    """Return the first seal from ``number`` to ``last``, both included."""
    row = connection.execute(
        f"SELECT {_SEAL} FROM seals WHERE chain = ? AND number BETWEEN ? AND ?"  # noqa: S608
        " ORDER BY number LIMIT 1",
        (chain, number, last),
    ).fetchone()
    return None if row is None else _seal_row(*row)


def select_covering_seal(
    connection: sqlite3.Connection, chain: bytes, index: int
) -> SealRow | None:
    """Return the seal that the entry of this index stands under, or ``None``."""
    row = connection.execute(
        f"SELECT {_SEAL} FROM seals WHERE chain = ? AND first <= ? AND count > 0"  # noqa: S608
        " ORDER BY first DESC LIMIT 1",
        (chain, index),
    ).fetchone()
    if row is None:
        return None
    seal = _seal_row(*row)
    return seal if seal.first <= index < seal.end else None


def select_highest(connection: sqlite3.Connection, chain: bytes) -> int | None:
    """Return the highest seal number of a chain, or ``None``."""
    highest: int | None = connection.execute(
        "SELECT max(number) FROM seals WHERE chain = ?", (chain,)
    ).fetchone()[0]
    return highest


def select_chain(connection: sqlite3.Connection, origin: str) -> bytes | None:
    """Return the chain id that stands for an origin, or ``None``."""
    row = connection.execute(
        "SELECT cast(chain AS BLOB) FROM chains WHERE origin = ?", (origin,)
    ).fetchone()
    return None if row is None else row[0]


def select_chains(connection: sqlite3.Connection, signer: str) -> dict[str, bytes]:
    """Return origin and chain id of every chain of a signer."""
    return dict(
        connection.execute(
            "SELECT origin, chain FROM chains WHERE signer = ? ORDER BY origin",
            (signer,),
        )
    )


def select_origins(connection: sqlite3.Connection) -> list[str]:
    """Return the origins of all chains, whoever signs them, in order."""
    rows = connection.execute("SELECT cast(origin AS TEXT) FROM chains ORDER BY origin")
    return [origin for (origin,) in rows]


def select_checkpoint(connection: sqlite3.Connection, signer: str) -> str | None:
    """Return the newest checkpoint of a signer, or ``None``."""
    row = connection.execute(
        "SELECT cast(note AS TEXT) FROM checkpoint WHERE signer = ?", (signer,)
    ).fetchone()
    return None if row is None else row[0]


def select_block(
    connection: sqlite3.Connection, chain: bytes, start: int, end: int
) -> tuple[int, int, bytes] | None:
    """Return first, count and data of the first block that starts in a range."""
    row: tuple[int, int, bytes] | None = connection.execute(
        f"SELECT {_KEY}, ifnull(cast(data AS BLOB), x'') FROM blocks"  # noqa: S608
        " WHERE chain = ? AND first >= ? AND first < ? ORDER BY first LIMIT 1",
        (chain, start, end),
    ).fetchone()
    return row


def select_block_key(
    connection: sqlite3.Connection, chain: bytes, start: int, end: int
) -> tuple[int, int] | None:
    """Return the same without the data, which may be past reading."""
    row: tuple[int, int] | None = connection.execute(
        f"SELECT {_KEY} FROM blocks"  # noqa: S608
        " WHERE chain = ? AND first >= ? AND first < ? ORDER BY first LIMIT 1",
        (chain, start, end),
    ).fetchone()
    return row


def select_block_keys(
    connection: sqlite3.Connection, chain: bytes, start: int, last: int, most: int
) -> list[int]:
    """Return where up to ``most`` blocks start, in a range with both its ends."""
    rows = connection.execute(
        "SELECT cast(first AS INTEGER) FROM blocks"
        " WHERE chain = ? AND first BETWEEN ? AND ? ORDER BY first LIMIT ?",
        (chain, start, last, most),
    )
    return [first for (first,) in rows]


def select_last_block(
    connection: sqlite3.Connection, chain: bytes, index: int
) -> int | None:
    """Return where the last block starts that does so at or before an index."""
    first: int | None = connection.execute(
        "SELECT cast(max(first) AS INTEGER) FROM blocks WHERE chain = ? AND first <= ?",
        (chain, index),
    ).fetchone()[0]
    return first


def _seal_row(
    number: int,
    first: int | None,
    count: int | None,
    note: str | None,
    body: str | None,
    leaves: bytes | None,
) -> SealRow:
    """Take the place from the note; the columns serve when it is damaged."""
    record = SealRecord(note or "", body or "", leaves or b"")
    try:
        seal = Seal.parse(record.note.partition("\n\n")[0] + "\n")
    except ChainError:
        start = first or 0
        return SealRow(number, start, start + min(count or 0, COUNT_LIMIT), record)
    return SealRow(number, seal.first, seal.first + seal.count, record)
