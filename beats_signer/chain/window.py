"""Spell the body of an ``events`` seal: the windows that its entries came in."""

from dataclasses import dataclass

from msgspec import UNSET, Struct, UnsetType

from beats_signer.chain.encoding import (
    build_json,
    check_number,
    convert,
    decode_hex,
    parse_object,
)
from beats_signer.chain.errors import FormatError
from beats_signer.chain.times import check_time, format_time, parse_time

__all__ = ["EventsBody", "WindowRecord"]

_VERSIONS = (1, 2)


class _WindowJson(Struct, forbid_unknown_fields=True, kw_only=True):
    sender: str
    certificate: str | None
    peer: str
    connection: str
    window: int
    version: int
    size: int
    events: int
    same: int | UnsetType = UNSET
    received: str


@dataclass(frozen=True, slots=True)
class WindowRecord:
    """What a seal tells of one window, or of its part for this chain."""

    sender: str
    certificate: str | None
    """SHA-256 of the certificate's DER, in hex."""
    peer: str
    connection: str
    window: int
    """Its number within the connection, from 1."""
    version: int
    size: int
    """Events of the whole window."""
    events: int
    """Events that this seal holds."""
    received: int
    """Nanoseconds since 1970."""
    same: int | None = None
    """Index of the first entry of an earlier window that this one repeats."""

    def __post_init__(self) -> None:
        if self.certificate is not None:
            decode_hex(self.certificate, "certificate")
        check_number(self.window, "window")
        if self.window == 0:
            raise FormatError("window 0: windows are counted from 1")
        if self.version not in _VERSIONS:
            raise FormatError(f"window has version {self.version} instead of 1 or 2")
        check_number(self.size, "size")
        check_number(self.events, "events")
        if self.events > self.size:
            raise FormatError(f"{self.events} events of a window of {self.size}")
        check_time(self.received, "received")
        if self.same is not None:
            check_number(self.same, "same")
            if self.events:
                raise FormatError(f"{self.events} events of a window sealed before")

    def _to_wire(self) -> _WindowJson:
        return _WindowJson(
            sender=self.sender,
            certificate=self.certificate,
            peer=self.peer,
            connection=self.connection,
            window=self.window,
            version=self.version,
            size=self.size,
            events=self.events,
            same=UNSET if self.same is None else self.same,
            received=format_time(self.received),
        )

    @classmethod
    def _from_wire(cls, wire: _WindowJson) -> "WindowRecord":
        return cls(
            wire.sender,
            wire.certificate,
            wire.peer,
            wire.connection,
            wire.window,
            wire.version,
            wire.size,
            wire.events,
            parse_time(wire.received, "received"),
            None if wire.same is UNSET else wire.same,
        )


class _EventsJson(Struct, forbid_unknown_fields=True):
    windows: list[_WindowJson]


@dataclass(frozen=True, slots=True)
class EventsBody:
    """The windows of an ``events`` seal, in the order of their entries."""

    windows: tuple[WindowRecord, ...]

    def to_json(self) -> str:
        """Return the body as it is hashed."""
        windows = [window._to_wire() for window in self.windows]
        return build_json(_EventsJson(windows), "body of events")

    @classmethod
    def parse(cls, text: str) -> "EventsBody":
        """Parse the body of events outside the catalogue."""
        noun = "body of events"
        wire = convert(parse_object(text, noun), _EventsJson, noun)
        return cls(tuple(WindowRecord._from_wire(window) for window in wire.windows))
