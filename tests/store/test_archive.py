"""What is the archive's own: its file, its thread, and who else touches them."""

import asyncio
import os
import sqlite3
import stat
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path

import pytest

from beats_signer.errors import SourceError, StateError, StoreError
from beats_signer.store import Archive, ArchiveSource, Write
from beats_signer.store.block import BlockError
from tests.store.chains import Chain, content, expected, to_write


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "archive.db"


@asynccontextmanager
async def _opened(path: Path) -> AsyncIterator[Archive]:
    archive = Archive(path, busy_seconds=0.05)
    await archive.open()
    try:
        yield archive
    finally:
        await archive.close()


@contextmanager
def _other_writer(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


async def test_only_its_user_may_read_an_archive(path: Path) -> None:
    mask = os.umask(0)
    try:
        async with _opened(path) as archive:
            await archive.append(to_write(Chain().founding))
            modes = {stat.S_IMODE(file.stat().st_mode) for file in _files(path)}
    finally:
        os.umask(mask)

    assert modes == {0o600}


async def test_closing_leaves_one_file(path: Path) -> None:
    async with _opened(path) as archive:
        await archive.append(to_write(Chain().founding))

    assert _files(path) == [path]


async def test_an_archive_that_is_not_open_takes_no_write(path: Path) -> None:
    with pytest.raises(RuntimeError, match="the archive is not open"):
        await Archive(path).append(to_write(Chain().founding))
    assert _files(path) == []


FOREIGN = {
    "text": "it is not a SQLite database",
    "empty": "it is not a SQLite database",
    "other": "it is the SQLite database of another program",
    "newer": "it has format 2, and this program knows format 1",
}


def _make_foreign(path: Path, what: str) -> None:
    if what in ("text", "empty"):
        path.write_text("- a list\n" * 100 if what == "text" else "")
        return
    with _other_writer(path) as connection:
        connection.execute("CREATE TABLE seals (chain)")
        if what == "newer":
            connection.execute("PRAGMA application_id = 1651732839")
            connection.execute("PRAGMA user_version = 2")


@pytest.mark.parametrize(("what", "reason"), FOREIGN.items())
async def test_a_file_that_is_no_archive_is_refused_and_not_touched(
    path: Path, what: str, reason: str
) -> None:
    _make_foreign(path, what)
    before = _bytes(path)

    with pytest.raises(StateError, match=f"is not an archive: {reason}") as refused:
        await Archive(path).open()
    with pytest.raises(SourceError, match=f"is not an archive: {reason}"):
        ArchiveSource(path)
    assert "Name another file" in refused.value.hint
    assert _bytes(path) == before
    assert _files(path) == [path]


async def test_an_archive_in_a_folder_that_is_missing_is_refused(
    tmp_path: Path,
) -> None:
    with pytest.raises(StateError, match="cannot be opened: No such file"):
        await Archive(tmp_path / "missing" / "archive.db").open()
    with pytest.raises(SourceError, match="does not exist"):
        ArchiveSource(tmp_path / "missing" / "archive.db")


async def test_a_log_without_its_archive_is_not_applied_to_a_new_one(
    path: Path,
) -> None:
    log = path.with_name("archive.db-wal")
    _make_foreign(log, "text")

    with pytest.raises(StateError, match=r"archive\.db-wal has lost its archive"):
        await Archive(path).open()
    assert _files(path) == [log]


async def test_an_archive_may_stand_behind_a_link(path: Path) -> None:
    link = path.parent / "link.db"
    async with _opened(path):
        os.symlink(path, link)
    async with _opened(link) as archive:
        await archive.append(to_write(Chain().founding))
        assert _content(link, Chain()) == expected(Chain().founding)


async def test_a_write_waits_for_another_writer_and_the_loop_does_not(
    path: Path,
) -> None:
    async with _opened(path), _patient(path) as archive:
        with _other_writer(path) as other:
            other.execute("BEGIN IMMEDIATE")
            append = asyncio.create_task(archive.append(to_write(Chain().founding)))
            await asyncio.sleep(0)  # the write is in its thread now
            other.execute("COMMIT")  # which a loop that waits never reaches
        await append


@asynccontextmanager
async def _patient(path: Path) -> AsyncIterator[Archive]:
    archive = Archive(path)
    await archive.open()
    try:
        yield archive
    finally:
        await archive.close()


async def test_a_file_that_another_writer_keeps_locked_fails_the_write(
    path: Path,
) -> None:
    chain = Chain()
    async with _opened(path) as archive:
        with _other_writer(path) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(
                StoreError, match=r"archive\.db: database is locked"
            ) as busy:
                await archive.append(to_write(chain.founding))
        assert "Stop the other process" in busy.value.hint
        await archive.append(to_write(chain.founding))

    assert _content(path, chain) == expected(chain.founding)


async def test_a_damaged_archive_is_named_as_such(path: Path) -> None:
    async with _opened(path):
        pass
    _overwrite(path, 8192 * 2)

    with pytest.raises(StoreError, match="database disk image is malformed") as damaged:
        await Archive(path).open()
    assert "The file is damaged" in damaged.value.hint


async def test_two_archives_in_one_file_store_both_their_chains(path: Path) -> None:
    chain, other = Chain(), Chain("audit")
    async with _opened(path) as one, _opened(path) as two:
        await asyncio.gather(
            one.append(to_write(chain.founding)), two.append(to_write(other.founding))
        )

    assert _content(path, chain) == expected(chain.founding)
    assert _content(path, other) == expected(other.founding)


async def test_a_file_that_was_replaced_takes_no_write(path: Path) -> None:
    chain = Chain()
    twin = path.with_name("twin.db")
    async with _opened(twin):
        pass
    async with _opened(path) as archive:
        await archive.append(to_write(chain.founding))
        os.rename(twin, path)
        with pytest.raises(StoreError, match="another file has taken its name"):
            await archive.append(to_write(chain.events([b"1"])))
        os.unlink(path)
        with pytest.raises(StoreError, match="No such file") as missing:
            await archive.append(to_write(chain.events([b"1"])))
        assert "Put the archive back" in missing.value.hint


async def test_closing_waits_for_the_writes_under_way(path: Path) -> None:
    chain = Chain()
    seals = [chain.founding, *(chain.events([b"%d" % n]) for n in range(20))]
    archive = Archive(path)
    await archive.open()
    tasks = [asyncio.create_task(archive.append(to_write(one))) for one in seals]
    await asyncio.sleep(0)  # all of them are in the thread's queue now
    await archive.close()
    await asyncio.gather(*tasks)

    assert _content(path, chain) == expected(*seals)


async def test_a_body_that_encode_did_not_make_changes_nothing(path: Path) -> None:
    chain = Chain()
    write = to_write(chain.events([b"1"]))
    async with _opened(path) as archive:
        await archive.append(to_write(chain.founding))
        with pytest.raises(BlockError):
            await archive.append(Write(chain.id, write.seal, write.record, b"x"))

    assert _content(path, chain) == expected(chain.founding)


async def test_a_write_that_is_repeated_restores_a_block_that_was_removed(
    path: Path,
) -> None:
    chain = Chain()
    seals = [chain.founding, chain.events([b"%d" % n for n in range(2000)])]
    async with _opened(path) as archive:
        for sealed in seals:
            await archive.append(to_write(sealed))
        with _other_writer(path) as other:
            other.execute("DELETE FROM blocks WHERE first = 1024")
        await archive.append(to_write(seals[1]))

    assert _content(path, chain) == expected(*seals)


async def test_opening_syncs_what_another_process_may_have_left_unsynced(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: set[int] = set()
    fsync = os.fsync

    def recorded(handle: int) -> None:
        synced.add(os.fstat(handle).st_ino)
        fsync(handle)

    async with _opened(path):
        wal = path.with_name("archive.db-wal").stat().st_ino
        monkeypatch.setattr(os, "fsync", recorded)
        async with _opened(path):
            assert synced == {wal}


def _files(path: Path) -> list[Path]:
    return sorted(path.parent.iterdir())


def _bytes(path: Path) -> bytes:
    return path.read_bytes()


def _overwrite(path: Path, start: int) -> None:
    """Put noise in place of all bytes from ``start`` on."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(start)
        file.write(b"\xa5" * (size - start))


def _content(path: Path, chain: Chain) -> object:
    with ArchiveSource(path) as source:
        return content(source, chain.origin)
