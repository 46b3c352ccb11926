"""An event loop's timers that only move when a test moves them."""

import heapq
import itertools
from collections import deque
from collections.abc import Callable
from contextvars import Context

__all__ = ["ManualTimers"]


class _Call:
    def __init__(self, due: float, number: int, act: Callable[[], object]) -> None:
        self.order = due, number
        self.act: Callable[[], object] | None = act

    def __lt__(self, other: "_Call") -> bool:
        return self.order < other.order

    def cancel(self) -> None:
        self.act = None


class ManualTimers:
    """Also enough of a loop for a future to call back through."""

    def __init__(self) -> None:
        self._now = 1000.0
        self._numbers = itertools.count()
        self._soon: deque[_Call] = deque()
        self._later: list[_Call] = []
        self.errors: list[Exception] = []
        """What callbacks raised: a loop would give it to its exception handler."""

    @property
    def pending(self) -> int:
        """Return how many timers would still call something."""
        return sum(call.act is not None for call in self._later)

    def time(self) -> float:
        return self._now

    def call_soon(
        self,
        callback: Callable[..., object],
        /,
        *arguments: object,
        context: Context | None = None,
    ) -> _Call:
        call = _Call(self._now, next(self._numbers), lambda: callback(*arguments))
        self._soon.append(call)
        return call

    def call_later(self, delay: float, callback: Callable[[], object], /) -> _Call:
        call = _Call(self._now + delay, next(self._numbers), callback)
        heapq.heappush(self._later, call)
        return call

    def get_debug(self) -> bool:
        return False

    def run_once(self) -> None:
        """Do what was waiting, and not what that leads to."""
        for _ in range(len(self._soon)):
            self._do(self._soon.popleft())

    def run(self) -> None:
        """Do everything that can be done without time passing."""
        while self._soon:
            self.run_once()

    def advance(self, seconds: float) -> None:
        """Let time pass, and everything happen that is due until then."""
        end = self._now + seconds
        self.run()
        while self._later and self._later[0].order[0] <= end:
            call = heapq.heappop(self._later)
            self._now = max(self._now, call.order[0])
            self._do(call)
            self.run()
        self._now = end

    def _do(self, call: _Call) -> None:
        if call.act is not None:
            try:
                call.act()
            except Exception as error:
                self.errors.append(error)
