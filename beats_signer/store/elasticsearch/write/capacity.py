"""Remember how much the server takes at a time: requests, and bytes of one.

Requests grow by one per round of successes and are halved when the server is
busy. Each chain may always have one on its way, so that a target that does not
answer holds up nobody but its own chain. What is free beyond that goes to who
has waited longest.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

__all__ = ["Capacity"]

_LEAST_BYTES: Final = 64 << 10


class Capacity:
    """What all chains of one store share. The event loop alone uses it."""

    def __init__(self, in_flight: int, part_bytes: int) -> None:
        """Take the most requests in flight and the most bytes of one request."""
        self._most = in_flight
        self._limit = float(in_flight)
        self.part_bytes = part_bytes
        """Any thread may read it."""
        self._running: Counter[bytes] = Counter()
        # Who waits, for which chain, the longest first.
        self._waiting: dict[asyncio.Future[None], bytes] = {}

    @property
    def limit(self) -> int:
        """Return how many requests may be on their way now."""
        return int(self._limit)

    @asynccontextmanager
    async def slot(self, chain: bytes) -> AsyncIterator[None]:
        """Wait until a request of *chain* may be sent, and hold its place."""
        await self._take(chain)
        try:
            yield
        finally:
            self._leave(chain)

    def grow(self) -> None:
        """Note that the server took a request."""
        self._limit = min(self._limit + 1 / self._limit, float(self._most))
        self._admit()

    def shrink(self) -> None:
        """Note that the server is busy, or did not answer in time."""
        self._limit = max(self._limit / 2, 1.0)

    def lower(self, size: int) -> None:
        """Note that a request of this many bytes was too large."""
        self.part_bytes = max(min(self.part_bytes, size // 2), _LEAST_BYTES)

    async def _take(self, chain: bytes) -> None:
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[place] = chain
        self._admit()
        try:
            await place
        except asyncio.CancelledError:
            if self._waiting.pop(place, None) is None:
                self._leave(chain)  # it was given the place and will not use it
            raise

    def _leave(self, chain: bytes) -> None:
        self._running[chain] -= 1
        if not self._running[chain]:
            del self._running[chain]
        self._admit()

    def _admit(self) -> None:
        """Let in who may send now; nothing here waits, so that nobody is forgotten."""
        for place, chain in list(self._waiting.items()):
            if self._may_send(chain):
                del self._waiting[place]
                self._running[chain] += 1
                if not place.done():
                    place.set_result(None)

    def _may_send(self, chain: bytes) -> bool:
        return not self._running[chain] or self._running.total() < int(self._limit)
