"""A source reads a live archive, as whoever may, and holds nothing up."""

import asyncio
import multiprocessing
import os
import sqlite3
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path

import pytest

from beats_signer.errors import SourceError
from beats_signer.store import Archive, ArchiveSource, EntryBlock, Sealed
from tests.store.appending import seals
from tests.store.archives import CHAIN, SEALS, make_archive, read_all, tamper
from tests.store.chains import Chain, content, expected, to_write


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "archive.db"
    make_archive(path)
    return path


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE VIEW more AS SELECT 1",
        "CREATE TRIGGER later AFTER INSERT ON seals BEGIN DELETE FROM seals; END",
        "DROP TABLE checkpoint",
        "ALTER TABLE blocks RENAME TO others",
    ],
)
def test_an_archive_of_other_tables_is_refused(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(statement)

    with pytest.raises(SourceError, match="its tables are not those of an archive"):
        ArchiveSource(path)


def test_a_source_of_several_signers_needs_the_name_of_one(path: Path) -> None:
    tamper(
        path, "INSERT INTO chains VALUES ('signer-2', x'00', 'signer-1.example.com')"
    )

    with ArchiveSource(path) as source, pytest.raises(SourceError, match="2 signers"):
        source.origins()
    with ArchiveSource(path, "signer-2") as source:
        assert source.origins() == ["signer-2"]


def test_a_source_that_was_closed_answers_nothing(path: Path) -> None:
    source = ArchiveSource(path)
    items = source.read(CHAIN.origin)
    list(islice(items, 2))
    source.close()

    with pytest.raises(SourceError, match=r"cannot be read: .* closed database"):
        next(items)


def test_reading_changes_no_byte_of_the_archive(path: Path) -> None:
    before = path.read_bytes()
    read_all(path)

    assert path.read_bytes() == before


def test_a_reader_in_a_folder_that_it_may_not_write_reads_all_the_same(
    path: Path,
) -> None:
    path.parent.chmod(0o555)
    path.chmod(0o444)
    for folder in (path.parent.parent, path.parent.parent.parent):
        folder.chmod(0o755)

    assert _as_another_user(lambda: len(read_all(path))) == 7
    assert list(path.parent.iterdir()) == [path]


def _as_another_user(work: Callable[[], int]) -> int:
    """Do some reading as a user who is not root, in a process of its own."""

    def _child() -> None:
        if os.geteuid() == 0:
            os.seteuid(65_534)
        os._exit(work())

    process = multiprocessing.get_context("fork").Process(target=_child)
    process.start()
    process.join()
    assert process.exitcode is not None
    return process.exitcode


def test_a_reader_who_pauses_does_not_hold_up_the_signers_log(path: Path) -> None:
    with ArchiveSource(path) as source:
        items = source.read(CHAIN.origin)
        list(islice(items, 3))
        with closing(sqlite3.connect(path, isolation_level=None)) as signer:
            signer.execute("UPDATE checkpoint SET note = 'new'")
            signer.execute("INSERT INTO checkpoint VALUES ('s', 'n')")
            busy, _, _ = signer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        assert len(list(items)) == 4

    assert not busy


def test_a_seal_that_is_stored_late_does_not_leave_its_entries_uncovered(
    tmp_path: Path,
) -> None:
    path = tmp_path / "archive.db"
    make_archive(path, [SEALS[0], SEALS[2]])
    with ArchiveSource(path) as source:
        items = source.read(CHAIN.origin)
        early = list(islice(items, 3))
        make_archive(path, [SEALS[1]])
        late = list(items)

    assert [early[0], early[1]] == [SEALS[0].record, SEALS[2].record]
    assert late == []


async def test_a_reader_sees_whole_seals_only_while_a_signer_writes(
    tmp_path: Path,
) -> None:
    path = tmp_path / "archive.db"
    chain = Chain()
    made = list(islice(seals(chain), 120))
    archive = Archive(path)
    await archive.open()
    await archive.append(to_write(made[0]))
    reading = asyncio.create_task(asyncio.to_thread(_read_until, path, len(made)))
    for sealed in made[1:]:
        await archive.append(to_write(sealed))
    lengths = await reading
    await archive.close()

    assert lengths == sorted(lengths)
    assert lengths[-1] == len(made)


def _read_until(path: Path, end: int) -> list[int]:
    """Read the chain again and again until it is as long as it will be."""
    wanted = expected(*islice(seals(Chain()), end))
    lengths = [0]
    with ArchiveSource(path) as source:
        while lengths[-1] < end:
            found = content(source, Chain().origin)
            assert found == wanted[: len(found)]
            lengths.append(len(found))
    return lengths


@pytest.mark.parametrize("number", [8, 32])
def test_memory_does_not_grow_with_the_chain(tmp_path: Path, number: int) -> None:
    path = tmp_path / "archive.db"
    chain = Chain()
    make_archive(path, [chain.founding, *_large_seals(chain, number)])
    with ArchiveSource(path) as source:
        tracemalloc.start()
        try:
            entries = sum(
                item.count
                for item in source.read(chain.origin)
                if isinstance(item, EntryBlock)
            )
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert entries == number * 4096
    assert peak < 4 << 20


def _large_seals(chain: Chain, number: int) -> Iterator[Sealed]:
    for n in range(number):
        yield chain.events([b"%d" % n * 200] * 4096)
