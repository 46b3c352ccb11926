"""Say for how long what was stored may stay unseen.

A store of documents shows what it has confirmed a moment later, and several writes
of a live signer may be on their way. What is younger than that is not missing yet.
"""

from dataclasses import dataclass

__all__ = ["Patience"]


@dataclass(frozen=True, slots=True)
class Patience:
    """How a source is to be read; the default is one that shows all at once."""

    settled: int | None = None
    """The time up to which everything that was stored is there; ``None``: any."""
    newest: int = 0
    """Time of the newest seal that is known: so lately the signer was alive."""

    def is_young(self, time: int) -> bool:
        """Tell whether entries sealed at a time may not be visible yet."""
        return self.settled is not None and time > self.settled

    @property
    def is_growing(self) -> bool:
        """Tell whether a seal may be on its way of which the entries are there."""
        return self.is_young(self.newest)
