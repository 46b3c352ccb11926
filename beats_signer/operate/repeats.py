"""Leave lines out of the log when there are too many of one kind.

Who can connect can also cause a line each time. Of each kind some lines are
written at once and then one a second, which says how many were left out before
it; metrics count all of them.
"""

from collections.abc import Callable

import structlog
from structlog.typing import EventDict, WrappedLogger

__all__ = ["BURST", "Repeats"]

BURST = 100
"""Lines of one kind that may come at once."""

_PER_SECOND = 1.0
_MOST_KINDS = 1000
"""Our own lines are of some hundred kinds; what libraries say has no bound."""


class _Kind:
    __slots__ = ("counted", "left_out", "tokens")

    def __init__(self, now: float) -> None:
        self.tokens, self.counted, self.left_out = float(BURST), now, 0


class Repeats:
    """A processor of structlog. Threads may share it: at worst a line is too much."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Take a *clock* in seconds that never goes back."""
        self._clock = clock
        self._kinds: dict[str, _Kind] = {}

    def __len__(self) -> int:
        """Return how many kinds are remembered."""
        return len(self._kinds)

    def __call__(
        self, _logger: WrappedLogger, method: str, facts: EventDict
    ) -> EventDict:
        """Drop the line, or say how many were dropped before it.

        Who asks for debug lines wants to see all of them.
        """
        if method == "debug":
            return facts
        now = self._clock()
        kind = self._kind(str(facts["event"]), now)
        earned = (now - kind.counted) * _PER_SECOND
        kind.tokens, kind.counted = min(BURST, kind.tokens + earned), now
        if kind.tokens < 1:
            kind.left_out += 1
            raise structlog.DropEvent
        kind.tokens -= 1
        if kind.left_out:
            facts["left_out"], kind.left_out = kind.left_out, 0
        return facts

    def _kind(self, event: str, now: float) -> _Kind:
        if event not in self._kinds and len(self._kinds) >= _MOST_KINDS:
            self._kinds.clear()
        return self._kinds.setdefault(event, _Kind(now))
