"""Spell the trust line: all that a verifier has to be given."""

from dataclasses import dataclass

from beats_signer.chain.encoding import check_bytes, decode_hex, shown
from beats_signer.chain.errors import FormatError
from beats_signer.chain.note import VerifierKey
from beats_signer.chain.origin import check_signer

__all__ = ["TrustLine"]


@dataclass(frozen=True, slots=True)
class TrustLine:
    """Who signs, and the hash of the founding of that signer's catalogue."""

    identity: VerifierKey
    catalogue: bytes

    def __post_init__(self) -> None:
        check_signer(self.identity.name)
        check_bytes(self.catalogue, "catalogue id")

    def __str__(self) -> str:
        return f"{self.identity} {self.catalogue.hex()}"

    @classmethod
    def parse(cls, text: str) -> "TrustLine":
        """Parse the line, with or without the newline that ends it in a file."""
        vkey, space, catalogue = text.removesuffix("\n").partition(" ")
        if not space:
            raise FormatError(
                f"trust line {shown(text)} is not <identity vkey> <catalogue id>"
            )
        return cls(VerifierKey.parse(vkey), decode_hex(catalogue, "catalogue id"))
