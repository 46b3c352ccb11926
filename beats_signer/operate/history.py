"""Remember the last hour: how much was acknowledged, and how long that took."""

from collections import deque
from dataclasses import dataclass

__all__ = ["HOUR", "History", "Point"]

INTERVAL_SECONDS = 30
HOUR = 3600 // INTERVAL_SECONDS
"""Points of one hour."""


@dataclass(frozen=True, slots=True)
class Point:
    """One interval."""

    events_per_second: float
    """Acknowledged."""
    ack_seconds: float | None
    """The longest that a window waited; ``None``: no window was acknowledged."""


class History:
    """The points of the last hour, the oldest first. Event loop only."""

    def __init__(self) -> None:
        self.points: deque[Point] = deque(maxlen=HOUR)
        self._longest: float | None = None
        self._before = 0

    def observe(self, amount: float) -> None:
        """Take how long a window waited, in seconds."""
        self._longest = max(amount, self._longest or 0.0)

    def turn(self, acked_events: int, seconds: float = INTERVAL_SECONDS) -> None:
        """End an interval; *acked_events* is their sum since the process began."""
        rate = (acked_events - self._before) / seconds
        self.points.append(Point(rate, self._longest))
        self._before, self._longest = acked_events, None
