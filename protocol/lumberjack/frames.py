"""The frames of the Lumberjack protocol, declared like their specification.

This is the only module that knows construct. Heads have a fixed size, and a
declaration only ever sees the exact bytes of one head: it never inflates,
repeats or reads a stream. The declarations of whole frames document the format and
test the receiver against another parser.

All integers are unsigned, 32 bits, big-endian. Source: protocol/README.md.
"""

import struct
from enum import IntEnum
from typing import Any, NamedTuple

from construct import Array, Bytes, Const, Int8ub, Int32ub, Struct, this

__all__ = [
    "ACK",
    "ACK_BYTES",
    "CLIENT_TYPES",
    "COMPRESSED",
    "COMPRESSED_FRAME",
    "COMPRESSED_HEAD_BYTES",
    "DATA",
    "DATA_FRAME",
    "DATA_HEAD_BYTES",
    "HEAD_BYTES",
    "JSON",
    "JSON_FRAME",
    "JSON_HEAD_BYTES",
    "LINE",
    "LINE_KEY",
    "MAX_NUMBER",
    "VERSIONS",
    "WINDOW",
    "WINDOW_BYTES",
    "FrameType",
    "Head",
    "head_struct",
    "parse_ack",
    "parse_head",
]

MAX_NUMBER = 2**32 - 1
"""Largest sequence, count or size that a frame can carry."""

LINE_KEY = b"line"
"""The key under which the Logstash output sends a whole event."""

VERSIONS = {0x31: 1, 0x32: 2}
"""Protocol version by the first byte of a frame, the digit `1` or `2`."""


class FrameType(IntEnum):
    """The second byte of a frame."""

    WINDOW = 0x57
    COMPRESSED = 0x43
    JSON = 0x4A
    DATA = 0x44
    ACK = 0x41


class Head(NamedTuple):
    """The head of a client's frame."""

    version: int
    """1 or 2."""

    type: FrameType
    number: int
    """Count of a `W`, sequence of a `J` or `D`, 0 for a `C`."""

    size: int
    """Bytes that follow a `C` or `J`, pairs of a `D`, 0 for a `W`."""


def _head(kind: FrameType) -> Any:  # noqa: ANN401 (construct ships no types)
    return Struct("version" / Int8ub, "type" / Const(int(kind), Int8ub))


_PAIR = Struct(
    "key_size" / Int32ub,
    "key" / Bytes(this.key_size),
    "value_size" / Int32ub,
    "value" / Bytes(this.value_size),
)

# `Struct + Struct` is construct's spelling of "the fields of both, in order".
_WINDOW = _head(FrameType.WINDOW) + Struct("count" / Int32ub)
_COMPRESSED = _head(FrameType.COMPRESSED) + Struct("size" / Int32ub)
_JSON = _head(FrameType.JSON) + Struct("sequence" / Int32ub, "size" / Int32ub)
_DATA = _head(FrameType.DATA) + Struct("sequence" / Int32ub, "pairs" / Int32ub)
_LINE = _DATA + Struct(
    "key_size" / Int32ub, "key" / Const(LINE_KEY), "value_size" / Int32ub
)
_ACK = _head(FrameType.ACK) + Struct("sequence" / Int32ub)

WINDOW = _WINDOW.compile()
"""`W`, 6 bytes: how many events follow."""

COMPRESSED = _COMPRESSED.compile()
"""Head of `C`, 6 bytes; `size` bytes of zlib stream follow."""

JSON = _JSON.compile()
"""Head of `J`, 10 bytes; `size` bytes of payload follow."""

DATA = _DATA.compile()
"""Head of `D`, 10 bytes; `pairs` pairs follow. The pair count is the first
field of the pairs block."""

LINE = _LINE.compile()
"""Head of a `D` frame whose only key is ``line``, 22 bytes; `value_size` bytes of
value follow."""

ACK = _ACK.compile()
"""`A`, 6 bytes, the only frame that a receiver sends."""

# Whole frames are not compiled: compiled, construct does not notice a short read.
COMPRESSED_FRAME = _COMPRESSED + Struct("stream" / Bytes(this.size))
JSON_FRAME = _JSON + Struct("payload" / Bytes(this.size))
DATA_FRAME = _DATA + Struct("items" / Array(this.pairs, _PAIR))


def head_struct(declaration: Any) -> struct.Struct:  # noqa: ANN401 (no types)
    """Derive the `struct` format of a head from its declaration.

    Unpacking with it is some ten times faster than construct; the caller compares
    the constants itself.
    """
    return struct.Struct(">" + "".join(map(_format, declaration.defersubcon.subcons)))


def _format(field: Any) -> str:  # noqa: ANN401 (construct ships no types)
    if isinstance(field, type(Bytes(0))):
        return f"{field.length}s"
    if hasattr(field, "fmtstr"):
        return str(field.fmtstr).lstrip(">")
    return _format(field.subcon)


CLIENT_TYPES = {
    int(kind): kind
    for kind in (
        FrameType.WINDOW,
        FrameType.COMPRESSED,
        FrameType.JSON,
        FrameType.DATA,
    )
}
"""What a client may send, by the second byte of a frame."""

ACK_BYTES = head_struct(ACK).size
WINDOW_BYTES = head_struct(WINDOW).size
COMPRESSED_HEAD_BYTES = head_struct(COMPRESSED).size
DATA_HEAD_BYTES = head_struct(DATA).size
JSON_HEAD_BYTES = head_struct(JSON).size

HEAD_BYTES = {
    int(FrameType.WINDOW): WINDOW_BYTES,
    int(FrameType.COMPRESSED): COMPRESSED_HEAD_BYTES,
    int(FrameType.JSON): JSON_HEAD_BYTES,
    int(FrameType.DATA): DATA_HEAD_BYTES,
}
"""Size of the head by the second byte of a client's frame."""

_DATA_HEAD = head_struct(DATA)


def parse_head(raw: bytes) -> Head:
    """Parse the exact bytes of one head, whose version and type are sound.

    Once per window construct reads its own declaration; heads of data frames come
    thousands a window and are read with the format derived from it.
    """
    kind = CLIENT_TYPES[raw[1]]
    if kind is FrameType.WINDOW:
        window = WINDOW.parse(raw)
        return Head(VERSIONS[window.version], kind, window.count, 0)
    if kind is FrameType.COMPRESSED:
        compressed = COMPRESSED.parse(raw)
        return Head(VERSIONS[compressed.version], kind, 0, compressed.size)
    # `J` and `D` differ in what their last number counts, not in their layout.
    version, _, sequence, size = _DATA_HEAD.unpack(raw)
    return Head(VERSIONS[version], kind, sequence, size)


def parse_ack(raw: bytes) -> tuple[int, int]:
    """Parse the 6 bytes of an `A` frame into its version and sequence.

    Raises:
        construct.ConstructError: They are no `A` frame.
    """
    ack = ACK.parse(raw)
    return VERSIONS[ack.version], ack.sequence
