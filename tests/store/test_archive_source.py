"""A source says what is in the file: lies, damage and what nobody has signed."""

import asyncio
import multiprocessing
import os
import random
import sqlite3
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest

from beats_signer.errors import SourceError
from beats_signer.store import Archive, ArchiveSource, Entries, EntryBlock, Sealed
from beats_signer.store.block import build_blocks, split_blocks
from tests.store.appending import seals
from tests.store.chains import SIGNER, Chain, Content, content, expected, to_write

PAYLOADS = [b"%d" % n for n in range(3000)]  # blocks start at 0, 1024 and 2048
CHAIN = Chain()
SEALS = [CHAIN.founding, CHAIN.events(PAYLOADS), CHAIN.events([b"last"])]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return an archive of three seals and four blocks."""
    path = tmp_path / "archive.db"
    asyncio.run(_store(path, SEALS))
    return path


async def _store(path: Path, sealed: list[Sealed]) -> None:
    archive = Archive(path)
    await archive.open()
    for one in sealed:
        await archive.append(to_write(one))
    await archive.close()


def _tamper(path: Path, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        assert connection.execute(statement, values).rowcount


def _blocks(path: Path, origin: str = CHAIN.origin) -> list[EntryBlock]:
    with ArchiveSource(path, SIGNER) as source:
        return [b for b in source.read(origin) if isinstance(b, EntryBlock)]


def _content(path: Path) -> list[Content]:
    with ArchiveSource(path) as source:
        return content(source, CHAIN.origin)


def _packed(*payloads: bytes) -> bytes:
    entries = Entries(b"J" * len(payloads), payloads, None)
    (block,) = split_blocks(build_blocks(entries), 0)
    return bytes(block.data)


@pytest.mark.parametrize("data", [b"", b"\x00\x01", b"x\x9cgarbage", None])
def test_a_block_that_is_past_reading_is_named_and_the_others_are_read(
    path: Path, data: bytes | None
) -> None:
    cut = _packed(*PAYLOADS[:1024])[:-5] if data is None else data
    _tamper(path, "UPDATE blocks SET data = ? WHERE first = 1024", cut)
    before, damaged, after, last = _blocks(path)

    assert (damaged.first, damaged.count) == (1024, 1024)
    assert damaged.damaged is not None
    assert damaged.entries == Entries(b"", (), None)
    assert before.entries.payloads == PAYLOADS[:1024]
    assert after.entries.payloads == PAYLOADS[2048:]
    assert (last.first, last.entries.payloads) == (3000, [b"last"])
    with ArchiveSource(path) as source:
        entry = source.entry(CHAIN.origin, 1030)
    assert entry is not None
    assert (entry.first, entry.count, entry.damaged) == (1030, 1, damaged.damaged)


def test_a_block_that_was_removed_leaves_a_jump(path: Path) -> None:
    _tamper(path, "DELETE FROM blocks WHERE first = 1024")

    assert [block.first for block in _blocks(path)] == [0, 2048, 3000]


def test_a_block_that_was_altered_is_handed_out_as_it_stands(path: Path) -> None:
    _tamper(path, "UPDATE blocks SET data = ? WHERE first = 1024", _packed(b"a", b"b"))
    altered = _blocks(path)[1]

    assert (altered.first, altered.count, altered.damaged) == (1024, 2, None)
    assert altered.entries == Entries(b"JJ", [b"a", b"b"], None)


@pytest.mark.parametrize(
    ("first", "place"), [(-3, -1), (5, 1), (2999, 3), (3001, -1), (1 << 60, -1)]
)
def test_a_block_that_was_added_is_handed_out(
    path: Path, first: int, place: int
) -> None:
    _tamper(
        path,
        "INSERT INTO blocks VALUES (?, ?, 1, ?)",
        CHAIN.id,
        first,
        _packed(b"added"),
    )

    blocks = _blocks(path)
    assert len(blocks) == 5
    assert blocks[place] == EntryBlock(first, Entries(b"J", [b"added"], None), 1)


def test_the_entries_of_a_seal_that_was_removed_come_last(path: Path) -> None:
    _tamper(path, "DELETE FROM seals WHERE number = 1")

    with ArchiveSource(path) as source:
        items = list(source.read(CHAIN.origin))
    assert items[:2] == [SEALS[0].record, SEALS[2].record]
    firsts = [block.first for block in items[2:] if isinstance(block, EntryBlock)]
    assert firsts == [3000, 0, 1024, 2048]


def test_columns_that_lie_move_no_entry(path: Path) -> None:
    _tamper(path, "UPDATE seals SET kind = 'close', first = 77, count = 1, time = 0")
    _tamper(path, "UPDATE blocks SET count = 5")

    assert _content(path) == expected(*SEALS)


def test_a_note_that_says_nothing_leaves_the_entries_where_they_were(
    path: Path,
) -> None:
    _tamper(path, "UPDATE seals SET note = cast(x'ff00' AS TEXT) WHERE number = 1")

    with ArchiveSource(path) as source:
        items = list(source.read(CHAIN.origin))
    assert items[1] == replace(SEALS[1].record, note="\ufffd\x00")
    firsts = [block.first for block in items if isinstance(block, EntryBlock)]
    assert firsts == [0, 1024, 2048, 3000]


def test_a_block_larger_than_any_signer_writes_is_not_read(path: Path) -> None:
    _tamper(path, "UPDATE blocks SET data = zeroblob(201326593) WHERE first = 1024")
    damaged = _blocks(path)[1]

    assert (damaged.first, damaged.count) == (1024, 1024)
    assert damaged.damaged == "string or blob too big"


def test_pages_of_a_block_that_lead_nowhere_damage_that_block_only(
    tmp_path: Path,
) -> None:
    path = tmp_path / "archive.db"
    large = random.Random(1).randbytes(100_000)
    chain = Chain()
    asyncio.run(_store(path, [chain.founding, chain.events([large]), chain.config()]))
    raw = bytearray(path.read_bytes())
    page = raw.index(_packed(large)[50_000:50_050]) // 8192 * 8192
    raw[page : page + 4] = b"\xff" * 4  # where the block's next page is
    path.write_bytes(raw)

    with ArchiveSource(path) as source:
        items = list(source.read(chain.origin))
    assert len(items) == 4
    assert items[2] == EntryBlock(
        0, Entries(b"", (), None), 1, damaged="database disk image is malformed"
    )


def test_a_page_that_holds_blocks_damages_the_entries_of_those_seals(
    path: Path,
) -> None:
    raw = bytearray(path.read_bytes())
    page = raw.index(_packed(b"last")) // 8192 * 8192
    raw[page] ^= 0xFF  # the kind of the page
    path.write_bytes(raw)

    damaged = [block for block in _blocks(path) if block.damaged is not None]
    assert (
        EntryBlock(
            3000, Entries(b"", (), None), 1, damaged="database disk image is malformed"
        )
        in damaged
    )


def test_a_source_that_was_closed_answers_nothing(path: Path) -> None:
    source = ArchiveSource(path)
    items = source.read(CHAIN.origin)
    list(islice(items, 2))
    source.close()

    with pytest.raises(SourceError, match=r"cannot be read: .* closed database"):
        next(items)


@pytest.mark.parametrize("seed", range(40))
def test_whatever_bytes_of_the_file_change_reading_ends_with_an_answer(
    path: Path, seed: int
) -> None:
    source = random.Random(seed)
    raw = bytearray(path.read_bytes())
    for _ in range(1 << seed % 8):
        raw[source.randrange(len(raw))] = source.randrange(256)
    path.write_bytes(raw)

    try:
        items = _read(path)
    except SourceError as error:
        assert str(path) in str(error)
    else:
        assert all(isinstance(item, (str, int)) for item in items)


def _read(path: Path) -> list[str | int]:
    with ArchiveSource(path, SIGNER) as source:
        return [
            item.first if isinstance(item, EntryBlock) else item.note
            for origin in source.origins()
            for item in source.read(origin)
        ]


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
    _tamper(
        path, "INSERT INTO chains VALUES ('signer-2', x'00', 'signer-1.example.com')"
    )

    with ArchiveSource(path) as source, pytest.raises(SourceError, match="2 signers"):
        source.origins()
    with ArchiveSource(path, "signer-2") as source:
        assert source.origins() == ["signer-2"]


def test_reading_changes_no_byte_of_the_archive(path: Path) -> None:
    before = path.read_bytes()
    _read(path)

    assert path.read_bytes() == before


def test_a_reader_in_a_folder_that_it_may_not_write_reads_all_the_same(
    path: Path,
) -> None:
    path.parent.chmod(0o555)
    path.chmod(0o444)
    for folder in (path.parent.parent, path.parent.parent.parent):
        folder.chmod(0o755)

    assert _as_another_user(lambda: len(_read(path))) == 7
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
    asyncio.run(_store(path, [SEALS[0], SEALS[2]]))
    with ArchiveSource(path) as source:
        items = source.read(CHAIN.origin)
        early = list(islice(items, 3))
        asyncio.run(_store(path, [SEALS[1]]))
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
    asyncio.run(_store(path, [chain.founding, *_large_seals(chain, number)]))
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
