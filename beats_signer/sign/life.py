"""Where a chain's writer is in its life, and whoever waits for it to get on."""

import asyncio
from collections.abc import Callable
from enum import Enum

__all__ = ["TRANSITIONS", "Life", "State"]


class State(Enum):
    """Where a chain's writer is in its life."""

    OPENING = "opening"
    RUNNING = "running"
    CLOSED = "closed"
    STOPPED = "stopped"


TRANSITIONS: dict[State, frozenset[State]] = {
    State.OPENING: frozenset({State.RUNNING, State.STOPPED}),
    State.RUNNING: frozenset({State.CLOSED, State.STOPPED}),
    State.CLOSED: frozenset(),
    State.STOPPED: frozenset(),
}


class Life:
    """A state that others can wait for. Event loop only."""

    def __init__(self) -> None:
        self.state = State.OPENING
        self._changed = asyncio.Event()

    def enter(self, state: State) -> None:
        """Go on to *state*."""
        if state not in TRANSITIONS[self.state]:
            raise RuntimeError(f"a {self.state.value} chain cannot be {state.value}")
        self.state = state
        self.wake()

    def wake(self) -> None:
        """Let all who wait look again: something has changed."""
        self._changed.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Return once *condition* holds; it is looked at after each ``wake``."""
        while not condition():
            self._changed.clear()
            await self._changed.wait()
