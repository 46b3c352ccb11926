"""Count what becomes of requests to a store, for as long as the process runs."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

__all__ = ["StoreTally"]


@dataclass(slots=True)
class StoreTally:
    """The sums of one store. The event loop alone uses it."""

    seconds: Callable[[float], object] = lambda seconds: None
    """Hears how long each request took."""
    requests: Counter[str] = field(default_factory=lambda: Counter(stored=0))
    """By what the answer said as a whole; ``partial``: the items differ."""
    items: Counter[str] = field(default_factory=lambda: Counter(stored=0))
    """By what became of each of them this time; an item may be sent again."""
    in_flight: int = 0
    limit: int = 1
    """Most requests that may be on their way now."""

    def count(self, result: str, seconds: float) -> None:
        """Count one request that has ended."""
        self.requests[result] += 1
        self.seconds(seconds)
