"""A timer that is set and reset many times a second at little cost."""

import asyncio
from collections.abc import Callable

__all__ = ["Deadline"]


class Deadline:
    """Calls *act* once, unless it is cancelled or started anew before."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, act: Callable[[], None]
    ) -> None:
        self._loop = loop
        self._act = act
        self._timer: asyncio.TimerHandle | None = None

    def start(self, seconds: float) -> None:
        """Begin to wait, from now."""
        self.cancel()
        self._timer = self._loop.call_later(seconds, self._fire)

    def start_unless_running(self, seconds: float) -> None:
        """Begin to wait when it does not wait already."""
        if self._timer is None:
            self.start(seconds)

    def cancel(self) -> None:
        """Wait no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _fire(self) -> None:
        self._timer = None
        self._act()
