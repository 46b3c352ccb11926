"""A timer that is set, stopped and set again many times a second at little cost."""

import math
from collections.abc import Callable
from typing import Protocol

__all__ = ["Deadline", "Timer", "Timers"]

_NEVER = math.inf
_RESOLUTION_SECONDS = 0.001
"""An event loop may call a timer this much too early."""


class Timer(Protocol):
    """What an event loop hands out for a call that it has yet to make."""

    def cancel(self) -> None:
        """Do not call."""


class Timers(Protocol):
    """The part of an event loop that keeps time; tests bring one of their own."""

    def time(self) -> float:
        """Return seconds of a clock that never goes back."""

    def call_soon(self, callback: Callable[[], object], /) -> Timer:
        """Call once, after what waits already."""

    def call_later(self, delay: float, callback: Callable[[], object], /) -> Timer:
        """Call once, *delay* seconds from now."""


class Deadline:
    """Calls *act* once when its time has passed; that time can be held.

    Setting and cancelling only moves a number: one timer of the loop stays
    behind and looks at that number when it ends.
    """

    def __init__(self, timers: Timers, act: Callable[[], object]) -> None:
        self._timers = timers
        self._act = act
        self._due = _NEVER
        self._left = _NEVER
        """What remains of a time that is held, in seconds."""
        self._timer: Timer | None = None
        self._timer_due = _NEVER

    def start(self, seconds: float) -> None:
        """Wait *seconds* from now on, whatever was left before."""
        self._left = _NEVER
        self._due = self._timers.time() + seconds
        if self._due < self._timer_due:
            self._set_timer()

    def go_on(self, seconds: float) -> None:
        """Wait for what was left when it was held, or *seconds* if nothing was.

        It changes nothing while it waits already.
        """
        if self._due == _NEVER:
            self.start(min(seconds, self._left))

    def hold(self) -> None:
        """Let no time pass until ``go_on``."""
        if self._due != _NEVER:
            self._left = max(0.0, self._due - self._timers.time())
            self._due = _NEVER

    def cancel(self) -> None:
        """Wait no more, and forget what was left."""
        self._due = self._left = _NEVER

    def close(self) -> None:
        """Wait no more, for good: let go of the loop's timer too."""
        self.cancel()
        self._drop_timer()

    def _set_timer(self) -> None:
        self._drop_timer()
        delay = max(0.0, self._due - self._timers.time())
        self._timer = self._timers.call_later(delay, self._look)
        self._timer_due = self._due

    def _drop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._timer_due = None, _NEVER

    def _look(self) -> None:
        self._timer, self._timer_due = None, _NEVER
        if self._due == _NEVER:
            return
        if self._timers.time() < self._due - _RESOLUTION_SECONDS:
            self._set_timer()
            return
        self._due = _NEVER
        self._act()
