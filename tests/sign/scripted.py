"""A store that fails for chosen seals, in the order in which each is sent."""

from collections.abc import Iterable, Mapping

from beats_signer.chain.seal import SealRecord
from beats_signer.store.contract import Sealed, Store, Write
from tests.fakes.faulty import Delay, FaultyStore, Outcome

__all__ = ["Script", "ScriptedStore"]

Script = Mapping[str, Iterable[Outcome | Delay]]
"""For a seal, by stream and number: what becomes of each attempt. The stream of
the tests is ``generic``; seals of the catalogue are named like ``catalogue 2``."""


class ScriptedStore:
    """A ``Store`` whose attempts beyond the script are stored."""

    def __init__(self, store: Store, script: Script) -> None:
        self._store = store
        self._stores = {name: FaultyStore(store, script[name]) for name in script}

    def attempts(self, name: str) -> int:
        """Return how often a seal of the script was sent."""
        return len(self._stores[name].attempts)

    def encode(self, sealed: Sealed) -> bytes:
        return self._store.encode(sealed)

    async def open(self) -> None:
        await self._store.open()

    async def close(self) -> None:
        await self._store.close()

    async def append(self, write: Write) -> None:
        parts = write.seal.origin.split("/")
        owner = "catalogue" if len(parts) == 1 else parts[-2]
        name = f"{owner} {write.seal.number}"
        await self._stores.get(name, self._store).append(write)

    async def publish_checkpoint(self, signer: str, note: str) -> None:
        await self._store.publish_checkpoint(signer, note)

    async def seal(self, chain: bytes, number: int) -> SealRecord | None:
        return await self._store.seal(chain, number)

    async def highest(self, chain: bytes) -> int | None:
        return await self._store.highest(chain)

    async def chains(self, signer: str) -> dict[str, bytes]:
        return await self._store.chains(signer)
