"""Spell the body of seal 0: who founds the chain and what holds for it."""

from dataclasses import dataclass

from msgspec import UNSET, Struct, UnsetType

from beats_signer.chain.encoding import (
    build_json,
    check_bytes,
    check_number,
    convert,
    decode_base64,
    encode_base64,
    parse_object,
)
from beats_signer.chain.errors import FormatError
from beats_signer.chain.note import VerifierKey, check_public_key
from beats_signer.chain.origin import check_origin, check_signer

__all__ = ["Found", "Predecessor", "check_heartbeat", "check_retention"]

_SALT_SIZES = (0, 16)


class _PredecessorJson(Struct, forbid_unknown_fields=True):
    origin: str
    chain: str
    number: int
    hash: str


class _FoundJson(Struct, forbid_unknown_fields=True):
    identity: str
    key: str
    salt_bytes: int
    predecessor: _PredecessorJson | None
    retention_days: int | UnsetType | None = UNSET
    heartbeat_seconds: int | UnsetType = UNSET


def check_retention(days: int | None) -> None:
    """Refuse a retention of less than a day; ``None`` keeps entries for good."""
    if days is not None:
        check_number(days, "retention_days")
    if days == 0:
        raise FormatError("retention_days 0 is less than a day")


def check_heartbeat(seconds: int) -> None:
    """Refuse a heartbeat of less than a second."""
    check_number(seconds, "heartbeat_seconds")
    if seconds == 0:
        raise FormatError("heartbeat_seconds 0 is less than a second")


@dataclass(frozen=True, slots=True)
class Predecessor:
    """The last known seal of the chain that a new one follows."""

    origin: str
    chain: bytes
    number: int
    hash: bytes

    def __post_init__(self) -> None:
        check_origin(self.origin)
        check_bytes(self.chain, "chain of the predecessor")
        check_number(self.number, "number of the predecessor")
        check_bytes(self.hash, "hash of the predecessor")


@dataclass(frozen=True, slots=True)
class Found:
    """The body of a founding; a catalogue's has a heartbeat, no retention."""

    identity: VerifierKey
    key: bytes
    """Public key that signs seal 0."""
    salt_bytes: int
    """0, or 16 for an erasable chain."""
    predecessor: Predecessor | None = None
    retention_days: int | None = None
    heartbeat_seconds: int | None = None
    """Of the catalogue, and only there."""

    def __post_init__(self) -> None:
        check_signer(self.identity.name)
        check_public_key(self.key, "key")
        if self.salt_bytes not in _SALT_SIZES:
            raise FormatError(f"salt_bytes {self.salt_bytes} is neither 0 nor 16")
        check_retention(self.retention_days)
        if self.heartbeat_seconds is not None:
            check_heartbeat(self.heartbeat_seconds)
            if self.retention_days is not None:
                raise FormatError("founding with retention_days and heartbeat_seconds")

    def to_json(self) -> str:
        """Return the body as it is hashed."""
        predecessor = None
        if self.predecessor is not None:
            predecessor = _PredecessorJson(
                self.predecessor.origin,
                encode_base64(self.predecessor.chain),
                self.predecessor.number,
                encode_base64(self.predecessor.hash),
            )
        found = _FoundJson(
            str(self.identity), encode_base64(self.key), self.salt_bytes, predecessor
        )
        if self.heartbeat_seconds is None:
            found.retention_days = self.retention_days
        else:
            found.heartbeat_seconds = self.heartbeat_seconds
        return build_json(found, "body of a founding")

    @classmethod
    def parse(cls, text: str) -> "Found":
        """Parse the body of a founding; exactly one of the two last keys stands."""
        noun = "body of a founding"
        found = convert(parse_object(text, noun), _FoundJson, noun)
        if (found.retention_days is UNSET) == (found.heartbeat_seconds is UNSET):
            raise FormatError(
                f"{noun} needs one of retention_days and heartbeat_seconds"
            )
        predecessor = None
        if found.predecessor is not None:
            predecessor = Predecessor(
                found.predecessor.origin,
                decode_base64(found.predecessor.chain, "chain of the predecessor"),
                found.predecessor.number,
                decode_base64(found.predecessor.hash, "hash of the predecessor"),
            )
        return cls(
            VerifierKey.parse(found.identity),
            decode_base64(found.key, "key"),
            found.salt_bytes,
            predecessor,
            None if found.retention_days is UNSET else found.retention_days,
            None if found.heartbeat_seconds is UNSET else found.heartbeat_seconds,
        )
