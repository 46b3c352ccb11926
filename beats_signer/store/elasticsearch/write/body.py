"""Render a seal and its entries as bulk requests, ready to send.

The bytes of a write are its requests as an array of msgpack. They are sent as
they stand; only what was not stored at once is taken apart again. The seal is
the last item of the last request.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final, cast

import msgspec
from isal import isal_zlib
from msgspec import Struct

from beats_signer.store.contract import Sealed
from beats_signer.store.elasticsearch.places import DEFAULT_TARGET
from beats_signer.store.elasticsearch.write.lines import (
    build_entry_lines,
    build_seal_lines,
)

__all__ = [
    "BodyError",
    "Part",
    "build_body",
    "build_part",
    "open_part",
    "split_body",
]

_MAGIC: Final = b"bulk\x01"
_GZIP: Final = 31
"""``wbits`` of the gzip format."""
_LEVEL: Final = 1
_ENTRY_BYTES: Final = 300
"""About what a document has besides the payload, which it holds twice."""

_IsalError = cast(type[Exception], isal_zlib.error)
"""Its stub declares an instance where the library has a class."""


class BodyError(Exception):
    """The bytes are not those of a write to Elasticsearch; the message says why."""


class Part(Struct, frozen=True, array_like=True):
    """One bulk request of a write."""

    count: int
    """Items in it."""
    size: int
    """Bytes of its lines."""
    data: bytes
    """Its lines, as gzip."""
    chosen: tuple[int, ...] = ()
    """Which of its items have a target or pipeline that their sender named."""


_PARTS = msgspec.msgpack.Decoder(list[Part])


def build_body(
    sealed: Sealed,
    part_bytes: int,
    *,
    target: str = DEFAULT_TARGET,
    has_sender_fields: bool = False,
) -> bytes:
    """Return the bytes of a write whose requests have about ``part_bytes`` each.

    ``target`` names the default place of the chain, as in ``default_target``.
    """
    lines = build_entry_lines(
        sealed, target=target, has_sender_fields=has_sender_fields
    )
    lines += build_seal_lines(sealed)
    sizes = [len(payload) * 2 + _ENTRY_BYTES for payload in sealed.entries.payloads]
    stops = [*_stops(sizes, part_bytes), len(sizes) + 1]
    parts = [
        build_part(lines[start * 2 : stop * 2], _chosen(sealed, start, stop))
        for start, stop in pairwise([0, *stops])
    ]
    return _MAGIC + msgspec.msgpack.encode(parts)


def build_part(lines: Sequence[bytes], chosen: tuple[int, ...] = ()) -> Part:
    """Return the request of some lines, which each end in a line feed."""
    joined = b"".join(lines)
    data = isal_zlib.compress(joined, _LEVEL, _GZIP)
    return Part(len(lines) // 2, len(joined), data, chosen)


def split_body(body: bytes) -> list[Part]:
    """Return the requests of a write.

    Raises:
        BodyError: The bytes were not made by ``build_body``.
    """
    if not body.startswith(_MAGIC):
        raise BodyError("they were made for another kind of store")
    try:
        return _PARTS.decode(memoryview(body)[len(_MAGIC) :])
    except msgspec.MsgspecError as error:
        raise BodyError(f"they are damaged: {error}") from error


def open_part(part: Part) -> list[bytes]:
    """Return the lines of a request: action, document, and so on.

    Raises:
        BodyError: They are not what the part says.
    """
    inflater = isal_zlib.decompressobj(_GZIP)
    try:
        raw = inflater.decompress(part.data, part.size + 1)
    except _IsalError as error:
        raise BodyError(f"request does not inflate: {error}") from error
    if not inflater.eof:
        raise BodyError(f"request is cut, or is more than {part.size} bytes")
    *lines, rest = raw.split(b"\n")
    if len(raw) != part.size or len(lines) != 2 * part.count or rest:
        raise BodyError(f"request of {part.count} items has {len(lines)} lines")
    return [line + b"\n" for line in lines]


def _stops(sizes: Sequence[int], most: int) -> Iterator[int]:
    """Yield where each request but the last ends, for items of these sizes."""
    base = total = 0
    for position, size in enumerate(sizes):
        if total + size - base > most and total > base:
            yield position
            base = total
        total += size


def _chosen(sealed: Sealed, start: int, stop: int) -> tuple[int, ...]:
    if sealed.destinations is None:
        return ()
    destinations = sealed.destinations[start:stop]
    return tuple(
        position
        for position, destination in enumerate(destinations)
        if destination is not None and destination.is_chosen_by_sender
    )
