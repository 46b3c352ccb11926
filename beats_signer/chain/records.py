"""Spell the entries of the catalogue: which chains exist, how far they are.

Each is one JSON object in ASCII, form ``R``. What a payload says is judged by
its values; its exact bytes are the leaf's business.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from msgspec import Struct

from beats_signer.chain.body import check_indexes
from beats_signer.chain.encoding import (
    check_bytes,
    check_number,
    convert,
    decode_base64,
    decode_utf8,
    encode_base64,
    parse_object,
    shown,
)
from beats_signer.chain.errors import FormatError
from beats_signer.chain.origin import Origin
from beats_signer.chain.seal import Kind, parse_seal_note
from beats_signer.chain.times import check_time, format_time, parse_time

__all__ = [
    "RECORD_FORM",
    "BareRecord",
    "CatalogueRecord",
    "FoundRecord",
    "HeadRecord",
    "StartRecord",
    "StopRecord",
    "parse_record",
]

RECORD_FORM: Final = b"R"
"""Form of every entry of the catalogue."""


def _payload(kind: str, **members: str | int | Sequence[int]) -> bytes:
    return json.dumps({"kind": kind} | members, separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True)
class FoundRecord:
    """A chain exists: its founding, as the signed note."""

    origin: str
    note: str

    def __post_init__(self) -> None:
        Origin.parse(self.origin)
        seal, _ = parse_seal_note(self.note)
        if seal.kind is not Kind.FOUND or seal.origin != self.origin:
            raise FormatError(
                f"found record of {self.origin} has the note of seal {seal.number} of"
                f" {seal.origin}"
            )

    def to_payload(self) -> bytes:
        """Return the payload of the entry."""
        return _payload("found", origin=self.origin, note=self.note)


@dataclass(frozen=True, slots=True)
class HeadRecord:
    """The stored prefix of a chain: number of seals and log tree hash."""

    origin: str
    size: int
    root: bytes

    def __post_init__(self) -> None:
        Origin.parse(self.origin)
        check_number(self.size, "size of a head")
        if self.size == 0:
            raise FormatError("size of a head is 0")
        check_bytes(self.root, "root of a head")

    def to_payload(self) -> bytes:
        """Return the payload of the entry."""
        root = encode_base64(self.root)
        return _payload("head", origin=self.origin, size=self.size, root=root)


@dataclass(frozen=True, slots=True)
class BareRecord:
    """Entries of a chain that are stored as bare documents."""

    origin: str
    indexes: tuple[int, ...]

    def __post_init__(self) -> None:
        Origin.parse(self.origin)
        check_indexes(self.indexes)

    def to_payload(self) -> bytes:
        """Return the payload of the entry."""
        return _payload("bare", origin=self.origin, indexes=self.indexes)


@dataclass(frozen=True, slots=True)
class StartRecord:
    """The process starts."""

    time: int

    def __post_init__(self) -> None:
        check_time(self.time)

    def to_payload(self) -> bytes:
        """Return the payload of the entry."""
        return _payload("start", time=format_time(self.time))


@dataclass(frozen=True, slots=True)
class StopRecord:
    """The process stops in good order; silence is expected from here on."""

    time: int

    def __post_init__(self) -> None:
        check_time(self.time)

    def to_payload(self) -> bytes:
        """Return the payload of the entry."""
        return _payload("stop", time=format_time(self.time))


CatalogueRecord = FoundRecord | HeadRecord | BareRecord | StartRecord | StopRecord


class _FoundJson(Struct, forbid_unknown_fields=True, tag_field="kind", tag="found"):
    origin: str
    note: str


class _HeadJson(Struct, forbid_unknown_fields=True, tag_field="kind", tag="head"):
    origin: str
    size: int
    root: str


class _BareJson(Struct, forbid_unknown_fields=True, tag_field="kind", tag="bare"):
    origin: str
    indexes: list[int]


class _StartJson(Struct, forbid_unknown_fields=True, tag_field="kind", tag="start"):
    time: str


class _StopJson(Struct, forbid_unknown_fields=True, tag_field="kind", tag="stop"):
    time: str


_RecordJson = _FoundJson | _HeadJson | _BareJson | _StartJson | _StopJson
_KINDS: Final[dict[str, type[_RecordJson]]] = {
    "found": _FoundJson,
    "head": _HeadJson,
    "bare": _BareJson,
    "start": _StartJson,
    "stop": _StopJson,
}


def parse_record(payload: bytes) -> CatalogueRecord:
    """Parse the payload of an entry of the catalogue."""
    noun = "catalogue record"
    members = parse_object(decode_utf8(payload, noun), noun)
    kind = members.get("kind")
    if not isinstance(kind, str):
        raise FormatError(f"{noun} has no kind")
    if kind not in _KINDS:
        raise FormatError(f"{noun} has kind {shown(kind)}, which does not exist")
    match convert(members, _KINDS[kind], noun):
        case _FoundJson(origin, note):
            return FoundRecord(origin, note)
        case _HeadJson(origin, size, root):
            return HeadRecord(origin, size, decode_base64(root, "root of a head"))
        case _BareJson(origin, indexes):
            return BareRecord(origin, tuple(indexes))
        case _StartJson(time):
            return StartRecord(parse_time(time))
        case _StopJson(time):
            return StopRecord(parse_time(time))
