"""Chains made from fixed keys, as a signer would hand them to its store."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from beats_signer.chain.body import EMPTY_BODY
from beats_signer.chain.founding import Found
from beats_signer.chain.head import Head, build_seal, found
from beats_signer.chain.merkle import leaf_hashes
from beats_signer.chain.note import VerifierKey
from beats_signer.chain.origin import signer_of
from beats_signer.chain.seal import Kind, Seal, SealRecord, sign_seal
from beats_signer.store.block import build_blocks
from beats_signer.store.contract import Entries, EntryBlock, Sealed, Write

__all__ = ["SIGNER", "Chain", "Content", "content", "expected", "to_write"]

SIGNER = "signer-1.example.com"
_TIME = 1_795_424_400_000_000_000


class Chain:
    """Makes the seals of one chain, one after the other.

    Two chains of the same origin and ``twin`` are the same byte for byte.
    """

    def __init__(self, stream: str = "syslog", twin: str = "", erasable: bool = False):
        self.origin = f"{SIGNER}/acme/{stream}/20261123T090000Z"
        self._twin = twin
        self._salt_bytes = 16 if erasable else 0
        identity = _key(f"identity {signer_of(self.origin)}")
        key = self._key(0)
        public = key.public_key().public_bytes_raw()
        vkey = VerifierKey(SIGNER, identity.public_key().public_bytes_raw())
        seal, record = found(
            origin=self.origin,
            body=Found(vkey, public, self._salt_bytes, None, None, None),
            time=_TIME,
            next_public=self._key(1).public_key().public_bytes_raw(),
            key=key,
            identity=identity,
        )
        self.id = seal.hash()
        self._head = Head.founded(seal, self.id)
        self.founding = Sealed(self.id, seal, record, Entries(b"", (), None), ())

    def events(self, payloads: Sequence[bytes], forms: bytes | None = None) -> Sealed:
        """Seal some entries; by default all of form ``J``."""
        salts = None
        if self._salt_bytes:
            start = self._head.entries
            salts = tuple(
                sha256(b"salt %d" % (start + n)).digest()[: self._salt_bytes]
                for n in range(len(payloads))
            )
        forms = b"J" * len(payloads) if forms is None else forms
        return self._extend(Kind.EVENTS, Entries(forms, tuple(payloads), salts))

    def config(self) -> Sealed:
        """Seal no entry at all."""
        return self._extend(Kind.CONFIG, Entries(b"", (), None))

    def _extend(self, kind: Kind, entries: Entries) -> Sealed:
        leaves = leaf_hashes(entries.forms, entries.payloads, entries.salts)
        number = self._head.seals
        seal = build_seal(
            self._head,
            origin=self.origin,
            kind=kind,
            leaves=leaves,
            body=EMPTY_BODY,
            time=_TIME + number,
            next_public=self._key(number + 1).public_key().public_bytes_raw(),
        )
        self._head = self._head.after(seal, seal.hash())
        note = sign_seal(seal, self._key(number))
        record = SealRecord(note, EMPTY_BODY, b"".join(leaves))
        return Sealed(self.id, seal, record, entries, ())

    def _key(self, number: int) -> Ed25519PrivateKey:
        return _key(f"{self.origin} {self._twin} {number}")


def _key(label: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(sha256(label.encode()).digest())


def to_write(sealed: Sealed) -> Write:
    """Make the write that archive, memory and confirming store all take."""
    body = build_blocks(sealed.entries)
    return Write(sealed.chain, sealed.seal, sealed.record, body)


@dataclass(frozen=True, slots=True)
class Content:
    """One seal and its entries, however they were cut into blocks."""

    record: SealRecord
    first: int
    forms: bytes
    payloads: tuple[bytes, ...]
    salts: tuple[bytes, ...]


def expected(*sealed: Sealed) -> list[Content]:
    """Return what a source must hold of these seals."""
    return [_expected(one.seal, one.record, one.entries) for one in sealed]


def _expected(seal: Seal, record: SealRecord, entries: Entries) -> Content:
    return Content(
        record,
        seal.first,
        entries.forms,
        tuple(entries.payloads),
        tuple(entries.salts or ()),
    )


class Reading(Protocol):
    """The part of a source that reads a chain."""

    def read(self, origin: str, first_seal: int = 0) -> Iterator[Any]: ...


def content(source: Reading, origin: str, first_seal: int = 0) -> list[Content]:
    """Read a chain whole, and check on the way that its blocks join up."""
    seals: list[Content] = []
    for item in source.read(origin, first_seal):
        if isinstance(item, EntryBlock):
            seals[-1] = _joined(seals[-1], item)
        else:
            first = Seal.parse(item.note.partition("\n\n")[0] + "\n").first
            seals.append(Content(item, first, b"", (), ()))
    return seals


def _joined(seal: Content, block: EntryBlock) -> Content:
    assert block.damaged is None, block.damaged
    assert block.first == seal.first + len(seal.payloads)
    assert block.count == len(block.entries.payloads) <= 1024
    return Content(
        seal.record,
        seal.first,
        seal.forms + block.entries.forms,
        (*seal.payloads, *block.entries.payloads),
        (*seal.salts, *(block.entries.salts or ())),
    )
