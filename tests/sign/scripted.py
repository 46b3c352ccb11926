"""A store that fails for chosen seals, in the order in which each is sent."""

from collections.abc import Iterable, Mapping

from beats_signer.store.contract import Appended, Store, Write
from tests.fakes.faulty import Delay, FaultyStore, Outcome
from tests.fakes.passing import PassingStore

__all__ = ["Script", "ScriptedStore"]

Script = Mapping[str, Iterable[Outcome | Delay]]
"""For a seal, by stream and number: what becomes of each attempt. The stream of
the tests is ``generic``; seals of the catalogue are named like ``catalogue 2``."""


class ScriptedStore(PassingStore):
    """A ``Store`` whose attempts beyond the script are stored."""

    def __init__(self, store: Store, script: Script) -> None:
        super().__init__(store)
        self._stores = {name: FaultyStore(store, script[name]) for name in script}

    def attempts(self, name: str) -> int:
        """Return how often a seal of the script was sent."""
        return len(self._stores[name].attempts)

    async def append(self, write: Write) -> Appended:
        parts = write.seal.origin.split("/")
        owner = "catalogue" if len(parts) == 1 else parts[-2]
        name = f"{owner} {write.seal.number}"
        return await self._stores.get(name, self.store).append(write)
