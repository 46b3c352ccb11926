"""Count what senders send and get, for as long as the process runs."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from lumberjack import Reason

__all__ = ["OTHER", "Tallies", "Tally"]

OTHER = "other"
"""Takes the place of the senders beyond the most that are counted by name."""

_MOST_SENDERS = 500
"""Senders counted by name: in a metric each of them is a time series. Without
certificates a sender is an address, and of those there is no end."""


@dataclass(slots=True)
class Tally:
    """The sums of one sender, over all of its connections."""

    windows: int = 0
    events: int = 0
    payload_bytes: int = 0
    acked_events: int = 0


@dataclass(slots=True)
class Tallies:
    """The sums of all senders. The event loop alone uses it."""

    ack_seconds: Callable[[float], object] = lambda seconds: None
    """Hears how long each window waited for its ack."""
    connections: int = 0
    keepalives: int = 0
    protocol_errors: Counter[Reason] = field(
        default_factory=lambda: Counter(dict.fromkeys(Reason, 0))
    )
    by_sender: dict[str, Tally] = field(default_factory=dict)

    def of(self, sender: str) -> Tally:
        """Return the sums of a sender."""
        tally = self.by_sender.get(sender)
        if tally is None:
            if len(self.by_sender) >= _MOST_SENDERS:
                sender = OTHER
            tally = self.by_sender.setdefault(sender, Tally())
        return tally
