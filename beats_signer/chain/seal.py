"""Spell a seal: twelve lines that commit to a run of entries and to all before.

The hash of a seal is its link in the chain and its leaf in the log tree.
``Seal`` holds only what the format allows: building and parsing obey the same
rules. What it takes two seals to judge (links, numbers that follow each other,
times that do not go back) is the verifier's.

Source: 'Seal text' and 'Seal note' in section 3 of the design.
"""

from dataclasses import dataclass
from enum import Enum
from hashlib import sha256
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from beats_signer.chain.encoding import (
    HASH_BYTES,
    NUMBER_LIMIT,
    check_bytes,
    check_number,
    decode_base64,
    encode_base64,
    parse_number,
    shown,
)
from beats_signer.chain.errors import FormatError, SignatureError
from beats_signer.chain.merkle import EMPTY_ROOT
from beats_signer.chain.note import Note, VerifierKey, check_public_key, sign_note
from beats_signer.chain.origin import check_origin, is_catalogue, signer_of
from beats_signer.chain.times import check_time, format_time, parse_time

__all__ = [
    "COUNT_LIMIT",
    "SEAL_TEXT_BYTES",
    "ZERO",
    "Kind",
    "Seal",
    "SealRecord",
    "parse_seal_note",
    "seal_hash",
    "sign_seal",
    "verify_founding_note",
    "verify_seal_note",
]

COUNT_LIMIT = 65_536
"""Most entries of one seal."""

SEAL_TEXT_BYTES = 4 << 10
"""Largest text of a seal."""

ZERO: Final = bytes(HASH_BYTES)
"""What stands where there is no previous seal and where there is no next key."""

_HEADER = "beats-signer/seal/v1"
_WORDS = (
    "seal",
    "kind",
    "first",
    "count",
    "root",
    "body",
    "time",
    "previous",
    "log",
    "next",
)
_LINES = 2 + len(_WORDS)


class Kind(Enum):
    """What a seal is for; the value is its spelling."""

    FOUND = "found"
    EVENTS = "events"
    HEARTBEAT = "heartbeat"
    CONFIG = "config"
    ERASE = "erase"
    CLOSE = "close"


_KINDS = {kind.value: kind for kind in Kind}


@dataclass(frozen=True, slots=True)
class Seal:
    """The signed record of a run of entries."""

    origin: str
    number: int
    kind: Kind
    first: int
    """Index of the first entry, or of the next one when ``count`` is 0."""
    count: int
    root: bytes
    body: bytes
    """Hash of the body."""
    time: int
    """Nanoseconds since 1970."""
    previous: bytes
    log: bytes
    next: bytes
    """Public key that signs the next seal; ``ZERO`` in ``close``."""

    def __post_init__(self) -> None:
        check_origin(self.origin)
        check_number(self.number, "seal")
        check_number(self.first, "first")
        check_number(self.count, "count", COUNT_LIMIT + 1)
        if self.first + self.count > NUMBER_LIMIT:
            raise FormatError(
                f"entries {self.first} to {self.first + self.count - 1} exceed 2^48"
            )
        for noun in ("root", "body", "previous", "log", "next"):
            check_bytes(getattr(self, noun), noun)
        check_time(self.time)
        self._check_kind()
        self._check_start()

    def _check_kind(self) -> None:
        if (self.kind is Kind.FOUND) != (self.number == 0):
            raise FormatError(f"seal {self.number} has kind {self.kind.value}")
        if (self.kind is Kind.EVENTS) != (self.count > 0):
            raise FormatError(f"kind {self.kind.value} with count {self.count}")
        if self.kind is Kind.HEARTBEAT and not is_catalogue(self.origin):
            raise FormatError("kind heartbeat outside the catalogue")
        if self.count == 0 and self.root != EMPTY_ROOT:
            raise FormatError("count 0 with a root that is not the empty tree's")
        if self.kind is Kind.CLOSE:
            if self.next != ZERO:
                raise FormatError("kind close names a next key")
        elif self.next == ZERO:
            raise FormatError(f"kind {self.kind.value} names no next key")
        else:
            check_public_key(self.next, "next")

    def _check_start(self) -> None:
        if (self.previous == ZERO) != (self.number == 0):
            raise FormatError(
                f"seal {self.number} has previous {encode_base64(self.previous)}"
            )
        if self.number == 0 and self.first != 0:
            raise FormatError(f"seal 0 has first {self.first}")
        if self.number == 0 and self.log != EMPTY_ROOT:
            raise FormatError("seal 0 has a log that is not the empty tree's root")

    def text(self) -> str:
        """Return the twelve lines that are signed and hashed."""
        text = (
            f"{_HEADER}\n{self.origin}\n"
            f"seal {self.number}\nkind {self.kind.value}\n"
            f"first {self.first}\ncount {self.count}\n"
            f"root {encode_base64(self.root)}\nbody {encode_base64(self.body)}\n"
            f"time {format_time(self.time)}\n"
            f"previous {encode_base64(self.previous)}\n"
            f"log {encode_base64(self.log)}\nnext {encode_base64(self.next)}\n"
        )
        _check_text_size(text)
        return text

    def hash(self) -> bytes:
        """Return the chain link and log leaf."""
        return seal_hash(self.text())

    @classmethod
    def parse(cls, text: str) -> "Seal":
        """Parse the twelve lines.

        Raises:
            FormatError: The text breaks a rule that one seal alone can break.
        """
        _check_text_size(text)
        lines = text.split("\n")
        if len(lines) != _LINES + 1 or lines[-1]:
            raise FormatError(f"seal text is not {_LINES} lines")
        if lines[0] != _HEADER:
            raise FormatError(f"seal text starts with {shown(lines[0])}")
        values = [_value(*pair) for pair in zip(_WORDS, lines[2:-1], strict=True)]
        number, kind, first, count, root, body, time, previous, log, next_ = values
        if kind not in _KINDS:
            raise FormatError(f"kind {shown(kind)} does not exist")
        return cls(
            lines[1],
            parse_number(number, "seal"),
            _KINDS[kind],
            parse_number(first, "first"),
            parse_number(count, "count"),
            decode_base64(root, "root"),
            decode_base64(body, "body"),
            parse_time(time),
            decode_base64(previous, "previous"),
            decode_base64(log, "log"),
            decode_base64(next_, "next"),
        )


