"""Spell the catalogue's head as a C2SP checkpoint of exactly three lines."""

from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from beats_signer.chain.encoding import (
    check_bytes,
    check_number,
    decode_base64,
    encode_base64,
    parse_number,
)
from beats_signer.chain.errors import FormatError, VerificationError
from beats_signer.chain.merkle import EMPTY_ROOT
from beats_signer.chain.note import Note, VerifierKey, sign_note, verify
from beats_signer.chain.origin import check_signer

__all__ = ["Checkpoint"]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Number of catalogue seals and the log tree hash over them."""

    origin: str
    """The signer, whose catalogue this is."""
    size: int
    root: bytes

    def __post_init__(self) -> None:
        check_signer(self.origin)
        check_number(self.size, "size of a checkpoint")
        check_bytes(self.root, "root of a checkpoint")
        if self.size == 0 and self.root != EMPTY_ROOT:
            raise FormatError(
                "checkpoint of size 0 with another root than that of none"
            )

    def text(self) -> str:
        """Return the three lines that are signed."""
        return f"{self.origin}\n{self.size}\n{encode_base64(self.root)}\n"

    def sign(self, identity: Ed25519PrivateKey) -> str:
        """Return the note that the identity key signs."""
        return sign_note(self.text(), [(self.origin, identity)])

    @classmethod
    def parse(cls, text: str) -> "Checkpoint":
        """Parse the three lines; extension lines are refused."""
        lines = text.split("\n")
        if len(lines) != 4 or lines[-1]:
            raise FormatError("text of a checkpoint is not three lines")
        return cls(
            lines[0],
            parse_number(lines[1], "size of a checkpoint"),
            decode_base64(lines[2], "root of a checkpoint"),
        )

    @classmethod
    def verify(cls, note: str, identity: VerifierKey) -> "Checkpoint":
        """Return the checkpoint of a note that ``identity`` signed.

        Cosignatures of witnesses may stand beside it; they are not judged.

        Raises:
            SignatureError: ``identity`` did not sign it.
            VerificationError: It is another log's.
        """
        parsed = Note.parse(note)
        checkpoint = cls.parse(parsed.text)
        if checkpoint.origin != identity.name:
            raise VerificationError(
                f"checkpoint of {checkpoint.origin} instead of {identity.name}"
            )
        verify(parsed, identity)
        return checkpoint
