"""A store that remembers everything that ever reached it, and can be waited for."""

import asyncio
from collections import defaultdict
from collections.abc import Callable

from beats_signer.chain.seal import SealRecord
from beats_signer.store.contract import Sealed, Store, Write

__all__ = ["WatchedStore"]


class WatchedStore:
    """A ``Store`` around another one."""

    def __init__(self, store: Store) -> None:
        self.store = store
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

    def encode(self, sealed: Sealed) -> bytes:
        return self.store.encode(sealed)

    async def open(self) -> None:
        await self.store.open()

    async def close(self) -> None:
        await self.store.close()

    async def append(self, write: Write) -> None:
        self.notes[write.chain, write.seal.number].add(write.record.note)
        seal = write.seal.origin, write.seal.number
        self.sent.append(seal)
        self._changed.set()
        await self.store.append(write)
        self.order.append(seal)
        self._changed.set()

    async def publish_checkpoint(self, signer: str, note: str) -> None:
        await self.store.publish_checkpoint(signer, note)
        self.checkpoints.append(note)
        self._changed.set()

    async def seal(self, chain: bytes, number: int) -> SealRecord | None:
        return await self.store.seal(chain, number)

    async def highest(self, chain: bytes) -> int | None:
        return await self.store.highest(chain)

    async def chains(self, signer: str) -> dict[str, bytes]:
        return await self.store.chains(signer)
