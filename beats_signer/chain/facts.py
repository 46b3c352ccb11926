"""Say what was proven of one chain, and count it."""

from dataclasses import dataclass

from beats_signer.chain.linkage import Linkage

__all__ = ["Facts", "Tally"]


@dataclass(frozen=True, slots=True)
class Facts:
    """What was read of a chain and is what was sealed."""

    origin: str
    seals: int
    """How far the seals go."""
    entries: int
    """How far the entries go, by the last seal."""
    intact: int
    """How many of them were there, are what was sealed, and stand in proven seals."""
    first_time: int
    last_time: int
    """Of the founding and of the last accepted seal, nanoseconds since 1970."""
    anchored: int
    """Seals up to the largest trusted head that has this history; 0 without one."""
    last: bytes
    """Hash of the last accepted seal."""


class Tally:
    """Count entries that are what was sealed; those of unproven seals wait."""

    def __init__(self) -> None:
        """Start at none."""
        self.intact = 0
        """Entries of proven seals."""
        self._claimed = 0
        self._abandoned = 0

    def add(self, count: int, linkage: Linkage) -> None:
        """Count entries of the seal that is the tail."""
        self._claimed += count
        self.follow(linkage)

    def follow(self, linkage: Linkage) -> bool:
        """Count what is proven by now; tell whether a claim came to nothing."""
        if self._abandoned != linkage.abandoned:
            self._abandoned = linkage.abandoned
            self._claimed = 0
            return True
        if linkage.is_proven:
            self.intact += self._claimed
            self._claimed = 0
        return False
