"""The way from a state directory on disk to chains that take windows.

First everything is compared and nothing is changed; then keys of chains that
never came to be are erased, the catalogue says what it still has to say, and
only then anything of another chain goes to the store.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from beats_signer.errors import StoreError
from beats_signer.sign.catalogue import Catalogue
from beats_signer.sign.chains import Chains, Spawn
from beats_signer.sign.equipment import Equipment
from beats_signer.sign.journal_rows import JournaledChain
from beats_signer.sign.opening import Opening
from beats_signer.sign.sealer import OpenChain

__all__ = ["Start"]

_RETRY_SECONDS = 1.0
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Start:
    """One start of one signer."""

    signer: str
    opening: Opening
    equipment: Equipment
    catalogue: Catalogue
    chains: Chains
    spawn: Spawn

    async def run(self, found: str | None) -> None:
        """Open all chains; *found* names one that is to get a successor.

        Raises:
            StateError: Something contradicts the journal; nothing was signed.
            DurabilityError: A file could not be written.
            ForkError: The catalogue has stopped.
        """
        opening = self.opening
        chains = self.equipment.journal.chains()
        stored = await self._answered(partial(self.equipment.store.chains, self.signer))
        opening.check_known(chains, stored, found)
        replacement = None
        if found is not None:
            replace = partial(opening.replace, found, chains, stored)
            replacement = await self._answered(replace)
        ended = {chain.chain for chain in chains if not chain.active}
        opened = {
            chain.chain: await self._answered(partial(opening.open, chain))
            for chain in chains
            if chain.active and not (replacement and replacement.ends(chain))
        }
        known = {chain.chain for chain in chains} | set(stored.values())
        opening.remove_orphans(known - ended)
        await self._open_catalogue(opened, chains)
        for chain in chains:
            if chain.origin != self.signer:
                self._resume(chain, opened.get(chain.chain))
        if replacement is not None:
            await self.chains.replace(replacement, stored, self.spawn)
            opening.remove_keys(replacement.old.chain)

    async def _open_catalogue(
        self, opened: Mapping[bytes, OpenChain], chains: list[JournaledChain]
    ) -> None:
        """Start the catalogue, and say what has to come before the chains."""
        catalogue = next(chain for chain in chains if chain.origin == self.signer)
        opening = self.equipment.opening(opened[catalogue.chain])
        self.spawn(self.catalogue.run(opening))
        await self.catalogue.sequencer.settled()
        reported = {one.chain: one.reported for one in chains}
        await self.catalogue.start(reported, catalogue.heartbeat_seconds)
        for chain in chains:
            if chain is not catalogue and not chain.catalogued:
                founding = self.equipment.journal.seal(chain.chain, 0)
                assert founding is not None, "a founding stays in the journal"
                note = founding.record.note
                await self.catalogue.found(chain.chain, chain.origin, note)

    def _resume(self, chain: JournaledChain, opened: OpenChain | None) -> None:
        """Go on with a chain, or finish one that has ended."""
        if opened is not None:
            self.chains.resume(chain, opened, self.spawn)
            return
        last = self.equipment.journal.last(chain.chain)
        if last is not None and last.head.seals > chain.reported:
            self.chains.finish(self.opening.open_ended(chain), self.spawn)

    async def _answered(self, ask: Callable[[], Awaitable[_T]]) -> _T:
        """Ask the store until it answers: without it nothing may be signed."""
        while True:
            try:
                return await ask()
            except StoreError as error:
                log = self.equipment.log
                log.warning("the store does not answer", error=str(error))
                await self.equipment.timer.sleep(_RETRY_SECONDS)