def _check_text_size(text: str) -> None:
    # Characters are bytes: whatever is not ASCII breaks another rule.
    if len(text) > SEAL_TEXT_BYTES:
        raise FormatError(
            f"seal text of {len(text)} bytes exceeds the limit of {SEAL_TEXT_BYTES}"
        )


def _value(word: str, line: str) -> str:
    if not line.startswith(word + " "):
        raise FormatError(f"line {shown(line)} does not start with {word!r}")
    return line[len(word) + 1 :]


def seal_hash(text: str) -> bytes:
    """Return the hash of a seal's text."""
    return sha256(b"\x00" + text.encode()).digest()


@dataclass(frozen=True, slots=True)
class SealRecord:
    """What store, journal and export hold of a seal."""

    note: str
    body: str
    leaves: bytes
    """The leaves of its entries, joined."""


def parse_seal_note(note: str) -> tuple[Seal, Note]:
    """Parse a seal's note; names and number of its lines are checked too.

    The signatures are not: ``verify_seal_note`` and ``verify_founding_note``
    need the keys.
    """
    parsed = Note.parse(note)
    seal = Seal.parse(parsed.text)
    names = [line.name for line in parsed.signatures]
    expected = [seal.origin]
    if seal.kind is Kind.FOUND:
        expected.append(signer_of(seal.origin))
    if names != expected:
        raise FormatError(
            f"seal {seal.number} is signed by {shown(', '.join(names))}"
            f" instead of {', '.join(expected)}"
        )
    return seal, parsed


def sign_seal(seal: Seal, key: Ed25519PrivateKey) -> str:
    """Return the note of a seal after the founding."""
    if seal.kind is Kind.FOUND:
        raise RuntimeError("a founding is signed by two keys, in head.found")
    return sign_note(seal.text(), [(seal.origin, key)])


def verify_seal_note(seal: Seal, note: Note, key: bytes) -> None:
    """Check the first line of a seal's note: by ``key``, named by the origin.

    Raises:
        SignatureError: Another key signed it, or another text.
    """
    try:
        VerifierKey(seal.origin, key).verify(note.text, note.signatures[0])
    except SignatureError as error:
        raise SignatureError(f"seal {seal.number}: {error}") from error


def verify_founding_note(
    seal: Seal, note: Note, key: bytes, identity: VerifierKey
) -> None:
    """Check both lines of seal 0: by its own key, then by ``identity``.

    Raises:
        SignatureError: One of them is not what it must be.
    """
    verify_seal_note(seal, note, key)
    try:
        identity.verify(note.text, note.signatures[1])
    except SignatureError as error:
        raise SignatureError(f"seal {seal.number}: {error}") from error
