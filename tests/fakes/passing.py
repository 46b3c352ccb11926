"""A store that hands everything on: what the other fakes are made from."""

from collections.abc import Sequence

from beats_signer.chain.seal import SealRecord
from beats_signer.errors import Problem
from beats_signer.store.contract import Appended, Sealed, Store, Write

__all__ = ["PassingStore"]


class PassingStore:
    """A ``Store`` around another one, ``store``, which may change at any time."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def encode(self, sealed: Sealed) -> bytes:
        return self.store.encode(sealed)

    async def open(self) -> None:
        await self.store.open()

    async def close(self) -> None:
        await self.store.close()

    async def append(self, write: Write) -> Appended:
        return await self.store.append(write)

    def problems(self) -> Sequence[Problem]:
        return self.store.problems()

    async def publish_checkpoint(self, signer: str, note: str) -> None:
        await self.store.publish_checkpoint(signer, note)

    async def seal(self, chain: bytes, number: int) -> SealRecord | None:
        return await self.store.seal(chain, number)

    async def highest(self, chain: bytes) -> int | None:
        return await self.store.highest(chain)

    async def chains(self, signer: str) -> dict[str, bytes]:
        return await self.store.chains(signer)
