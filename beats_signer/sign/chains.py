"""All chains of a signer but the catalogue: which there are, and who writes them.

A founding passes the steps of ``sign.founding`` here: its ``found`` record is
in the store before the sequencer sends anything of the chain.
"""

from collections.abc import Callable, Collection, Coroutine, Iterator
from functools import partial
from typing import Any

from beats_signer.chain.body import EMPTY_BODY, ConfigBody
from beats_signer.chain.head import Head
from beats_signer.chain.seal import Kind
from beats_signer.sign.catalogue import Catalogue, Prefixes
from beats_signer.sign.equipment import Equipment
from beats_signer.sign.founding import Founded, Founder, Terms
from beats_signer.sign.journal_rows import JournaledChain
from beats_signer.sign.opening import Replacement
from beats_signer.sign.routing import Route, Routing
from beats_signer.sign.sealer import OpenChain, Sealer
from beats_signer.sign.sequencer import Sequencer
from beats_signer.sign.window import Control

__all__ = ["Chains", "Spawn"]

Spawn = Callable[[Coroutine[Any, Any, None]], None]
"""Runs a writer until the signer ends."""


class Chains:
    """One writer for each route, and those of ended chains until they are done."""

    def __init__(
        self,
        equipment: Equipment,
        founder: Founder,
        catalogue: Catalogue,
        routing: Routing,
    ) -> None:
        self._equipment = equipment
        self._founder = founder
        self._catalogue = catalogue
        self._routing = routing
        self._by_route: dict[Route, Sequencer] = {}
        self._ended: list[Sequencer] = []

    def __iter__(self) -> Iterator[Sequencer]:
        """Yield every writer, of ended chains too while they have work left."""
        yield from self._by_route.values()
        yield from (chain for chain in self._ended if not chain.has_ended)

    def routes(self) -> Collection[Route]:
        """Return the routes that have a chain."""
        return self._by_route.keys()

    def prefixes(self) -> Prefixes:
        """Return how far the store has each chain."""
        return {
            (chain.sealer.chain, chain.sealer.origin): chain.unstored.prefix
            for chain in (*self._by_route.values(), *self._ended)
            if chain.sealer is not None and chain.unstored.prefix.size
        }

    def of(self, route: Route, spawn: Spawn) -> Sequencer:
        """Return the writer of a route's chain, founding the chain on demand."""
        chain = self._by_route.get(route)
        if chain is None:
            chain = self._by_route[route] = self._equipment.sequencer(self._name(route))
            spawn(chain.run(partial(self._found, route)))
        return chain

    def resume(self, chain: JournaledChain, opened: OpenChain, spawn: Spawn) -> None:
        """Go on with a chain of an earlier process."""
        assert chain.tenant is not None and chain.stream is not None
        sequencer = self._equipment.sequencer(chain.origin)
        self._by_route[chain.tenant, chain.stream] = sequencer
        self._configure(chain, sequencer)
        spawn(sequencer.run(self._equipment.opening(opened)))

    def finish(self, opened: OpenChain, spawn: Spawn) -> None:
        """Store what a chain had journaled before it was replaced or closed."""
        sequencer = self._equipment.sequencer(opened.origin)
        sequencer.close()
        self._ended.append(sequencer)
        spawn(sequencer.run(self._equipment.opening(opened)))

    async def close(self, origin: str) -> Head:
        """End a chain for good; return its last head once the store has it.

        From the call on the chain takes nothing: the receipts of its windows are
        cancelled. When it returns, the next window founds another chain. A chain
        whose ``close`` is journaled is only waited for.

        Raises:
            ForkError: The chain has stopped.
        """
        open_ones = {chain.origin: route for route, chain in self._by_route.items()}
        if (route := open_ones.get(origin)) is not None:
            chain = self._by_route[route]
            _seal_unheard(chain, Kind.CLOSE, EMPTY_BODY)
            chain.close()
        else:
            chain = next(one for one in self._ended if one.origin == origin)
        await chain.ended()
        await chain.settled()
        if route is not None:
            self._ended.append(self._by_route.pop(route))
        assert chain.sealer is not None, "a chain that has ended was open"
        return chain.sealer.head

    async def replace(
        self, replacement: Replacement, taken: Collection[str], spawn: Spawn
    ) -> None:
        """Found the successor of a damaged chain.

        Raises:
            DurabilityError: As for any founding.
            ForkError: The catalogue has stopped.
        """
        route = replacement.tenant, replacement.stream
        founded = await self._equipment.threads.seal(
            partial(
                self._founder.found,
                *route,
                Terms(replacement.predecessor, self._routing.retention_of(route)),
                replaces=replacement.old,
                taken=taken,
            )
        )
        sequencer = self._equipment.sequencer(founded.opened.origin)
        self._by_route[route] = sequencer
        spawn(sequencer.run(partial(self._catalogued, founded)))
        self._equipment.log.warning(
            "a damaged chain has a successor",
            old=replacement.old.origin,
            new=founded.opened.origin,
        )

    def change(self, routing: Routing) -> None:
        """Go by other rules; chains that they give another retention say so."""
        before, self._routing = self._routing, routing
        for route, sequencer in self._by_route.items():
            retention_days = routing.retention_of(route)
            if retention_days != before.retention_of(route):
                _seal_retention(sequencer, retention_days)

    def _configure(self, chain: JournaledChain, sequencer: Sequencer) -> None:
        """Let a chain say that its retention is another one from here on."""
        assert chain.tenant is not None and chain.stream is not None
        retention_days = self._routing.retention_of((chain.tenant, chain.stream))
        if retention_days != chain.retention_days:
            _seal_retention(sequencer, retention_days)

    async def _found(self, route: Route) -> Sealer:
        terms = Terms(retention_days=self._routing.retention_of(route))
        found = partial(self._founder.found, *route, terms)
        return await self._catalogued(await self._equipment.threads.seal(found))

    async def _catalogued(self, founded: Founded) -> Sealer:
        """Return once the catalogue lists the chain in the store."""
        opened = founded.opened
        await self._catalogue.found(opened.chain, opened.origin, founded.note)
        return await self._equipment.sealer(opened)

    def _name(self, route: Route) -> str:
        return "/".join((self._founder.identity.signer, *route))


def _seal_retention(sequencer: Sequencer, retention_days: int | None) -> None:
    body = ConfigBody(retention_days=retention_days).to_json()
    _seal_unheard(sequencer, Kind.CONFIG, body)


def _seal_unheard(sequencer: Sequencer, kind: Kind, body: str) -> None:
    """Seal what nobody waits for; a chain that stops says so by itself."""
    receipt = sequencer.append(Control(kind, body))
    receipt.add_done_callback(lambda done: done.cancelled() or done.exception())
