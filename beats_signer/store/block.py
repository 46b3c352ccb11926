"""Pack entries into compressed blocks, and read them back with suspicion.

A block is one row of the archive: the msgpack array ``[forms, payloads, salts
or nil]``, compressed in zlib format. The bytes of a write are the blocks of one
seal, each behind its number of entries and its size, so that storing them only
inserts rows.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import msgspec
from isal import isal_zlib

from beats_signer.store.contract import Entries

__all__ = ["Block", "BlockError", "build_blocks", "open_block", "split_blocks"]

_BLOCK_ENTRIES = 1024
_BLOCK_BYTES = 1 << 20
"""Payload bytes of one block; a single larger payload has a block to itself."""
_INFLATED_BYTES = 160 << 20
"""Most that a block may inflate to: no window holds more than 128 MiB. What a
stranger put into the file must not fill the memory of who verifies it."""
_LEVEL = 1

_IsalError = cast(type[Exception], isal_zlib.error)
"""Its stub declares an instance where the library has a class."""
_FRAME = struct.Struct(">II")
_Columns = tuple[bytes, list[bytes], list[bytes] | None]
_DECODER = msgspec.msgpack.Decoder(_Columns)


class BlockError(Exception):
    """The bytes are not those of a block; the message says why."""


@dataclass(frozen=True, slots=True)
class Block:
    """One block of a write, still compressed."""

    first: int
    """Index of its first entry in the chain."""
    count: int
    data: memoryview


def build_blocks(entries: Entries) -> bytes:
    """Return the blocks of one seal's entries as the bytes of a write."""
    encoder = msgspec.msgpack.Encoder()
    parts: list[bytes] = []
    for start, stop in _cuts([len(payload) for payload in entries.payloads]):
        salts = None if entries.salts is None else entries.salts[start:stop]
        columns = (entries.forms[start:stop], entries.payloads[start:stop], salts)
        data = isal_zlib.compress(encoder.encode(columns), _LEVEL)
        parts += (_FRAME.pack(stop - start, len(data)), data)
    return b"".join(parts)


def split_blocks(body: bytes, first: int) -> Iterator[Block]:
    """Yield the blocks of a write whose first entry has the index ``first``.

    Raises:
        BlockError: The bytes were not made by ``build_blocks``.
    """
    view = memoryview(body)
    position = 0
    while position < len(view):
        if len(view) - position < _FRAME.size:
            raise BlockError(f"{len(view) - position} bytes after the last block")
        count, size = _FRAME.unpack_from(view, position)
        position += _FRAME.size
        if len(view) - position < size:
            raise BlockError(f"block of {size} bytes ends after {len(view) - position}")
        yield Block(first, count, view[position : position + size])
        position += size
        first += count


def open_block(data: bytes | memoryview) -> Entries:
    """Return the entries of one compressed block, which may come from anyone.

    Raises:
        BlockError: The bytes are damaged, or inflate to more than a block may.
    """
    inflater = isal_zlib.decompressobj()
    try:
        raw = inflater.decompress(data, _INFLATED_BYTES)
        if not inflater.eof:
            raise BlockError(
                f"block is cut, or inflates to more than {_INFLATED_BYTES} bytes"
            )
        forms, payloads, salts = _DECODER.decode(raw)
    except _IsalError as error:
        raise BlockError(f"block does not inflate: {error}") from error
    except msgspec.DecodeError as error:
        raise BlockError(f"block holds something else: {error}") from error
    salted = payloads if salts is None else salts
    if not len(forms) == len(payloads) == len(salted):
        raise BlockError(
            f"block has {len(forms)} forms for {len(payloads)} payloads"
            f" and {len(salted)} salts"
        )
    return Entries(forms, payloads, salts)


def _cuts(sizes: list[int]) -> Iterator[tuple[int, int]]:
    """Yield start and stop of each block for payloads of these sizes."""
    start = 0
    while start < len(sizes):
        stop = min(start + _BLOCK_ENTRIES, len(sizes))
        if sum(sizes[start:stop]) > _BLOCK_BYTES:
            stop = _cut(sizes, start, stop)
        yield start, stop
        start = stop


def _cut(sizes: list[int], start: int, stop: int) -> int:
    """Return where a block ends that holds as much as it may, at least one."""
    total = sizes[start]
    for position in range(start + 1, stop):
        total += sizes[position]
        if total > _BLOCK_BYTES:
            return position
    return stop
