"""Blocks hold entries byte for byte, and nothing else passes for a block."""

from contextlib import suppress

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from isal import isal_zlib

from beats_signer.store.block import (
    BlockError,
    build_blocks,
    open_block,
    split_blocks,
)
from beats_signer.store.contract import Entries

ENTRIES = st.lists(
    st.tuples(st.sampled_from("JLDR"), st.binary(max_size=40), st.binary(max_size=16)),
    min_size=1,
    max_size=30,
)
SMALL = Entries(b"JL", [b"first payload", b"second"], [b"s" * 16, b"t" * 16])


@given(ENTRIES, st.booleans())
def test_entries_come_out_of_a_block_as_they_went_in(
    rows: list[tuple[str, bytes, bytes]], salted: bool
) -> None:
    forms = "".join(form for form, _, _ in rows).encode()
    payloads = [payload for _, payload, _ in rows]
    salts = [salt for _, _, salt in rows] if salted else None
    (block,) = split_blocks(build_blocks(Entries(forms, payloads, salts)), 7)

    assert (block.first, block.count) == (7, len(rows))
    assert open_block(block.data) == Entries(forms, payloads, salts)


def test_no_entries_are_no_blocks() -> None:
    assert build_blocks(Entries(b"", (), None)) == b""


@pytest.mark.parametrize(
    ("sizes", "counts"),
    [
        ([1] * 2049, [1024, 1024, 1]),
        ([400_000] * 5, [2, 2, 1]),
        ([1 << 20, 1], [1, 1]),
        ([1, 5 << 20, 1, 1], [1, 1, 2]),
        ([1 << 19, 1 << 19, 1], [2, 1]),
    ],
)
def test_blocks_are_cut_at_1024_entries_or_at_one_mebibyte(
    sizes: list[int], counts: list[int]
) -> None:
    entries = Entries(b"J" * len(sizes), [bytes(size) for size in sizes], None)
    blocks = list(split_blocks(build_blocks(entries), 0))

    assert [block.count for block in blocks] == counts
    assert [block.first for block in blocks] == [
        sum(counts[:n]) for n in range(len(counts))
    ]


@given(st.data())
def test_a_changed_bit_never_passes_for_other_entries(data: st.DataObject) -> None:
    block = bytearray(_block(SMALL))
    bit = data.draw(st.integers(0, 8 * len(block) - 1))
    block[bit // 8] ^= 1 << bit % 8

    with suppress(BlockError):
        assert open_block(bytes(block)) == SMALL


@given(st.integers(0, 60))
def test_a_block_that_is_cut_is_refused(size: int) -> None:
    block = _block(SMALL)
    with pytest.raises(BlockError, match=r"cut|inflate"):
        open_block(block[: min(size, len(block) - 1)])


def test_a_block_that_inflates_without_end_is_refused() -> None:
    bomb = isal_zlib.compress(bytes((160 << 20) + 1), 1)
    with pytest.raises(BlockError, match="more than 167772160 bytes"):
        open_block(bomb)


@pytest.mark.parametrize(
    "columns",
    [
        (b"JJ", [b"one"], None),
        (b"J", [b"one"], [b"salt", b"salt"]),
        (b"J", [b"one"], []),
    ],
)
def test_columns_of_different_lengths_are_refused(columns: object) -> None:
    with pytest.raises(BlockError, match=r"block has \d forms for 1 payloads and"):
        open_block(isal_zlib.compress(msgspec.msgpack.encode(columns), 1))


@pytest.mark.parametrize(
    "raw", [b"", b"\xc1", msgspec.msgpack.encode([1, 2]), b"\x92\xc4\x00\x90"]
)
def test_what_is_not_three_columns_is_refused(raw: bytes) -> None:
    with pytest.raises(BlockError, match="block holds something else"):
        open_block(isal_zlib.compress(raw, 1))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"\0" * 7, "7 bytes after the last block"),
        (b"\0\0\0\1\0\0\0\5abcd", "block of 5 bytes ends after 4"),
    ],
)
def test_a_write_that_ends_within_a_block_is_refused(body: bytes, message: str) -> None:
    with pytest.raises(BlockError, match=message):
        list(split_blocks(body, 0))


def _block(entries: Entries) -> bytes:
    (block,) = split_blocks(build_blocks(entries), 0)
    return bytes(block.data)
