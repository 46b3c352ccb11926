"""The catalogue's writer: which chains exist, and how far they have come.

It uses the same sequencer as every chain. What it says about a chain is true
when it is said: ``found`` before anything of the chain is sent to the store,
``head`` only for seals that the store has confirmed.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from beats_signer.chain.body import EMPTY_BODY, ConfigBody
from beats_signer.chain.checkpoint import Checkpoint
from beats_signer.chain.records import (
    FoundRecord,
    HeadRecord,
    StartRecord,
    StopRecord,
)
from beats_signer.chain.seal import Kind
from beats_signer.errors import ForkError, StoreError
from beats_signer.sign.bare import BareMarks, build_bare_records
from beats_signer.sign.equipment import Equipment
from beats_signer.sign.life import State
from beats_signer.sign.sealer import Sealer
from beats_signer.sign.state import Identity
from beats_signer.sign.unstored import Prefix
from beats_signer.sign.window import Control, Item, Records

__all__ = ["Catalogue", "Intervals", "Prefixes"]

Prefixes = Mapping[tuple[bytes, str], Prefix]
"""How far the store has each chain, by its id and origin."""


@dataclass(frozen=True, slots=True)
class Intervals:
    """How often the catalogue speaks."""

    head_seconds: float = 60.0
    """Between two records of how far the chains have come."""
    heartbeat_seconds: int = 60
    """Silence after which it shows that the signer lives."""


class Catalogue:
    """The signer's own chain."""

    def __init__(
        self,
        equipment: Equipment,
        identity: Identity,
        intervals: Intervals,
    ) -> None:
        self.sequencer = equipment.sequencer(identity.signer, pauses=False)
        self._identity = identity
        self._store = equipment.store
        self._journal = equipment.journal
        self._clock = equipment.clock
        self._timer = equipment.timer
        self._threads = equipment.threads
        self._intervals = intervals
        self._reported: dict[bytes, int] = {}
        self._spoke_seconds = 0.0
        self._publishing = asyncio.Lock()
        self._published = 0

    async def run(self, opening: Callable[[], Awaitable[Sealer]]) -> None:
        """Write the catalogue until ``stop``.

        Raises:
            ForkError: Somebody else writes this catalogue. End the process.
            DurabilityError: As ``Sequencer.run``.
        """
        await self.sequencer.run(opening)
        if self.sequencer.state is State.STOPPED:
            raise ForkError(
                f"the catalogue cannot go on: {self.sequencer.problem}",
                hint="Two processes signed as this signer. Find the other one; then "
                "make a new signer with 'beats-signer init' under a new name.",
            )

    async def start(
        self, reported: Mapping[bytes, int], heartbeat_seconds: int | None
    ) -> None:
        """Record that the process runs, and how often it will speak from here on.

        *reported* and *heartbeat_seconds* are what the journal knows.
        """
        self._reported = dict(reported)
        if (seconds := self._intervals.heartbeat_seconds) != heartbeat_seconds:
            body = ConfigBody(heartbeat_seconds=seconds).to_json()
            await self._say(Control(Kind.CONFIG, body))
        await self._say(Records((StartRecord(self._clock()).to_payload(),)))

    async def found(self, chain: bytes, origin: str, note: str) -> None:
        """Record a founding; return when the store has it. Then use the chain."""
        payload = FoundRecord(origin, note).to_payload()
        await self._say(Records((payload,), catalogued=(chain,)))

    async def rotate(self, identity: Identity) -> None:
        """Let *identity* sign from here on; return when the store has the seal.

        No checkpoint of the old one may cover that seal, so none is made meanwhile.
        """
        async with self._publishing:
            body = ConfigBody(identity=identity.public).to_json()
            await self.sequencer.append(Control(Kind.CONFIG, body))
            self._identity = identity
        await self._publish()

    async def keep_reporting(self, prefixes: Callable[[], Prefixes]) -> None:
        """Record heads, or show signs of life, at the right times, for ever."""
        elapsed, intervals = self._timer.elapsed, self._intervals
        heads_due = elapsed() + intervals.head_seconds
        while True:
            beat_due = self._spoke_seconds + intervals.heartbeat_seconds
            await self._timer.sleep(max(0.0, min(heads_due, beat_due) - elapsed()))
            if elapsed() >= heads_due:
                heads_due = elapsed() + intervals.head_seconds
                await self._report(prefixes())
            if elapsed() >= self._spoke_seconds + intervals.heartbeat_seconds:
                await self._say(Control(Kind.HEARTBEAT, EMPTY_BODY))

    async def stop(self, prefixes: Prefixes) -> None:
        """Record the last heads and that the process ends by itself."""
        await self._report(prefixes)
        await self._say(Records((StopRecord(self._clock()).to_payload(),)))
        self.sequencer.close()
        await self.sequencer.ended()

    async def _report(self, prefixes: Prefixes) -> None:
        grown = {
            (chain, origin): prefix
            for (chain, origin), prefix in sorted(prefixes.items())
            if prefix.size > self._reported.get(chain, 0)
        }
        if grown:
            records = _head_records(grown, await self._bare())
            # Queued is as good as said: it is sealed whoever waits for it.
            self._reported.update(records.reported)
            await self._say(records)

    async def _bare(self) -> BareMarks:
        """Return what is marked; nothing is covered by a head before its mark."""
        return await self._threads.mark(self._journal.bare)

    async def _say(self, item: Item) -> None:
        self._spoke_seconds = self._timer.elapsed()
        await self.sequencer.append(item)
        await self._publish()

    async def _publish(self) -> None:
        """Publish a checkpoint over what is stored, never an older one."""
        async with self._publishing:
            prefix = self.sequencer.unstored.prefix
            if prefix.size <= self._published:
                return
            signer = self._identity.signer
            checkpoint = Checkpoint(signer, prefix.size, prefix.root)
            # A lost checkpoint is replaced by the next; nothing depends on it.
            with suppress(StoreError):
                note = checkpoint.sign(self._identity.key)
                await self._store.publish_checkpoint(signer, note)
                self._published = prefix.size


def _head_records(grown: Prefixes, bare: BareMarks) -> Records:
    """Return what is to be said: bare documents before the heads that cover them."""
    listed = {chain: bare[chain] for chain, _ in grown if chain in bare}
    bares = [
        payload
        for chain, origin in grown
        for payload in build_bare_records(origin, listed.get(chain, ()))
    ]
    heads = [
        HeadRecord(origin, prefix.size, prefix.root).to_payload()
        for (_, origin), prefix in grown.items()
    ]
    return Records(
        (*bares, *heads),
        reported={chain: prefix.size for (chain, _), prefix in grown.items()},
        listed=listed,
    )
