"""An archive of three seals and four blocks, and ways to read and falsify it."""

import asyncio
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from beats_signer.store import Archive, ArchiveSource, EntryBlock, Sealed
from tests.store.chains import SIGNER, Chain, to_write

__all__ = ["CHAIN", "PAYLOADS", "SEALS", "make_archive", "read_all", "tamper"]

PAYLOADS = [b"%d" % n for n in range(3000)]  # blocks start at 0, 1024 and 2048
CHAIN = Chain()
SEALS = (CHAIN.founding, CHAIN.events(PAYLOADS), CHAIN.events([b"last"]))


def make_archive(path: Path, seals: Iterable[Sealed] = SEALS) -> None:
    """Store some seals, in a new archive or in one that is there."""
    asyncio.run(_store(path, seals))


async def _store(path: Path, seals: Iterable[Sealed]) -> None:
    archive = Archive(path)
    await archive.open()
    for sealed in seals:
        await archive.append(to_write(sealed))
    await archive.close()


def tamper(path: Path, statement: str, *values: object) -> None:
    """Change rows as somebody would who may write the file."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        assert connection.execute(statement, values).rowcount


def read_all(path: Path) -> list[str | int]:
    """Return the note of every seal and the first index of every block."""
    with ArchiveSource(path, SIGNER) as source:
        return [
            item.first if isinstance(item, EntryBlock) else item.note
            for origin in source.origins()
            for item in source.read(origin)
        ]
