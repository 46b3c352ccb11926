"""A second receiver, written from the specification: plain, slow, whole streams.

It shares no code with the package but its limits and its names of reasons, keeps
no state between calls and copies as it likes. Where it and the package disagree,
one of them misreads protocol/README.md.
"""

import zlib
from dataclasses import dataclass, field

from lumberjack import Limits, Reason

__all__ = ["Judgement", "Window", "decode"]

_GREETINGS = {
    b"\x16\x03": Reason.TLS_ON_PLAIN,
    b"GET ": Reason.HTTP,
    b"HEAD ": Reason.HTTP,
    b"POST ": Reason.HTTP,
    b"PUT ": Reason.HTTP,
    b"PATCH ": Reason.HTTP,
    b"DELETE ": Reason.HTTP,
    b"CONNECT ": Reason.HTTP,
    b"OPTIONS ": Reason.HTTP,
    b"TRACE ": Reason.HTTP,
    b"PRI ": Reason.HTTP,
    b"HTTP": Reason.HTTP,
    b"{": Reason.JSON_TEXT,
    b"<": Reason.SYSLOG,
}
_FLOOR_BYTES = 8 * 1024 * 1024


@dataclass
class Window:
    """An announced window and what came of it."""

    version: int
    size: int
    sequence: int = 0
    events: list[tuple[str, bytes]] = field(default_factory=list)


@dataclass
class Judgement:
    """What a receiver must make of a whole stream and the clean close after it."""

    windows: list[Window]
    reason: Reason | None = None
    is_open: bool = False
    left: Window | None = None


class _Violation(Exception):
    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


class _Incomplete(Exception):
    """The stream ends within a frame."""


def decode(stream: bytes, limits: Limits) -> Judgement:
    """Judge a whole stream."""
    receiver = _Receiver(limits)
    rest = stream
    try:
        while rest:
            rest = receiver.take(rest, inside=False)
    except _Violation as violation:
        return Judgement(receiver.done, reason=violation.reason)
    except _Incomplete:
        pass
    window = receiver.window
    if window is None or len(window.events) == window.size:
        return Judgement(receiver.done, is_open=bool(rest))
    left = window if receiver.is_bare and window.events else None
    return Judgement(receiver.done, is_open=True, left=left)


class _Receiver:
    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.done: list[Window] = []
        self.window: Window | None = None
        self.is_bare = True

    def take(self, data: bytes, *, inside: bool) -> bytes:
        """Take the first frame of ``data`` and return what is behind it."""
        if self.window is None and not inside and data[:1] not in (b"1", b"2"):
            _greet(data)
        if data[:1] not in (b"1", b"2"):
            raise _Violation(Reason.BAD_VERSION)
        version = int(data[:1])
        kind = _cut(data, 1, 1)
        if kind == b"W":
            self.announce(version, _number(data, 2), inside=inside)
            return data[6:]
        if kind == b"C":
            return self.unpack(data, _number(data, 2), inside=inside)
        if kind not in (b"J", b"D"):
            raise _Violation(Reason.BAD_TYPE)
        sequence, number = _number(data, 2), _number(data, 6)
        is_bare = kind == b"D" and version == 1 and not inside
        if kind == b"J":
            self.limit(number, 1, self.limits.json_bytes, Reason.JSON_LENGTH)
        else:
            self.limit(number, 1, self.limits.pairs, Reason.PAIRS)
        window = self.place(is_bare)
        held = sum(len(payload) for _, payload in window.events)
        if kind == b"J":
            if held + number > self.limits.window_bytes:
                raise _Violation(Reason.LIMIT)
            form, payload, behind = "J", _cut(data, 10, number), data[10 + number :]
        else:
            form, payload, behind = self.pairs(data, number)
            if held + len(payload) > self.limits.window_bytes:
                raise _Violation(Reason.LIMIT)
        self.is_bare = self.is_bare and is_bare
        window.events.append((form, payload))
        window.sequence = sequence
        self.window = window
        if len(window.events) == window.size:
            self.done.append(window)
        return behind

    def announce(self, version: int, size: int, *, inside: bool) -> None:
        if size > self.limits.window_events:
            raise _Violation(Reason.LIMIT)
        if self.window is not None and len(self.window.events) < self.window.size:
            raise _Violation(Reason.WINDOW_OPEN)
        self.window = Window(version, size)
        if inside or version == 2 or size == 0:
            self.is_bare = False
        if size == 0:
            self.done.append(self.window)

    def place(self, is_bare: bool) -> Window:
        """Return the window that the next event belongs to."""
        if self.window is None:
            raise _Violation(Reason.NO_WINDOW)
        if len(self.window.events) < self.window.size:
            return self.window
        if self.is_bare and is_bare:
            return Window(self.window.version, self.window.size)
        raise _Violation(Reason.SURPLUS)

    def pairs(self, data: bytes, count: int) -> tuple[str, bytes, bytes]:
        items, at = [], 10
        for _ in range(2 * count):
            size = _number(data, at)
            if size > self.limits.item_bytes:
                raise _Violation(Reason.LIMIT)
            if at + 4 + size - 6 > self.limits.pairs_bytes:
                raise _Violation(Reason.LIMIT)
            items.append(_cut(data, at + 4, size))
            at += 4 + size
        if len(items) == 2 and items[0] == b"line":
            return "L", items[1], data[at:]
        return "D", data[6:at], data[at:]

    def unpack(self, data: bytes, size: int, *, inside: bool) -> bytes:
        if size == 0:
            raise _Violation(Reason.INFLATE)
        if size > self.limits.compressed_bytes:
            raise _Violation(Reason.LIMIT)
        if inside:
            raise _Violation(Reason.NESTED)
        content = self.inflate(_cut(data, 6, size))
        before, frames = len(self.done), 0
        try:
            while content:
                content = self.take(content, inside=True)
                frames += 1
                if frames > self.limits.compressed_frames:
                    raise _Violation(Reason.LIMIT)
        except _Violation:
            del self.done[before:]
            raise
        except _Incomplete:
            del self.done[before:]
            raise _Violation(Reason.TRUNCATED) from None
        return data[6 + size :]

    def inflate(self, stream: bytes) -> bytes:
        by_ratio = max(_FLOOR_BYTES, self.limits.inflate_ratio * len(stream))
        bound = min(self.limits.inflated_bytes, by_ratio)
        inflater = zlib.decompressobj()
        try:
            content = inflater.decompress(stream, bound + 1)
        except zlib.error:
            raise _Violation(Reason.INFLATE) from None
        if len(content) > bound:
            raise _Violation(Reason.LIMIT)
        if not inflater.eof or inflater.unused_data:
            raise _Violation(Reason.INFLATE)
        return content

    def limit(self, number: int, least: int, most: int, broken: Reason) -> None:
        if number < least or number >= 2**31:
            raise _Violation(broken)
        if number > most:
            raise _Violation(Reason.LIMIT)


def _greet(data: bytes) -> None:
    for greeting, reason in _GREETINGS.items():
        if data.startswith(greeting):
            raise _Violation(reason)
    if any(greeting.startswith(data) for greeting in _GREETINGS):
        raise _Incomplete


def _cut(data: bytes, at: int, size: int) -> bytes:
    if len(data) < at + size:
        raise _Incomplete
    return data[at : at + size]


def _number(data: bytes, at: int) -> int:
    return int.from_bytes(_cut(data, at, 4), "big")
