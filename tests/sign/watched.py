"""A store that remembers everything that ever reached it, and can be waited for."""

import asyncio
from collections import defaultdict
from collections.abc import Callable

from beats_signer.store.contract import Appended, Store, Write
from tests.fakes.passing import PassingStore

__all__ = ["WatchedStore"]


class WatchedStore(PassingStore):
    """A ``Store`` around another one, which may change."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.notes: defaultdict[tuple[bytes, int], set[str]] = defaultdict(set)
        """Every note that was handed over for a seal, stored or not."""
        self.sent: list[tuple[str, int]] = []
        """Origin and number of every append that was asked for."""
        self.order: list[tuple[str, int]] = []
        """Origin and number of every append that was confirmed."""
        self.checkpoints: list[str] = []
        self._changed = asyncio.Event()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Return once *condition* holds after some call here has returned."""
        async with asyncio.timeout(10):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def append(self, write: Write) -> Appended:
        self.notes[write.chain, write.seal.number].add(write.record.note)
        seal = write.seal.origin, write.seal.number
        self.sent.append(seal)
        self._changed.set()
        appended = await super().append(write)
        self.order.append(seal)
        self._changed.set()
        return appended

    async def publish_checkpoint(self, signer: str, note: str) -> None:
        await super().publish_checkpoint(signer, note)
        self.checkpoints.append(note)
        self._changed.set()
