"""Store chains in one SQLite file, for signers without Elasticsearch.

What a crash leaves, at any instruction: every write is one transaction that is
synced before ``append`` returns, so a seal is there with all its entries or
not at all. A process that dies between writing and syncing leaves a seal that
the next one sees but that no disk holds yet; therefore opening syncs first.
"""

import asyncio
import os
import sqlite3
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from beats_signer.chain.seal import SealRecord
from beats_signer.errors import Problem, StateError, StoreError
from beats_signer.store.archive_file import (
    FILE_ERRORS,
    create_archive,
    open_for_writing,
    why_not_archive,
)
from beats_signer.store.archive_rows import (
    select_chains,
    select_highest,
    select_seal,
)
from beats_signer.store.archive_write import insert_write, replace_checkpoint
from beats_signer.store.block import build_blocks
from beats_signer.store.contract import Appended, Sealed, Write
from beats_signer.store.tally import StoreTally

__all__ = ["Archive"]

_T = TypeVar("_T")


class Archive:
    """The embedded store: a ``Store`` in a file.

    All of its I/O is done by one thread of its own, in the order of the calls:
    the event loop never waits for a disk.
    """

    def __init__(
        self,
        path: Path,
        *,
        busy_seconds: float = 5.0,
        tally: StoreTally | None = None,
    ) -> None:
        """Take the file, which ``open`` makes when it is not there.

        A write fails when another process has locked the file for longer than
        ``busy_seconds``.
        """
        self._path = path
        self._busy_seconds = busy_seconds
        self._tally = tally or StoreTally()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="archive")
        # Owned by that thread from here on. The connection is None before
        # open, and again after an I/O error, until the next operation.
        self._connection: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None  # device and inode at open

    def encode(self, sealed: Sealed) -> bytes:
        """See ``Store.encode``: the compressed blocks of the seal's entries."""
        return build_blocks(sealed.entries)

    async def open(self) -> None:
        """See ``Store.open``. A new file has mode 0600."""
        await self._run(self._open)

    async def close(self) -> None:
        """See ``Store.close``. The archive cannot be opened again."""
        await asyncio.to_thread(self._thread.shutdown)
        await asyncio.to_thread(self._disconnect)

    async def append(self, write: Write) -> Appended:
        """See ``Store.append``: one synced transaction."""
        began = time.monotonic()
        self._tally.in_flight += 1
        result = "unanswered"
        try:
            await self._perform(lambda connection: insert_write(connection, write))
            result = "stored"
        finally:
            self._tally.in_flight -= 1
            self._tally.count(result, time.monotonic() - began)
        self._tally.items["stored"] += write.seal.count + 1
        return Appended()

    def problems(self) -> Sequence[Problem]:
        """See ``Store.problems``: none, an append fails or is whole."""
        return ()

    async def publish_checkpoint(self, signer: str, note: str) -> None:
        """See ``Store.publish_checkpoint``."""
        await self._perform(
            lambda connection: replace_checkpoint(connection, signer, note)
        )

    async def seal(self, chain: bytes, number: int) -> SealRecord | None:
        """See ``Store.seal``."""
        return await self._perform(
            lambda connection: select_seal(connection, chain, number)
        )

    async def highest(self, chain: bytes) -> int | None:
        """See ``Store.highest``."""
        return await self._perform(lambda connection: select_highest(connection, chain))

    async def chains(self, signer: str) -> dict[str, bytes]:
        """See ``Store.chains``."""
        return await self._perform(lambda connection: select_chains(connection, signer))

    async def _run(self, work: Callable[[], _T]) -> _T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, work)

    async def _perform(self, work: Callable[[sqlite3.Connection], _T]) -> _T:
        """Do some SQL in the archive's thread; every failure is a StoreError."""
        return await self._run(lambda: self._attempt(work))

    def _open(self) -> None:
        try:
            create_archive(self._path)
            reason = why_not_archive(self._path)
            self._file = _identity(self._path)
        except (
            FileExistsError,
            FileNotFoundError,
            NotADirectoryError,
            IsADirectoryError,
            PermissionError,
        ) as error:
            raise StateError(
                f"archive {self._path} cannot be opened: {error.strerror}",
                hint="Name a file in a folder that the signer's user may write to.",
            ) from error
        except FILE_ERRORS as error:
            raise self._failure(error) from error
        if reason is not None:
            raise StateError(
                f"{self._path} is not an archive: {reason}",
                hint="Name another file as the archive; this one was not touched.",
            )
        self._attempt(lambda _: None)

    def _attempt(self, work: Callable[[sqlite3.Connection], _T]) -> _T:
        if self._file is None:
            raise RuntimeError("the archive is not open")
        try:
            if _identity(self._path) != self._file:
                raise FileNotFoundError("another file has taken its name")
            if self._connection is None:
                self._connection = open_for_writing(self._path, self._busy_seconds)
            return work(self._connection)
        except FILE_ERRORS as error:
            self._disconnect()  # what SQLite holds in memory is trusted no more
            raise self._failure(error) from error

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _failure(self, error: Exception) -> StoreError:
        return StoreError(f"archive {self._path}: {error}", hint=_hint(error))


def _identity(path: Path) -> tuple[int, int]:
    """Return what tells a file from another that takes its name."""
    status = os.stat(path)
    return status.st_dev, status.st_ino


def _hint(error: Exception) -> str:
    """Say what to do; the signer itself tries again all the while."""
    if isinstance(error, OSError):
        return "Put the archive back where it was; senders wait meanwhile."
    match getattr(error, "sqlite_errorcode", 0) & 0xFF:
        case sqlite3.SQLITE_FULL | sqlite3.SQLITE_IOERR:
            return "Make room on its disk or repair it; senders wait meanwhile."
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return "Stop the other process that writes to it; senders wait meanwhile."
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB | 0:
            return "The file is damaged: keep a copy, then verify it."
        case _:
            return "Check that the signer's user may write it; senders wait meanwhile."
