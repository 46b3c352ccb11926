"""The catalogue's writer: which chains exist, and how far they have come.

It uses the same sequencer as every chain. What it says about a chain is true
when it is said: ``found`` before anything of the chain is sent to the store,
``head`` only for seals that the store has confirmed.
"""

from collections.abc import Awaitable, Mapping
from contextlib import suppress

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
from beats_signer.sign.founding import Identity
from beats_signer.sign.sealer import Clock, Sealer
from beats_signer.sign.sequencer import Prefix, Sequencer, State
from beats_signer.sign.window import Control, Item, Records
from beats_signer.store.contract import Store

__all__ = ["Catalogue"]


class Catalogue:
    """The signer's own chain."""

    def __init__(
        self,
        sequencer: Sequencer,
        identity: Identity,
        store: Store,
        clock: Clock,
        heartbeat_seconds: int,
    ) -> None:
        self.sequencer = sequencer
        self._identity = identity
        self._store = store
        self._clock = clock
        self._heartbeat_ns = heartbeat_seconds * 10**9
        self._reported: dict[bytes, int] = {}
        self._spoke = 0

    async def run(self, opening: Awaitable[Sealer]) -> None:
        """Write the catalogue until ``close``.

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

    async def start(self, reported: Mapping[bytes, int]) -> None:
        """Record that the process runs; *reported* is what the journal knows."""
        self._reported = dict(reported)
        await self._say(Records((StartRecord(self._clock()).to_payload(),)))

    async def found(self, chain: bytes, origin: str, note: str) -> None:
        """Record a founding; return when the store has it. Then use the chain."""
        payload = FoundRecord(origin, note).to_payload()
        await self._say(Records((payload,), catalogued=(chain,)))

    async def report(self, prefixes: Mapping[tuple[bytes, str], Prefix]) -> None:
        """Record the chains that have grown, or show that the signer lives."""
        grown = {
            (chain, origin): prefix
            for (chain, origin), prefix in sorted(prefixes.items())
            if prefix.size > self._reported.get(chain, 0)
        }
        if grown:
            await self._say(_head_records(grown, self._bare()))
            for (chain, _), prefix in grown.items():
                self._reported[chain] = prefix.size
        elif self._clock() - self._spoke >= self._heartbeat_ns:
            await self._say(Control(Kind.HEARTBEAT, "{}"))

    async def stop(self, prefixes: Mapping[tuple[bytes, str], Prefix]) -> None:
        """Record the last heads and that the process ends by itself."""
        await self.report(prefixes)
        await self._say(Records((StopRecord(self._clock()).to_payload(),)))
        self.sequencer.close()

    def _bare(self) -> BareMarks:
        """Return what is marked; nothing is covered by a head before its mark."""
        sealer = self.sequencer.sealer
        return sealer.journal.bare() if sealer is not None else {}

    async def _say(self, item: Item) -> None:
        self._spoke = self._clock()
        await self.sequencer.append(item)
        prefix = self.sequencer.prefix
        checkpoint = Checkpoint(self._identity.signer, prefix.size, prefix.root)
        # A lost checkpoint is replaced by the next one; nothing depends on it.
        with suppress(StoreError):
            await self._store.publish_checkpoint(
                self._identity.signer, checkpoint.sign(self._identity.key)
            )


def _head_records(
    grown: Mapping[tuple[bytes, str], Prefix], bare: BareMarks
) -> Records:
    """Return what is to be said: bare documents before the heads that cover them."""
    listed = {chain: bare[chain] for chain, _ in grown if chain in bare}
    heads = [
        HeadRecord(origin, prefix.size, prefix.root).to_payload()
        for (_, origin), prefix in grown.items()
    ]
    bares = [
        payload
        for chain, origin in grown
        for payload in build_bare_records(origin, listed.get(chain, ()))
    ]
    return Records(
        (*bares, *heads),
        reported={chain: prefix.size for (chain, _), prefix in grown.items()},
        listed=listed,
    )
