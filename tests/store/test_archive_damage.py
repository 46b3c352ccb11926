"""A source says what is in the file: lies, damage and what nobody has signed."""

import random
from dataclasses import replace
from pathlib import Path

import pytest

from beats_signer.errors import SourceError
from beats_signer.store import ArchiveSource, Entries, EntryBlock
from beats_signer.store.block import build_blocks, split_blocks
from tests.store.archives import CHAIN, PAYLOADS, SEALS, make_archive, read_all, tamper
from tests.store.chains import SIGNER, Chain, Content, content, expected


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "archive.db"
    make_archive(path)
    return path


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
def test_a_block_that_is_past_reading_is_named_and_the_others_areread_all(
    path: Path, data: bytes | None
) -> None:
    cut = _packed(*PAYLOADS[:1024])[:-5] if data is None else data
    tamper(path, "UPDATE blocks SET data = ? WHERE first = 1024", cut)
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
    tamper(path, "DELETE FROM blocks WHERE first = 1024")

    assert [block.first for block in _blocks(path)] == [0, 2048, 3000]


def test_a_block_that_was_altered_is_handed_out_as_it_stands(path: Path) -> None:
    tamper(path, "UPDATE blocks SET data = ? WHERE first = 1024", _packed(b"a", b"b"))
    altered = _blocks(path)[1]

    assert (altered.first, altered.count, altered.damaged) == (1024, 2, None)
    assert altered.entries == Entries(b"JJ", [b"a", b"b"], None)


@pytest.mark.parametrize(
    ("first", "place"), [(-3, -1), (5, 1), (2999, 3), (3001, -1), (1 << 60, -1)]
)
def test_a_block_that_was_added_is_handed_out(
    path: Path, first: int, place: int
) -> None:
    tamper(
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
    tamper(path, "DELETE FROM seals WHERE number = 1")

    with ArchiveSource(path) as source:
        items = list(source.read(CHAIN.origin))
    assert items[:2] == [SEALS[0].record, SEALS[2].record]
    firsts = [block.first for block in items[2:] if isinstance(block, EntryBlock)]
    assert firsts == [3000, 0, 1024, 2048]


def test_columns_that_lie_move_no_entry(path: Path) -> None:
    tamper(path, "UPDATE seals SET kind = 'close', first = 77, count = 1, time = 0")
    tamper(path, "UPDATE blocks SET count = 5")

    assert _content(path) == expected(*SEALS)


def test_a_note_that_says_nothing_leaves_the_entries_where_they_were(
    path: Path,
) -> None:
    tamper(path, "UPDATE seals SET note = cast(x'ff00' AS TEXT) WHERE number = 1")

    with ArchiveSource(path) as source:
        items = list(source.read(CHAIN.origin))
    assert items[1] == replace(SEALS[1].record, note="\ufffd\x00")
    firsts = [block.first for block in items if isinstance(block, EntryBlock)]
    assert firsts == [0, 1024, 2048, 3000]


def test_a_block_larger_than_any_signer_writes_is_notread_all(path: Path) -> None:
    tamper(path, "UPDATE blocks SET data = zeroblob(201326593) WHERE first = 1024")
    damaged = _blocks(path)[1]

    assert (damaged.first, damaged.count) == (1024, 1024)
    assert damaged.damaged == "string or blob too big"


def test_pages_of_a_block_that_lead_nowhere_damage_that_block_only(
    tmp_path: Path,
) -> None:
    path = tmp_path / "archive.db"
    large = random.Random(1).randbytes(100_000)
    chain = Chain()
    make_archive(path, [chain.founding, chain.events([large]), chain.config()])
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
        items = read_all(path)
    except SourceError as error:
        assert str(path) in str(error)
    else:
        assert all(isinstance(item, (str, int)) for item in items)
