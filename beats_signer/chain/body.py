"""Spell the bodies of seals: one JSON object each, hashed as it stands.

Keys are written in the order of the vectors. When reading, order and
whitespace are free, for the hash covers them; an unknown key is refused,
because a new one is a change of the format and needs its new version.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from typing import Final

from msgspec import UNSET, Struct, UnsetType

from beats_signer.chain.encoding import (
    build_json,
    check_number,
    convert,
    parse_object,
)
from beats_signer.chain.errors import FormatError, VerificationError
from beats_signer.chain.founding import (
    Found,
    Predecessor,
    check_heartbeat,
    check_retention,
)
from beats_signer.chain.note import VerifierKey
from beats_signer.chain.origin import check_signer, is_catalogue, signer_of
from beats_signer.chain.seal import Kind, Seal
from beats_signer.chain.window import EventsBody, WindowRecord

__all__ = [
    "BODY_BYTES",
    "EMPTY_BODY",
    "Body",
    "ConfigBody",
    "EmptyBody",
    "EraseBody",
    "EventsBody",
    "Found",
    "Predecessor",
    "WindowRecord",
    "body_hash",
    "check_indexes",
    "parse_body",
]

BODY_BYTES = 8 << 20
"""Largest body of a seal."""

EMPTY_BODY: Final = "{}"
"""Body of ``close`` and ``heartbeat``, and of ``events`` in the catalogue."""


def body_hash(body: str) -> bytes:
    """Return the hash by which a seal names its body."""
    try:
        encoded = body.encode()
    except UnicodeEncodeError as error:
        raise FormatError(f"body is not Unicode at character {error.start}") from error
    if len(encoded) > BODY_BYTES:
        raise FormatError(
            f"body of {len(encoded)} bytes exceeds the limit of {BODY_BYTES}"
        )
    return sha256(encoded).digest()


def check_indexes(indexes: Sequence[int]) -> None:
    """Refuse a list of indexes that is empty or does not ascend."""
    if not indexes:
        raise FormatError("indexes are empty")
    for index in indexes:
        check_number(index, "index")
    for index, following in pairwise(indexes):
        if index >= following:
            raise FormatError(f"index {following} does not ascend after {index}")


class _ConfigJson(Struct, forbid_unknown_fields=True):
    identity: str | UnsetType = UNSET
    heartbeat_seconds: int | UnsetType = UNSET
    retention_days: int | UnsetType | None = UNSET


@dataclass(frozen=True, slots=True)
class ConfigBody:
    """Settings that hold for later entries; what is ``UNSET`` stays as it is."""

    retention_days: int | UnsetType | None = UNSET
    identity: VerifierKey | UnsetType = UNSET
    """Of the catalogue, and only there."""
    heartbeat_seconds: int | UnsetType = UNSET
    """Of the catalogue, and only there."""

    def __post_init__(self) -> None:
        if self.retention_days is not UNSET:
            check_retention(self.retention_days)
            if self.of_catalogue:
                raise FormatError("config of a catalogue with retention_days")
        elif not self.of_catalogue:
            raise FormatError("config without a setting")
        if self.identity is not UNSET:
            check_signer(self.identity.name)
        if self.heartbeat_seconds is not UNSET:
            check_heartbeat(self.heartbeat_seconds)

    @property
    def of_catalogue(self) -> bool:
        """Whether it has a setting that only the catalogue has."""
        return self.identity is not UNSET or self.heartbeat_seconds is not UNSET

    def to_json(self) -> str:
        """Return the body as it is hashed."""
        identity = UNSET if self.identity is UNSET else str(self.identity)
        wire = _ConfigJson(identity, self.heartbeat_seconds, self.retention_days)
        return build_json(wire, "body of config")

    @classmethod
    def parse(cls, text: str) -> "ConfigBody":
        """Parse the body of a configuration seal."""
        noun = "body of config"
        wire = convert(parse_object(text, noun), _ConfigJson, noun)
        identity = wire.identity
        return cls(
            wire.retention_days,
            UNSET if identity is UNSET else VerifierKey.parse(identity),
            wire.heartbeat_seconds,
        )


class _EraseJson(Struct, forbid_unknown_fields=True):
    indexes: list[int]
    reason: str
    author: str


@dataclass(frozen=True, slots=True)
class EraseBody:
    """Entries whose payload and salt go, why, and by whose decision."""

    indexes: tuple[int, ...]
    reason: str
    author: str

    def __post_init__(self) -> None:
        check_indexes(self.indexes)

    def to_json(self) -> str:
        """Return the body as it is hashed."""
        wire = _EraseJson(list(self.indexes), self.reason, self.author)
        return build_json(wire, "body of erase")

    @classmethod
    def parse(cls, text: str) -> "EraseBody":
        """Parse the body of an erasure."""
        noun = "body of erase"
        wire = convert(parse_object(text, noun), _EraseJson, noun)
        return cls(tuple(wire.indexes), wire.reason, wire.author)


@dataclass(frozen=True, slots=True)
class EmptyBody:
    """The body of a seal that has nothing to add to its text."""

    def to_json(self) -> str:
        """Return the body as it is hashed."""
        return EMPTY_BODY

    @classmethod
    def parse(cls, text: str) -> "EmptyBody":
        """Parse an object without keys."""
        if members := parse_object(text, "body"):
            raise FormatError(f"body has {len(members)} keys instead of none")
        return cls()


Body = Found | EventsBody | ConfigBody | EraseBody | EmptyBody


def parse_body(seal: Seal, body: str) -> Body:
    """Parse the body of ``seal`` and hold it against the seal's text.

    Raises:
        FormatError: The body is malformed.
        VerificationError: It is another seal's, or says what this seal's text
            rules out.
    """
    if body_hash(body) != seal.body:
        raise VerificationError(f"body does not have the hash in seal {seal.number}")
    parsed = _schema(seal).parse(body)
    match parsed:
        case Found():
            _check_found(seal, parsed)
        case EventsBody():
            _check_events(seal, parsed)
        case ConfigBody():
            _check_config(seal, parsed)
        case EraseBody() if parsed.indexes[-1] >= seal.first:
            raise VerificationError(
                f"seal {seal.number} erases index {parsed.indexes[-1]}, which does not"
                " come before it"
            )
    return parsed


def _schema(seal: Seal) -> type[Body]:
    match seal.kind:
        case Kind.FOUND:
            return Found
        case Kind.EVENTS:
            return EmptyBody if is_catalogue(seal.origin) else EventsBody
        case Kind.CONFIG:
            return ConfigBody
        case Kind.ERASE:
            return EraseBody
        case Kind.HEARTBEAT | Kind.CLOSE:
            return EmptyBody


def _check_identity(seal: Seal, identity: VerifierKey) -> None:
    if identity.name != signer_of(seal.origin):
        raise VerificationError(
            f"seal {seal.number} of {seal.origin} has an identity named {identity.name}"
        )


def _check_found(seal: Seal, found: Found) -> None:
    _check_identity(seal, found.identity)
    if is_catalogue(seal.origin) != (found.heartbeat_seconds is not None):
        raise VerificationError(
            f"founding of {seal.origin} has the settings of another kind of chain"
        )


def _check_config(seal: Seal, config: ConfigBody) -> None:
    if is_catalogue(seal.origin) != config.of_catalogue:
        raise VerificationError(
            f"seal {seal.number} of {seal.origin} has the settings of another kind of"
            " chain"
        )
    if config.identity is not UNSET:
        _check_identity(seal, config.identity)


def _check_events(seal: Seal, body: EventsBody) -> None:
    events = sum(window.events for window in body.windows)
    if events != seal.count:
        raise VerificationError(
            f"windows of seal {seal.number} hold {events} events instead of"
            f" {seal.count}"
        )
    for window in body.windows:
        if window.same is not None and window.same >= seal.first:
            raise VerificationError(
                f"seal {seal.number} repeats index {window.same}, which does not come"
                " before it"
            )
