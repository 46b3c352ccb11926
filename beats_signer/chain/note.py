"""Sign texts as C2SP signed notes, and check the signatures.

A note is a text, an empty line, and signature lines ``— <name> <base64(key id
‖ signature)>``. Notes are compared by their text: who signed what twice may
have signed it with different bytes.

Source: C2SP signed-note.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from beats_signer.chain.encoding import (
    HASH_BYTES,
    check_bytes,
    decode_base64,
    decode_hex,
    encode_base64,
    shown,
)
from beats_signer.chain.errors import FormatError, SignatureError

__all__ = [
    "NOTE_BYTES",
    "Note",
    "Signature",
    "VerifierKey",
    "check_public_key",
    "sign_note",
    "verify",
]

NOTE_BYTES = 128 << 10
"""Largest note. C2SP asks for 16 signatures of up to 5 kB; Go stops at 1 MB."""

SIGNATURES: Final = 100
"""Most signature lines of a note; Go's notes may have as many."""

_ED25519 = b"\x01"
_KEY_ID_BYTES = 4
_SIGNATURE_BYTES = 64
_DASH = "\N{EM DASH} "
_NAME = re.compile(r"[^\s+]+")
_REFUSED = re.compile(r"[\x00-\x09\x0b-\x1f\ud800-\udfff]")

_SIGN_BIT = (1 << 255) - 1
_PRIME = (1 << 255) - 19
_ORDER_8 = (
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
)
_SMALL_ORDER_Y: Final = frozenset(
    # All spellings of y of the eight points whose order divides 8: y = 1, -1,
    # 0 twice and four points of order 8. The sign bit of x is masked away, and
    # y = 0 and y = 1 have a second spelling at or above the prime.
    [0, 1, _PRIME - 1, _PRIME, _PRIME + 1]
    + [int.from_bytes(bytes.fromhex(point), "little") for point in _ORDER_8]
)


def check_public_key(public: bytes, noun: str = "public key") -> None:
    """Refuse a key of small order: anything verifies under it.

    Neither ``cryptography`` nor OpenSSL checks this.
    """
    check_bytes(public, noun)
    if int.from_bytes(public, "little") & _SIGN_BIT in _SMALL_ORDER_Y:
        raise FormatError(f"{noun} {encode_base64(public)} has small order")


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name) or _REFUSED.search(name):
        raise FormatError(f"key name {shown(name)} is empty or has a space or a plus")


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key under the name that its signature lines carry."""

    name: str
    public: bytes
    key_id: bytes = field(init=False)

    def __post_init__(self) -> None:
        _check_name(self.name)
        check_public_key(self.public)
        named = self.name.encode() + b"\n" + _ED25519 + self.public
        object.__setattr__(self, "key_id", sha256(named).digest()[:_KEY_ID_BYTES])

    def __str__(self) -> str:
        key = encode_base64(_ED25519 + self.public)
        return f"{self.name}+{self.key_id.hex()}+{key}"

    @classmethod
    def parse(cls, text: str) -> "VerifierKey":
        """Parse a vkey: ``name+hexid+base64(0x01 ‖ key)``.

        It is split at its first two plus signs, for base64 has some of its own.
        """
        parts = text.split("+", 2)
        if len(parts) != 3:
            raise FormatError(f"vkey {shown(text)} is not <name>+<key id>+<key>")
        name, key_id, encoded = parts
        typed = decode_base64(encoded, "vkey", 1 + HASH_BYTES)
        if typed[:1] != _ED25519:
            raise FormatError(f"vkey has type {typed[0]} instead of 1 (Ed25519)")
        key = cls(name, typed[1:])
        if decode_hex(key_id, "key id", _KEY_ID_BYTES) != key.key_id:
            raise FormatError(f"vkey has key id {key_id} instead of {key.key_id.hex()}")
        return key

    def verify(self, text: str, signature: "Signature") -> None:
        """Check one signature line against this key.

        Raises:
            SignatureError: Name or key id differ, or it does not sign ``text``.
        """
        if (signature.name, signature.key_id) != (self.name, self.key_id):
            raise SignatureError(
                f"signed by {signature.name}+{signature.key_id.hex()} instead of"
                f" {self.name}+{self.key_id.hex()}"
            )
        try:
            public = Ed25519PublicKey.from_public_bytes(self.public)
            public.verify(signature.value, text.encode())
        except (InvalidSignature, ValueError) as error:
            raise SignatureError(
                f"signature of {self.name}+{self.key_id.hex()} does not fit the text"
            ) from error


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line of a note, by whatever kind of key."""

    name: str
    key_id: bytes
    value: bytes

    def __post_init__(self) -> None:
        _check_name(self.name)
        check_bytes(self.key_id, "key id", _KEY_ID_BYTES)
        if not self.value:
            raise FormatError(f"signature of {shown(self.name)} is empty")

    def __str__(self) -> str:
        return f"{_DASH}{self.name} {encode_base64(self.key_id + self.value)}"

    @classmethod
    def parse(cls, line: str) -> "Signature":
        """Parse one line, without its newline."""
        name, space, encoded = line.removeprefix(_DASH).partition(" ")
        if not line.startswith(_DASH) or not space:
            raise FormatError(f"signature line {shown(line)} is malformed")
        value = decode_base64(encoded, "signature", None)
        return cls(name, value[:_KEY_ID_BYTES], value[_KEY_ID_BYTES:])


@dataclass(frozen=True, slots=True)
class Note:
    """A text and its signature lines, in their order."""

    text: str
    signatures: tuple[Signature, ...]

    def __post_init__(self) -> None:
        if not self.text.endswith("\n"):
            raise FormatError("text of a note does not end in a newline")
        if found := _REFUSED.search(self.text):
            raise FormatError(f"text of a note has the character {found[0]!a}")
        if not 1 <= len(self.signatures) <= SIGNATURES:
            raise FormatError(
                f"note has {len(self.signatures)} signature lines, not 1 to"
                f" {SIGNATURES}"
            )

    def __str__(self) -> str:
        return self.text + "\n" + "".join(f"{line}\n" for line in self.signatures)

    @classmethod
    def parse(cls, note: str) -> "Note":
        """Parse a note of at most ``NOTE_BYTES``."""
        size = len(note.encode("utf-8", "surrogatepass"))
        if size > NOTE_BYTES:
            raise FormatError(f"note of {size} bytes exceeds the limit of {NOTE_BYTES}")
        text, blank, block = note.rpartition("\n\n")
        if not blank or not block.endswith("\n"):
            raise FormatError("note has no signature lines after an empty line")
        lines = block[:-1].split("\n")
        return cls(text + "\n", tuple(Signature.parse(line) for line in lines))


def sign_note(text: str, signers: Sequence[tuple[str, Ed25519PrivateKey]]) -> str:
    """Return the note of ``text`` with one line per signer, in their order."""
    lines = []
    for name, private in signers:
        key = VerifierKey(name, private.public_key().public_bytes_raw())
        lines.append(Signature(name, key.key_id, private.sign(text.encode())))
    return str(Note(text, tuple(lines)))


def verify(note: Note, key: VerifierKey) -> None:
    """Check that ``key`` signed ``note``; other signers' lines are not judged.

    Raises:
        SignatureError: No line is by ``key``, or one that is does not verify.
    """
    own = [
        line
        for line in note.signatures
        if (line.name, line.key_id) == (key.name, key.key_id)
    ]
    if not own:
        raise SignatureError(f"no signature by {key.name}+{key.key_id.hex()}")
    for line in own:
        key.verify(note.text, line)
