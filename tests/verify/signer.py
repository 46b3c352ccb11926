"""A signer made of fixed keys that breaks exactly the rule it is told to.

Every seal is built from its lines, so that any of them can be another one while
all else is consistent and signed: what a verifier finds then is the rule itself
and not a signature that happens to fail.
"""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from beats_signer.chain.merkle import leaf_hash, tree_hash
from beats_signer.chain.note import VerifierKey, sign_note
from beats_signer.chain.origin import signer_of
from beats_signer.chain.times import SECOND, format_time
from beats_signer.chain.trust import TrustLine

SIGNER = "signer-1.example.com"
START = 1_795_424_400 * SECOND
"""2026-11-23T09:00:00Z, when everything is founded."""
ORIGIN = f"{SIGNER}/acme/audit/20261123T090000Z"
ZERO = bytes(32)


@cache
def key(label: str) -> Ed25519PrivateKey:
    """Return the private key of a label, the same in every run."""
    return Ed25519PrivateKey.from_private_bytes(sha256(label.encode()).digest())


def public(label: str) -> bytes:
    """Return the public half of ``key``."""
    return key(label).public_key().public_bytes_raw()


def base64_of(value: bytes) -> str:
    """Return the standard spelling."""
    return base64.b64encode(value).decode()


SMALL_ORDER = base64_of(bytes([1]) + bytes(31))
"""A public key under which anything verifies."""


def signed(*labels: tuple[str, str]) -> list[tuple[str, Ed25519PrivateKey]]:
    """Return signers by name and key label."""
    return [(name, key(label)) for name, label in labels]


def identity(label: str = "identity", signer: str = SIGNER) -> VerifierKey:
    """Return the vkey of an identity."""
    return VerifierKey(signer, public(label))


