"""Write to an archive: every statement that changes one is here.

A write is one transaction: its blocks and its seal, or nothing.
"""

import sqlite3

from beats_signer.chain.origin import signer_of
from beats_signer.errors import ForkError
from beats_signer.store.archive_rows import select_seal
from beats_signer.store.block import Block, split_blocks
from beats_signer.store.contract import Write

__all__ = ["insert_write", "replace_checkpoint"]


def insert_write(connection: sqlite3.Connection, write: Write) -> None:
    """Insert what is not there yet of a write, in one synced transaction.

    Raises:
        ForkError: Something else stands in its place; nothing was changed.
        sqlite3.Error: Nothing was changed, unless the commit itself failed.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        _insert(connection, write)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # a full disk has rolled back by itself
            connection.execute("ROLLBACK")
        raise


def replace_checkpoint(connection: sqlite3.Connection, signer: str, note: str) -> None:
    """Put the signer's newest checkpoint in place of the one before."""
    connection.execute(
        "INSERT OR REPLACE INTO checkpoint VALUES (?, ?)", (signer, note)
    )


def _insert(connection: sqlite3.Connection, write: Write) -> None:
    seal = write.seal
    _name_chain(connection, write)
    stored = select_seal(connection, write.chain, seal.number)
    if stored is None:
        _check_free(connection, write)
        connection.execute(
            "INSERT INTO seals VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                write.chain,
                seal.number,
                seal.kind.value,
                seal.first,
                seal.count,
                seal.time,
                write.record.note,
                write.record.body,
                write.record.leaves,
            ),
        )
    elif stored != write.record:
        raise ForkError(
            f"another seal stands under number {seal.number} of {seal.origin}",
            hint="Two signers, or a copy of one, write to this chain: find the other"
            " before anything else.",
        )
    for block in split_blocks(write.body, seal.first):
        if stored is None or not _stands(connection, write, block):
            connection.execute(
                "INSERT INTO blocks VALUES (?, ?, ?, ?)",
                (write.chain, block.first, block.count, block.data),
            )


def _name_chain(connection: sqlite3.Connection, write: Write) -> None:
    """Record which chain an origin names; both belong together for good."""
    origin = write.seal.origin
    connection.execute(
        "INSERT OR IGNORE INTO chains VALUES (?, ?, ?)",
        (origin, write.chain, signer_of(origin)),
    )
    if connection.execute(
        "SELECT 1 FROM chains WHERE origin = ? AND chain = ?", (origin, write.chain)
    ).fetchone():
        return
    raise ForkError(
        f"another chain stands under the name {origin}, not {write.chain.hex()}",
        hint="A founding whose origin is taken uses the next second.",
    )


def _check_free(connection: sqlite3.Connection, write: Write) -> None:
    """Check that no block reaches into the place of a new seal's entries."""
    first, end = write.seal.first, write.seal.first + write.seal.count
    row = connection.execute(
        "SELECT first, count FROM blocks WHERE chain = ? AND first < ?"
        " ORDER BY first DESC LIMIT 1",
        (write.chain, end),
    ).fetchone()
    if row is not None and (row[0] >= first or row[0] + row[1] > first):
        raise _taken(write, row[0])


def _stands(connection: sqlite3.Connection, write: Write, block: Block) -> bool:
    """Say whether a block of a stored seal is there, as it must be."""
    row = connection.execute(
        "SELECT count, data FROM blocks WHERE chain = ? AND first = ?",
        (write.chain, block.first),
    ).fetchone()
    if row is None:
        return False
    if row != (block.count, block.data):
        raise _taken(write, block.first)
    return True


def _taken(write: Write, first: int) -> ForkError:
    return ForkError(
        f"other entries stand at {first} of {write.seal.origin},"
        f" in the place of seal {write.seal.number}",
        hint="Verify the archive: somebody else has written to this chain.",
    )
