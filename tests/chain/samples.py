"""Valid values of each kind, and the vectors, for the tests to bend."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from beats_signer.chain.body import body_hash
from beats_signer.chain.founding import Found
from beats_signer.chain.head import Head, found
from beats_signer.chain.merkle import EMPTY_ROOT
from beats_signer.chain.note import VerifierKey
from beats_signer.chain.seal import Kind, Seal, SealRecord
from beats_signer.chain.window import WindowRecord

VECTORS = Path(__file__).parents[2] / "fixtures" / "vectors"
CHAINS = ("catalogue", "plain", "erasable", "founding_only")

SIGNER = "signer-1.example.com"
ORIGIN = f"{SIGNER}/acme/audit/20261123T090000Z"
TIME = 1_795_424_401_500_000_000
TIME_TEXT = "2026-11-23T09:00:01.500000000Z"


@cache
def private_key(label: str) -> Ed25519PrivateKey:
    """Return the key of a label, the same in every run."""
    return Ed25519PrivateKey.from_private_bytes(sha256(label.encode()).digest())


def public_key(label: str) -> bytes:
    """Return the public half of ``private_key``."""
    return private_key(label).public_key().public_bytes_raw()


IDENTITY = VerifierKey(SIGNER, public_key("identity"))

EVENTS = Seal(
    origin=ORIGIN,
    number=7,
    kind=Kind.EVENTS,
    first=40,
    count=2,
    root=sha256(b"root").digest(),
    body=sha256(b"body").digest(),
    time=TIME,
    previous=sha256(b"previous").digest(),
    log=sha256(b"log").digest(),
    next=public_key("next"),
)

WINDOW = WindowRecord(
    sender="web-1.example.com",
    certificate="ab" * 32,
    peer="192.0.2.7:50012",
    connection="c1",
    window=1,
    version=2,
    size=2,
    events=2,
    received=TIME,
)


def seal_with(body: str, /, **changes: Any) -> Seal:
    """Return a seal over ``body``: without entries unless its kind has some."""
    kind = changes.get("kind", Kind.EVENTS)
    without = {} if kind is Kind.EVENTS else {"count": 0, "root": EMPTY_ROOT}
    if kind is Kind.FOUND:
        without |= {"number": 0, "first": 0, "log": EMPTY_ROOT, "previous": bytes(32)}
    if kind is Kind.CLOSE:
        without |= {"next": bytes(32)}
    values = {name: getattr(EVENTS, name) for name in Seal.__dataclass_fields__}
    return Seal(**values | without | {"body": body_hash(body)} | changes)


def founding(origin: str = ORIGIN, **settings: Any) -> tuple[Seal, SealRecord, Head]:
    """Return seal 0 of a chain, its record, and the head after it."""
    body = Found(IDENTITY, public_key("0"), 0, **settings)
    seal, record = found(
        origin=origin,
        body=body,
        time=TIME,
        next_public=public_key("1"),
        key=private_key("0"),
        identity=private_key("identity"),
    )
    return seal, record, Head.founded(seal, seal.hash())


@dataclass
class VectorSeal:
    """A seal of a vector as plain JSON values, with its entries."""

    number: int
    note: str
    body: str
    leaves: str
    entries: list[dict[str, Any]] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The signed text."""
        return self.note.rpartition("\n\n")[0] + "\n"

    def line(self, word: str) -> str:
        """Return the value of the line that starts with ``word``."""
        lines = self.text.split("\n")
        return next(x for x in lines if x.startswith(word + " "))[len(word) + 1 :]


def vector_bytes(chain: str) -> bytes:
    """Return the bytes of a vector's file."""
    return (VECTORS / f"{chain}.ndjson").read_bytes()


def vector_seals(chain: str) -> Iterator[VectorSeal]:
    """Yield the seals of a vector, read with the standard library alone."""
    seal: VectorSeal | None = None
    for line in vector_bytes(chain).splitlines():
        value = json.loads(line)
        if "entry" in value:
            assert seal is not None
            seal.entries.append(value["entry"])
            continue
        if seal is not None:
            yield seal
        seal = VectorSeal(**value["seal"])
    if seal is not None:
        yield seal
