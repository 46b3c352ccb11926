"""The two threads of a signer, in which everything that may block is done.

One seals for all chains: hashing holds the interpreter anyway, and whatever
only that thread touches needs no lock. The other marks seals as stored, so that
its syncs do not delay the next seal.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

__all__ = ["Threads"]

_T = TypeVar("_T")


class Threads:
    """Two threads; in each of them work is done in the order of the calls."""

    def __init__(self) -> None:
        self._sealing = ThreadPoolExecutor(1, "seal")
        self._marking = ThreadPoolExecutor(1, "mark")

    async def seal(self, work: Callable[..., _T], *arguments: object) -> _T:
        """Do some work in the sealing thread; whoever is cancelled, it is finished."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._sealing, work, *arguments)

    async def mark(self, work: Callable[..., _T], *arguments: object) -> _T:
        """Do some work in the marking thread, as ``seal`` does in the other."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._marking, work, *arguments)

    def submit(self, work: Callable[[], None]) -> None:
        """Do some work in the sealing thread after all that is asked of it now."""
        self._sealing.submit(work)

    def shutdown(self) -> None:
        """Wait for what is being done; afterwards nothing is written any more."""
        self._sealing.shutdown()
        self._marking.shutdown()
