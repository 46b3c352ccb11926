"""A wrapper around any store that fails as a test says, and only then."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum, auto

from beats_signer.chain.seal import SealRecord
from beats_signer.errors import ForkError, StoreError
from beats_signer.store.contract import Appended, Store, Write
from tests.fakes.passing import PassingStore

__all__ = ["Delay", "FaultyStore", "Outcome"]


class Outcome(Enum):
    """What becomes of one append."""

    STORED = auto()
    FAILED = auto()
    """A StoreError, and nothing is stored."""
    FAILED_BUT_STORED = auto()
    """A StoreError, and all of it is stored: the answer was lost."""
    FORK = auto()
    """A ForkError, and nothing is stored."""


@dataclass(frozen=True, slots=True)
class Delay:
    """An append that waits until the test sets ``released``."""

    outcome: Outcome = Outcome.STORED
    """What becomes of it then."""
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the append has come; wait for it instead of sleeping."""
    released: asyncio.Event = field(default_factory=asyncio.Event)


class FaultyStore(PassingStore):
    """A ``Store`` whose n-th append has the n-th outcome of the script.

    Appends beyond the script are stored. While ``unreachable`` is true, every
    coroutine but ``close`` raises a StoreError and uses up no outcome.
    """

    def __init__(self, store: Store, script: Iterable[Outcome | Delay] = ()) -> None:
        super().__init__(store)
        self._script = iter(script)
        self.unreachable = False
        self.attempts: list[Write] = []
        """Every write that was handed to ``append``, in the order of the calls."""

    async def open(self) -> None:
        self._reach()
        await super().open()

    async def append(self, write: Write) -> Appended:
        self.attempts.append(write)
        self._reach()
        outcome = next(self._script, Outcome.STORED)
        if isinstance(outcome, Delay):
            outcome.arrived.set()
            await outcome.released.wait()
            outcome = outcome.outcome
        number, origin = write.seal.number, write.seal.origin
        if outcome is Outcome.FORK:
            raise ForkError(f"another seal stands under number {number} of {origin}")
        if outcome is Outcome.FAILED:
            raise StoreError(f"seal {number} of {origin} failed and is not stored")
        appended = await super().append(write)
        if outcome is Outcome.FAILED_BUT_STORED:
            raise StoreError(f"seal {number} of {origin} failed but is stored")
        return appended

    async def publish_checkpoint(self, signer: str, note: str) -> None:
        self._reach()
        await super().publish_checkpoint(signer, note)

    async def seal(self, chain: bytes, number: int) -> SealRecord | None:
        self._reach()
        return await super().seal(chain, number)

    async def highest(self, chain: bytes) -> int | None:
        self._reach()
        return await super().highest(chain)

    async def chains(self, signer: str) -> dict[str, bytes]:
        self._reach()
        return await super().chains(signer)

    def _reach(self) -> None:
        if self.unreachable:
            raise StoreError("the store cannot be reached")
