"""Reads frames from bytes that arrive in pieces, judging each as early as it can.

A frame is read in two steps: its head as soon as that is there, so that the
connection can refuse the frame before its payload is buffered, then the rest.
Between two attempts at one frame the reader remembers how many bytes that frame
needs at least, and how far its pairs have been scanned, so that no byte is looked
at twice however finely the stream is cut.
"""

import struct

from .bounds import check_head, check_item, check_type, check_version
from .foreign import LONGEST_GREETING, check_greeting, is_undecided
from .frames import (
    COMPRESSED_HEAD_BYTES,
    DATA_HEAD_BYTES,
    HEAD_BYTES,
    JSON_HEAD_BYTES,
    LINE_KEY,
    VERSIONS,
    WINDOW_BYTES,
    FrameType,
    Head,
    parse_head,
)
from .inflate import inflate
from .limits import Limits
from .walk import walk_json, walk_lines

__all__ = ["FrameReader"]

_ITEM_SIZE = struct.Struct(">L")
_BLOCK_AT = 6
"""Where the pairs block of a `D` frame begins: behind type and sequence."""

_LINE_START = (1).to_bytes(4, "big") + len(LINE_KEY).to_bytes(4, "big") + LINE_KEY
"""How a pairs block begins that holds one pair with the key ``line``."""

_WALKS = {
    int(FrameType.JSON): (b"J", walk_json),
    int(FrameType.DATA): (b"L", walk_lines),
}


class FrameReader:
    """The frames of one stream of bytes: a connection, or the content of a `C`."""

    def __init__(self, limits: Limits, data: bytes | bytearray) -> None:
        self._limits = limits
        self._data = data
        self._offset = 0
        self._needed = 1
        self._items = 0
        self._scanned = DATA_HEAD_BYTES

    @property
    def buffered_bytes(self) -> int:
        """Bytes that no complete frame has taken yet."""
        return len(self._data) - self._offset

    @property
    def is_ready(self) -> bool:
        """True when another attempt at the next frame can come further."""
        return len(self._data) - self._offset >= self._needed

    def feed(self, data: bytes | bytearray | memoryview) -> None:
        """Append what arrived; only for a reader that was made of a bytearray."""
        if isinstance(self._data, bytes):
            raise RuntimeError("the content of a compressed frame is complete")
        self._data += data

    def clear(self) -> None:
        """Drop everything that is buffered."""
        self._data = bytearray()
        self._offset = 0

    def read_greeting(self) -> bool:
        """Judge the first bytes of a connection; False while they are too few.

        Raises:
            ProtocolError: They belong to another protocol.
        """
        first = bytes(self._data[self._offset : self._offset + LONGEST_GREETING])
        if not first or first[0] in VERSIONS:
            return True
        check_greeting(first)
        if is_undecided(first):
            self._needed = len(first) + 1
            return False
        return True

    def read_head(self) -> Head | None:
        """Return the head of the next frame, or ``None`` when more data is needed.

        The head stays where it is: call again, or go on with ``skip_window``,
        ``read_payload`` or ``read_content``.

        Raises:
            LimitError: A number in the head is above a limit.
            ProtocolError: These bytes begin no frame.
        """
        data, at = self._data, self._offset
        here = len(data) - at
        if here:
            check_version(data[at])
        if here < 2:
            self._needed = here + 1
            return None
        check_type(data[at + 1])
        head_bytes = HEAD_BYTES[data[at + 1]]
        if here < head_bytes:
            self._needed = head_bytes
            return None
        head = parse_head(bytes(data[at : at + head_bytes]))
        check_head(head, self._limits)
        return head

    def skip_window(self) -> None:
        """Go behind the `W` frame whose head was read."""
        self._finish(WINDOW_BYTES)

    def read_payload(self, head: Head) -> tuple[bytes, bytes] | None:
        """Return form and payload of a data frame, or ``None``: more is needed.

        Raises:
            LimitError: A key, a value or the pairs block is above its limit.
        """
        if head.type is FrameType.JSON:
            begin = JSON_HEAD_BYTES
            frame_bytes = begin + head.size
            form = b"J"
        else:
            if not self._scan_pairs(head.size):
                return None
            begin, frame_bytes = _BLOCK_AT, self._scanned
            form = b"D"
        if len(self._data) - self._offset < frame_bytes:
            self._needed = frame_bytes
            return None
        payload = bytes(self._data[self._offset + begin : self._offset + frame_bytes])
        if form == b"D" and payload.startswith(_LINE_START):
            form, payload = b"L", payload[len(_LINE_START) + _ITEM_SIZE.size :]
        self._finish(frame_bytes)
        return form, payload

    def read_content(self, head: Head) -> bytes | None:
        """Return what a `C` frame inflates to, or ``None``: more data is needed.

        Raises:
            LimitError: The content is above a limit.
            ProtocolError: The frame holds no sound zlib stream.
        """
        begin = COMPRESSED_HEAD_BYTES
        frame_bytes = begin + head.size
        if len(self._data) - self._offset < frame_bytes:
            self._needed = frame_bytes
            return None
        with memoryview(self._data) as view:
            stream = view[self._offset + begin : self._offset + frame_bytes]
            with stream:
                content = inflate(stream, self._limits)
        self._finish(frame_bytes)
        return content

    def walk(self, count: int, budget: int) -> tuple[bytes, list[bytes], int]:
        """Take a run of ordinary data frames, at most ``count``.

        Returns:
            Form and payloads of the run, which may be empty, and its last
            sequence. The payloads hold no more than ``budget`` bytes.
        """
        data, at = self._data, self._offset
        if len(data) - at < 2 or data[at + 1] not in _WALKS:
            return b"", [], 0
        form, walk = _WALKS[data[at + 1]]
        if isinstance(data, bytes):
            payloads, stop, last = walk(data, at, count, budget, self._limits)
        else:
            with memoryview(data) as view:
                slices, stop, last = walk(view, at, count, budget, self._limits)
                payloads = list(map(bytes, slices))
                del slices
        if payloads:
            self._finish(stop - at)
        return form, payloads, last

    def _scan_pairs(self, pairs: int) -> bool:
        """Go on over the pairs from where the last attempt ended."""
        data, at, limits = self._data, self._offset, self._limits
        here = len(data) - at
        while self._items < 2 * pairs:
            behind = self._scanned + _ITEM_SIZE.size
            if behind <= here:
                (size,) = _ITEM_SIZE.unpack_from(data, at + self._scanned)
                behind += size
                check_item(size, behind - _BLOCK_AT, limits)
            if behind > here:
                self._needed = behind
                return False
            self._scanned = behind
            self._items += 1
        return True

    def _finish(self, frame_bytes: int) -> None:
        self._offset += frame_bytes
        self._needed = 1
        self._items = 0
        self._scanned = DATA_HEAD_BYTES
        # Let go of what was taken as soon as it is the larger half: bytes that
        # are dropped cost nothing, and those that move are fewer each time.
        if isinstance(self._data, bytearray) and 2 * self._offset >= len(self._data):
            del self._data[: self._offset]
            self._offset = 0
