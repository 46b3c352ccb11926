"""Who takes a window next, and when the event loop gets its turn again.

Inflating and parsing a window takes some milliseconds. When many senders have
windows ready, keep-alives and answers about our status must not wait for all of
them: a few are taken, the loop looks after everything else, then the next ones
are taken. Senders take turns, whatever the number of their connections; those of
one sender are served in the order in which they asked.
"""

from collections import deque
from collections.abc import Callable

from beats_signer.receive.deadline import Timers

__all__ = ["Turns"]

_SLICE_SECONDS = 0.005
"""How long windows are taken before the loop gets its turn; the window that is
being taken then still is finished. A window of Filebeat takes 2 to 4 ms."""


class Turns:
    """A queue of sessions that have something to take."""

    def __init__(self, timers: Timers, clock: Callable[[], float]) -> None:
        """Take the loop, and a *clock* in seconds that runs within its turns too."""
        self._timers = timers
        self._clock = clock
        self._queues: dict[str, deque[Callable[[], object]]] = {}
        """By the sender; the one whose turn it is stands first."""
        self._is_scheduled = False
        self._end = clock()

    def has_time(self) -> bool:
        """Tell whether somebody who asks now may go ahead at once."""
        self._schedule()
        return not self._queues and self._clock() < self._end

    def ask(self, take: Callable[[], object], party: str = "") -> None:
        """Call *take* once, when it is the turn of *party* and its own."""
        self._queues.setdefault(party, deque()).append(take)
        self._schedule()

    def _schedule(self) -> None:
        if not self._is_scheduled:
            self._is_scheduled = True
            self._end = self._clock() + _SLICE_SECONDS
            self._timers.call_soon(self._run)

    def _run(self) -> None:
        self._is_scheduled = False
        end = self._clock() + _SLICE_SECONDS
        try:
            while self._queues:
                self._next()()
                if self._clock() >= end:
                    break
        finally:
            # An error of one session must not hold up the others.
            if self._queues:
                self._schedule()

    def _next(self) -> Callable[[], object]:
        party = next(iter(self._queues))
        queue = self._queues.pop(party)
        take = queue.popleft()
        if queue:
            self._queues[party] = queue
        return take
