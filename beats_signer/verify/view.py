"""Show seals and events as lines that people can read; nothing is verified."""

import struct
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from beats_signer.chain.body import EventsBody, parse_body
from beats_signer.chain.errors import ChainError
from beats_signer.chain.seal import Seal, SealRecord, parse_seal_note
from beats_signer.chain.times import format_time
from beats_signer.store.contract import EntryBlock
from beats_signer.verify.lines import Item
from beats_signer.verify.printable import printable

__all__ = ["Event", "Reader", "describe_seal"]


class _Shown(msgspec.Struct):
    """What is picked from an event; all else is passed over."""

    message: str


_DECODER = msgspec.json.Decoder(_Shown)
_SIZE = struct.Struct(">I")


@dataclass(frozen=True, slots=True)
class Event:
    """One entry as people see it."""

    index: int
    time: str
    """When it was sealed."""
    sender: str
    form: str
    payload: bytes | None
    """``None`` when it is gone or cannot be read."""
    note: str = ""
    """Why there is no payload."""

    def line(self) -> str:
        """Return time, index, sender and message; safe on any terminal."""
        said = self.note if self.payload is None else _message(self.form, self.payload)
        return printable(f"{self.time} {self.index} {self.sender} {said}")


class Reader:
    """Turn what a source yields of one chain into seals and events."""

    def __init__(self) -> None:
        """Start before the first seal."""
        self._seal: Seal | None = None
        self._ends: list[int] = []  # index behind each window's events
        self._senders: list[str] = []  # of each window

    def read(self, items: Iterator[Item]) -> Iterator[tuple[SealRecord, Seal] | Event]:
        """Yield each seal that can be read, then its events."""
        for item in items:
            if isinstance(item, SealRecord):
                if (seal := self._open(item)) is not None:
                    yield item, seal
            elif isinstance(item, EntryBlock):
                yield from self._events(item)

    def _open(self, record: SealRecord) -> Seal | None:
        self._seal, self._ends, self._senders = None, [], []
        try:
            self._seal, _ = parse_seal_note(record.note)
            body = parse_body(self._seal, record.body)
        except ChainError:
            return self._seal
        if isinstance(body, EventsBody):
            end = self._seal.first
            for window in body.windows:
                end += window.events
                self._ends.append(end)
                self._senders.append(window.sender)
        return self._seal

    def _events(self, block: EntryBlock) -> Iterator[Event]:
        time = "-" if self._seal is None else f"{format_time(self._seal.time)[:23]}Z"
        if block.absent is not None or block.damaged is not None:
            why = block.absent or f"damaged: {block.damaged}"
            if block.count > 1:
                why = f"{why}, and {block.count - 1} more"
            first = block.first
            yield Event(first, time, self._sender(first), "-", None, f"[{why}]")
            return
        forms = block.entries.forms.decode("latin-1")
        for at, payload in enumerate(block.entries.payloads):
            index = block.first + at
            yield Event(index, time, self._sender(index), forms[at], payload)

    def _sender(self, index: int) -> str:
        at = bisect_right(self._ends, index)
        return self._senders[at] if at < len(self._senders) else "-"


def describe_seal(record: SealRecord, seal: Seal) -> list[tuple[str, str]]:
    """Return the rows of a table about one seal, safe on any terminal."""
    rows = [("origin", seal.origin)]
    for line in seal.text().splitlines()[2:]:
        name, _, value = line.partition(" ")
        rows.append((name, value))
    rows.append(("hash", seal.hash().hex()))
    rows.append(("body", printable(record.body)))
    return rows


def _message(form: str, payload: bytes) -> str:
    """Return what an event says: its message, or all of it."""
    if form == "D" and (pairs := _pairs(payload)) is not None:
        return " ".join(f"{key}={value}" for key, value in pairs)
    try:
        return _DECODER.decode(payload).message
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return payload.decode("utf-8", "backslashreplace")


def _pairs(payload: bytes) -> list[tuple[str, str]] | None:
    """Return the pairs of a ``D`` frame, or ``None`` when it is none."""
    texts, at = [], _SIZE.size
    while at + _SIZE.size <= len(payload):
        (size,) = _SIZE.unpack_from(payload, at)
        at += _SIZE.size + size
        texts.append(payload[at - size : at].decode("utf-8", "replace"))
    if at != len(payload) or _SIZE.unpack_from(payload) != (len(texts) / 2,):
        return None
    return list(zip(texts[::2], texts[1::2], strict=True))
