"""Elapsed time, which no change of the clock touches.

Pauses and intervals are measured by it. The clock, which may jump, only says
what time it is: it is the other argument of those who need both.
"""

import asyncio

__all__ = ["Timer"]


class Timer:
    """Tell how much time has passed, and let some pass."""

    def elapsed(self) -> float:
        """Return seconds since some moment that stays the same."""
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        """Return after that many seconds."""
        await asyncio.sleep(seconds)