@dataclass
class SignedChain:
    """One chain: its lines, and what its next seal extends."""

    origin: str
    salt_bytes: int = 0
    identity_label: str = "identity"
    settings: dict[str, Any] = field(default_factory=lambda: {"retention_days": None})
    predecessor: dict[str, Any] | None = None
    twin: str = ""
    lines: list[dict[str, Any]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    entries: int = 0
    time: int = START

    @property
    def hashes(self) -> list[bytes]:
        """Hashes of all seals so far."""
        return [sha256(b"\0" + text.encode()).digest() for text in self.texts]

    @property
    def root(self) -> bytes:
        """Log tree hash over all seals so far."""
        return tree_hash(self.hashes)

    def label(self, number: int) -> str:
        """Name the key that signs a seal."""
        return f"{self.origin} {self.twin} {number}"

    def found(self, **changes: Any) -> "SignedChain":
        """Make seal 0; ``changes`` are lines, or members of the body."""
        body = {
            "identity": str(identity(self.identity_label, signer_of(self.origin))),
            "key": base64_of(public(self.label(0))),
            "salt_bytes": self.salt_bytes,
            "predecessor": self.predecessor,
            **self.settings,
        }
        for name in list(changes):
            if name in body:
                body[name] = changes.pop(name)
        changes.setdefault(
            "signers",
            [
                (self.origin, key(self.label(0))),
                (signer_of(self.origin), key(self.identity_label)),
            ],
        )
        return self.seal("found", body=json.dumps(body), **changes)

    def events(
        self,
        payloads: Sequence[bytes],
        *,
        form: str = "J",
        windows: list[dict[str, Any]] | None = None,
        absent: dict[int, str] | None = None,
        **changes: Any,
    ) -> "SignedChain":
        """Seal some events, in one window unless told otherwise."""
        time = changes.get("time", self.time + SECOND)
        if windows is None:
            windows = [window(len(payloads), time)]
        changes.setdefault("body", json.dumps({"windows": windows}))
        return self.seal("events", payloads, form=form, absent=absent or {}, **changes)

    def records(self, *records: dict[str, Any], **changes: Any) -> "SignedChain":
        """Seal some records of a catalogue."""
        payloads = [json.dumps(record).encode() for record in records]
        return self.seal("events", payloads, form="R", **changes)

    def seal(
        self,
        kind: str,
        payloads: Sequence[bytes] = (),
        *,
        form: str = "J",
        absent: dict[int, str] | None = None,
        body: str = "{}",
        **changes: Any,
    ) -> "SignedChain":
        """Add one seal and its entries; ``changes`` replace lines of its text."""
        number, first = len(self.texts), self.entries
        salts = [self._salt(first + at) for at in range(len(payloads))]
        leaves = [
            leaf_hash(form.encode(), payload, salt)
            for payload, salt in zip(payloads, salts, strict=True)
        ]
        hashes = self.hashes
        self.time = changes.pop("time", self.time + (SECOND if number else 0))
        signers = changes.pop("signers", [(self.origin, key(self.label(number)))])
        stored = changes.pop("leaves", b"".join(leaves))
        line = {
            "seal": number,
            "kind": kind,
            "first": first,
            "count": len(leaves),
            "root": base64_of(tree_hash(leaves)),
            "body": base64_of(sha256(body.encode()).digest()),
            "time": format_time(self.time),
            "previous": base64_of(hashes[-1] if hashes else ZERO),
            "log": base64_of(tree_hash(hashes)),
            "next": base64_of(
                ZERO if kind == "close" else public(self.label(number + 1))
            ),
        }
        unknown = set(changes) - {*line, "origin"}
        assert not unknown, unknown
        origin = changes.pop("origin", self.origin)
        line |= changes
        rows = "".join(f"{name} {value}\n" for name, value in line.items())
        text = f"beats-signer/seal/v1\n{origin}\n{rows}"
        note = sign_note(text, signers)
        self.texts.append(text)
        self.notes.append(note)
        self.entries += len(payloads)
        self.lines.append(
            {
                "seal": {
                    "number": line["seal"],
                    "note": note,
                    "body": body,
                    "leaves": base64_of(stored),
                }
            }
        )
        for at, (payload, salt) in enumerate(zip(payloads, salts, strict=True)):
            entry: dict[str, Any] = {"index": first + at, "form": form}
            if why := (absent or {}).get(first + at):
                entry = {"index": first + at, "absent": why}
            else:
                entry["payload"] = payload.decode()
                if salt:
                    entry["salt"] = base64_of(salt)
            self.lines.append({"entry": entry})
        return self

    def _salt(self, index: int) -> bytes:
        return sha256(b"salt %d" % index).digest()[: self.salt_bytes]


def window(events: int, received: int = START, **changes: Any) -> dict[str, Any]:
    """Return what a seal tells of a window."""
    return {
        "sender": "web-1.example.com",
        "certificate": None,
        "peer": "192.0.2.7:50012",
        "connection": "c1",
        "window": 1,
        "version": 2,
        "size": events,
        "events": events,
        "received": format_time(received),
    } | changes


def event(index: int) -> bytes:
    """Return the payload of an event."""
    return json.dumps({"message": f"line {index}"}).encode()


def events(first: int, count: int) -> list[bytes]:
    """Return the payloads of some events that differ."""
    return [event(index) for index in range(first, first + count)]


class World:
    """A signer's catalogue and its chains, and the folder they are exported to."""

    def __init__(self, signer: str = SIGNER, tenant: str = "acme") -> None:
        self.signer = signer
        self.tenant = tenant
        self.catalogue = SignedChain(signer, settings={"heartbeat_seconds": 60})
        self.catalogue.found()
        self.chains: list[SignedChain] = []
        self.checkpoint: str | None = ""
        """``None``: no file; empty: over the whole catalogue."""
        self.checkpoint_label = "identity"

    @property
    def trust(self) -> TrustLine:
        """The trust line of this signer."""
        return TrustLine(identity(signer=self.signer), self.catalogue.hashes[0])

    @property
    def now(self) -> int:
        """A clock a minute after everything."""
        times = [chain.time for chain in (self.catalogue, *self.chains)]
        return max(times) + 60 * SECOND

    def chain(self, stream: str = "audit", **settings: Any) -> SignedChain:
        """Found a chain and list it."""
        origin = f"{self.signer}/{self.tenant}/{stream}/20261123T090000Z"
        chain = SignedChain(origin, **settings)
        chain.found()
        self.chains.append(chain)
        self.list(chain)
        return chain

    def list(self, chain: SignedChain, **changes: Any) -> None:
        """Write the founding of a chain into the catalogue."""
        record = {"kind": "found", "origin": chain.origin, "note": chain.notes[0]}
        self.catalogue.records(record | changes)

    def head(self, chain: SignedChain, **changes: Any) -> None:
        """Write how far a chain has come into the catalogue."""
        self.catalogue.records(head(chain) | changes)

    def sign_checkpoint(self, size: int | None = None) -> str:
        """Return the checkpoint over some seals of the catalogue."""
        size = len(self.catalogue.texts) if size is None else size
        root = base64_of(tree_hash(self.catalogue.hashes[:size]))
        text = f"{self.signer}\n{size}\n{root}\n"
        return sign_note(text, [(self.signer, key(self.checkpoint_label))])

    def write(self, folder: Path) -> Path:
        """Export everything as it is now."""
        write_lines(folder / "catalogue.ndjson", self.catalogue.lines)
        for at, chain in enumerate(self.chains):
            write_lines(folder / f"chain-{at}.ndjson", chain.lines)
        if self.checkpoint is not None:
            note = self.checkpoint or self.sign_checkpoint()
            (folder / "catalogue.checkpoint").write_text(note)
        return folder


def head(chain: SignedChain) -> dict[str, Any]:
    """Return the record of how far a chain has come."""
    return {
        "kind": "head",
        "origin": chain.origin,
        "size": len(chain.texts),
        "root": base64_of(chain.root),
    }


def write_lines(path: Path, lines: Sequence[dict[str, Any]]) -> None:
    """Write JSON objects as the lines of a file."""
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
