"""How events are gathered into seals, and how many seals may be on their way."""

from dataclasses import dataclass

__all__ = ["Pace"]


@dataclass(frozen=True, slots=True)
class Pace:
    """The bounds of a seal, and of what one chain has under way."""

    max_entries: int = 16_384
    """Entries after which a seal is full. One larger window still is one seal."""
    max_bytes: int = 32 << 20
    """Payload bytes after which a seal is full; as before."""
    linger_seconds: float = 0.001
    """How long a seal waits for more when no other is on its way."""
    in_flight: int = 4
    """Seals on their way to the store."""
    journal_bytes: int = 2 << 30
    """Sealed bytes that may wait for the store: above it the chain seals no more."""
