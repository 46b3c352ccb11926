"""The sending side, without I/O: builds windows and reads their acks."""

import zlib
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from .builders import (
    build_compressed,
    build_data,
    build_json,
    build_pairs,
    build_window_head,
)
from .errors import AckError
from .frames import ACK_BYTES, LINE_KEY, MAX_NUMBER, VERSIONS, FrameType, parse_ack

__all__ = ["Ack", "Sender", "build_window", "next_sequence"]


@dataclass(frozen=True, slots=True)
class Ack:
    """The receiver's word that one window is safe."""

    version: int
    sequence: int
    events: int
    """How many events the window held."""


def next_sequence(sequence: int, steps: int = 1) -> int:
    """Return the number ``steps`` after ``sequence``; 1 follows 4294967295."""
    return (sequence - 1 + steps) % MAX_NUMBER + 1


def build_window(
    payloads: Sequence[bytes],
    *,
    version: int = 2,
    first_sequence: int = 1,
    compression_level: int = 3,
    forms: str = "J",
) -> bytes:
    """Build one window: `W`, then its events.

    Args:
        payloads: The bytes of each event, of the shape that ``Batch.payloads``
            has for its form. No payload at all builds a `W` of 0 alone.
        version: 1 or 2, the digit of every frame.
        first_sequence: Number of the first event, from 1 to 4294967295.
        compression_level: Of zlib, 1 to 9 for one `C` frame; 0 for bare frames.
        forms: One letter, `J`, `L` or `D`, for all events or one for each.
    """
    letters = forms * len(payloads) if len(forms) == 1 else forms
    frames = b"".join(
        _build_event(version, next_sequence(first_sequence, place), form, payload)
        for place, (form, payload) in enumerate(zip(letters, payloads, strict=True))
    )
    head = build_window_head(version, len(payloads))
    if compression_level and payloads:
        return head + build_compressed(
            version, zlib.compress(frames, compression_level)
        )
    return head + frames


def _build_event(version: int, sequence: int, form: str, payload: bytes) -> bytes:
    match form:
        case "J":
            return build_json(version, sequence, payload)
        case "L":
            return build_data(version, sequence, build_pairs([(LINE_KEY, payload)]))
        case "D":
            return build_data(version, sequence, payload)
        case _:
            raise ValueError(f"form {form!r} is none of J, L, D")


class Sender:
    """Sends windows and matches acks to them, which only their order does.

    It is as strict as the client inside every Beat: an ack must have the version
    of the oldest window in flight and the sequence of its last event.
    """

    def __init__(
        self,
        *,
        version: int = 2,
        compression_level: int = 3,
        first_sequence: int = 1,
        numbers_run_on: bool = False,
    ) -> None:
        """Start to send.

        Args:
            version: 1 or 2.
            compression_level: See ``build_window``.
            first_sequence: Number of the first event.
            numbers_run_on: Number on over windows, as the Logstash output and
                pylogbeat do; else each window starts at ``first_sequence``, as
                Beats do.
        """
        self._version = version
        self._compression_level = compression_level
        self._sequence = first_sequence
        self._numbers_run_on = numbers_run_on
        self._windows: deque[Ack] = deque()
        self._received = bytearray()
        self._keepalives = 0

    @property
    def in_flight(self) -> int:
        """Windows sent and not acknowledged yet."""
        return len(self._windows)

    @property
    def keepalives(self) -> int:
        """Keep-alives received so far."""
        return self._keepalives

    def send(self, payloads: Sequence[bytes], forms: str = "J") -> bytes:
        """Return the bytes of one window, which is in flight from now on."""
        data = build_window(
            payloads,
            version=self._version,
            first_sequence=self._sequence,
            compression_level=self._compression_level,
            forms=forms,
        )
        events = len(payloads)
        last = next_sequence(self._sequence, events - 1) if events else 0
        self._windows.append(Ack(self._version, last, events))
        if self._numbers_run_on:
            self._sequence = next_sequence(self._sequence, events)
        return data

    def receive_data(self, data: bytes | bytearray | memoryview) -> None:
        """Buffer what the receiver sent."""
        self._received += data

    def next_ack(self) -> Ack | None:
        """Return the next ack, or ``None`` when more data is needed.

        Keep-alives are counted and passed over.

        Raises:
            AckError: The bytes are no ack, or not that of the oldest window in
                flight. Close the connection and send every window in flight again.
        """
        while len(self._received) >= ACK_BYTES:
            raw = bytes(self._received[:ACK_BYTES])
            if raw[0] not in VERSIONS or raw[1] != FrameType.ACK:
                raise AckError(f"0x{raw[:2].hex()} begins no ack frame")
            version, sequence = parse_ack(raw)
            expected = self._windows[0] if self._windows else None
            if expected and (version, sequence) == (
                expected.version,
                expected.sequence,
            ):
                del self._received[:ACK_BYTES]
                return self._windows.popleft()
            if (version, sequence) != (2, 0) or self._version != 2:
                raise AckError(_describe(version, sequence, expected))
            del self._received[:ACK_BYTES]
            self._keepalives += 1
        return None


def _describe(version: int, sequence: int, expected: Ack | None) -> str:
    found = f"version {version} ack of {sequence}"
    if expected is None:
        return f"{found} while no window is in flight"
    return (
        f"{found} instead of version {expected.version} ack of {expected.sequence}"
        f" for the oldest window in flight"
    )
