"""Hold what the next seal extends, and build that seal.

A head grows with the logarithm of the number of seals, so that building seal
n+1 costs the same after a day and after ten years.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from beats_signer.chain.body import Found, body_hash
from beats_signer.chain.encoding import NUMBER_LIMIT, check_bytes, check_number
from beats_signer.chain.errors import FormatError
from beats_signer.chain.merkle import EMPTY_ROOT, CompactRange, tree_hash
from beats_signer.chain.note import sign_note
from beats_signer.chain.origin import signer_of
from beats_signer.chain.seal import ZERO, Kind, Seal, SealRecord
from beats_signer.chain.times import check_time

__all__ = ["Head", "build_seal", "found"]

_FIXED = struct.Struct(">Q12s32s32s")
"""Entries, time, last, next; the log follows and gives the number of seals."""

_TIME_BYTES = 12
"""Eight hold times up to the year 2554 only."""


@dataclass(frozen=True, slots=True)
class Head:
    """Number of seals and entries, and tree state, of a chain up to here."""

    seals: int
    entries: int
    last: bytes
    """Hash of the last seal."""
    next: bytes
    """Public key that signs the next seal; ``ZERO`` after a ``close``."""
    time: int
    """Of the last seal; the next one is not earlier."""
    log: CompactRange
    """Over the hashes of all seals."""

    def __post_init__(self) -> None:
        check_number(self.entries, "entries of a head", NUMBER_LIMIT + 1)
        check_bytes(self.last, "last of a head")
        check_bytes(self.next, "next of a head")
        check_time(self.time, "time of a head")
        if not self.seals or self.seals != self.log.size:
            raise FormatError(
                f"head of {self.seals} seals has a log of {self.log.size}"
            )

    @property
    def closed(self) -> bool:
        """Whether the chain has ended for good."""
        return self.next == ZERO

    @classmethod
    def founded(cls, seal: Seal, seal_hash: bytes) -> "Head":
        """Return the head after seal 0."""
        if seal.kind is not Kind.FOUND:
            raise RuntimeError(f"a chain starts with seal {seal.number}")
        log = CompactRange().append(seal_hash)
        return cls(1, 0, seal_hash, seal.next, seal.time, log)

    def after(self, seal: Seal, seal_hash: bytes) -> "Head":
        """Return the head after ``seal``, which must extend this one."""
        if (seal.number, seal.first) != (self.seals, self.entries):
            raise RuntimeError(
                f"seal {seal.number} with first {seal.first} extends a head of"
                f" {self.seals} seals and {self.entries} entries"
            )
        return Head(
            self.seals + 1,
            self.entries + seal.count,
            seal_hash,
            seal.next,
            seal.time,
            self.log.append(seal_hash),
        )

    def to_bytes(self) -> bytes:
        """Return the head for the journal or a verifier's memory."""
        time = self.time.to_bytes(_TIME_BYTES, "big")
        fixed = _FIXED.pack(self.entries, time, self.last, self.next)
        return fixed + self.log.to_bytes()

    @classmethod
    def from_bytes(cls, value: bytes) -> "Head":
        """Read what ``to_bytes`` made."""
        if len(value) < _FIXED.size:
            raise FormatError(f"head of {len(value)} bytes is cut off")
        entries, time, last, next_ = _FIXED.unpack_from(value)
        log = CompactRange.from_bytes(value[_FIXED.size :])
        return cls(log.size, entries, last, next_, int.from_bytes(time, "big"), log)


def build_seal(
    head: Head,
    *,
    origin: str,
    kind: Kind,
    leaves: Sequence[bytes],
    body: str,
    time: int,
    next_public: bytes,
) -> Seal:
    """Return the seal that extends ``head`` by the entries of ``leaves``.

    A clock that went back repeats the previous seal's time.

    Raises:
        FormatError: The seal would break the format.
    """
    if head.closed:
        raise FormatError(f"seal {head.seals} would follow a close")
    return Seal(
        origin=origin,
        number=head.seals,
        kind=kind,
        first=head.entries,
        count=len(leaves),
        root=tree_hash(leaves),
        body=body_hash(body),
        time=max(time, head.time),
        previous=head.last,
        log=head.log.root(),
        next=next_public,
    )


def found(
    *,
    origin: str,
    body: Found,
    time: int,
    next_public: bytes,
    key: Ed25519PrivateKey,
    identity: Ed25519PrivateKey,
) -> tuple[Seal, SealRecord]:
    """Return seal 0, signed by its own key and by the identity key.

    ``body`` names the public halves of both.
    """
    if body.key != key.public_key().public_bytes_raw():
        raise RuntimeError("the body of a founding names another key")
    if body.identity.public != identity.public_key().public_bytes_raw():
        raise RuntimeError("the body of a founding names another identity")
    text = body.to_json()
    seal = Seal(
        origin=origin,
        number=0,
        kind=Kind.FOUND,
        first=0,
        count=0,
        root=EMPTY_ROOT,
        body=body_hash(text),
        time=time,
        previous=ZERO,
        log=EMPTY_ROOT,
        next=next_public,
    )
    signers = [(origin, key), (signer_of(origin), identity)]
    return seal, SealRecord(sign_note(seal.text(), signers), text, b"")
