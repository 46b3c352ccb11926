"""A clock and a timer that only move when a test moves them."""

import asyncio

from beats_signer.sign.timer import Timer

__all__ = ["START", "ManualClock", "ManualTimer"]

START = 1_795_424_400_000_000_000
"""2026-11-23T09:00:00Z, in nanoseconds since 1970."""
_SHORT_SECONDS = 6.0


class ManualClock:
    """Nanoseconds since 1970; may go back, as clocks do."""

    def __init__(self, now: int = START) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += int(seconds * 10**9)


class ManualTimer(Timer):
    """Short pauses (lingering, backing off) take no time; long ones wait."""

    def __init__(self) -> None:
        self.pauses: list[float] = []
        """The short pauses that were asked for, in seconds."""
        self._now = 0.0
        self._sleepers: set[tuple[float, asyncio.Future[None]]] = set()

    def elapsed(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        if seconds < _SHORT_SECONDS:
            self.pauses.append(seconds)
            await asyncio.sleep(0)
            return
        woken = asyncio.get_running_loop().create_future()
        sleeper = self._now + seconds, woken
        self._sleepers.add(sleeper)
        try:
            await woken
        finally:
            self._sleepers.discard(sleeper)

    def advance(self, seconds: float) -> None:
        """Let time pass; who has slept long enough goes on after this call."""
        self._now += seconds
        for due, woken in self._sleepers:
            if due <= self._now and not woken.done():
                woken.set_result(None)
