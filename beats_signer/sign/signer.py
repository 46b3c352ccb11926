"""One running signer: its catalogue, its chains, and what they share.

Order of a start: lock, journal, comparison with the store, catalogue, chains.
Only then may windows come in. Order of a stop: chains, last heads, ``stop``
record, lock. Whatever a stop does not reach is journaled and goes on at the
next start.
"""

import asyncio
import itertools
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from structlog.typing import FilteringBoundLogger

from beats_signer.chain.founding import Predecessor
from beats_signer.chain.origin import Origin
from beats_signer.chain.times import format_time
from beats_signer.errors import StateError, StoreError
from beats_signer.sign.catalogue import Catalogue
from beats_signer.sign.disk import Disk
from beats_signer.sign.dispatch import Dispatch
from beats_signer.sign.founding import Founder, Identity, StateFolder
from beats_signer.sign.holding import Holding
from beats_signer.sign.journal import Journal, JournaledChain
from beats_signer.sign.keyfile import Entropy
from beats_signer.sign.lock import StateLock
from beats_signer.sign.opening import Opening, Replacement
from beats_signer.sign.parting import Router
from beats_signer.sign.routing import Route, Routing
from beats_signer.sign.sealer import Clock, Notice, OpenChain, Sealer
from beats_signer.sign.sequencer import Pace, Prefix, Sequencer
from beats_signer.sign.window import Receipt, Source, Window
from beats_signer.store.contract import Store

__all__ = ["Signer", "SigningSettings", "open_signer"]

_RETRY_SECONDS = 1.0
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class SigningSettings:
    """What an operator may choose about signing."""

    pace: Pace = field(default_factory=Pace)
    read_ahead_windows: int = 4
    head_seconds: float = 60.0
    heartbeat_seconds: int = 60
    routing: Routing = field(default_factory=Routing)
    memory_bytes: int = 256 << 20
    """What all windows together may hold: a stuck chain gets a quarter of it."""


class Signer:
    """Take windows, give receipts. Use it inside ``running``."""

    def __init__(
        self,
        state: StateFolder,
        identity: Identity,
        journal: Journal,
        store: Store,
        settings: SigningSettings,
        log: FilteringBoundLogger,
        *,
        clock: Clock = time.time_ns,
        entropy: Entropy = os.urandom,
        disk: Disk | None = None,
    ) -> None:
        self.name = identity.signer
        self._log = log
        self._journal = journal
        self._store = store
        self._settings = settings
        self._clock = clock
        self._entropy = entropy
        self._disk = disk or Disk()
        self._founder = Founder(
            state, identity, journal, store.encode, clock, entropy, self._disk
        )
        self._opening = Opening(state, self.name, journal, store, self._disk, entropy)
        # One thread seals for all chains: hashing holds the interpreter anyway.
        self._sealing = ThreadPoolExecutor(1, "seal")
        self._marking = ThreadPoolExecutor(1, "mark")
        self._catalogue = Catalogue(
            self._sequencer(self.name),
            identity,
            store,
            clock,
            settings.heartbeat_seconds,
        )
        self._chains: dict[Route, Sequencer] = {}
        self._router = Router(settings.routing)
        self._dispatch = Dispatch(
            self._router, Holding(settings.memory_bytes, clock), self._chain, log
        )
        self._tasks: asyncio.TaskGroup | None = None
        self._writers: list[asyncio.Task[None]] = []

    @asynccontextmanager
    async def running(self, found: str | None = None) -> AsyncIterator["Signer"]:
        """Start, hand itself out, and at the end let go of everything.

        Call ``stop`` inside for an orderly end; without it this ends like a
        crash, which loses nothing either. *found* names a damaged chain that is
        to get a successor.

        Raises:
            StateError: The state directory must not be used.
            DurabilityError, ForkError: From any chain's writer, at any time.
        """
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                await self._start(found)
                reporter = tasks.create_task(self._report_heads())
                yield self
                for task in self._writers:
                    task.cancel()
                reporter.cancel()
        finally:
            self._sealing.shutdown()
            self._marking.shutdown()

    def append(self, window: Window) -> Receipt:
        """Queue a window; the receipt is done when all its events are stored.

        Its parts go to the chains that its events belong to. The receipt fails
        when a chain has stopped, or is stuck and holds its share of memory.
        """
        return self._dispatch.append(window, self._touch)

    def _touch(self, window: Window, chain: Sequencer) -> None:
        """Tell a chain that a connection uses it from now on."""
        chain.notices.append(_opened(window.source, self._clock()))

    def acknowledged(self, connection: str, number: int) -> None:
        """Note that the ack of a window was handed to the network."""
        owner = connection, number
        for chain in self._dispatch.acknowledged(connection, number):
            chain.notices.append(lambda windows: windows.acknowledged(owner))

    def lost(self, connection: str) -> None:
        """Note that a connection has ended: its open windows may come again."""
        for chain in self._dispatch.lost(connection):
            chain.notices.append(lambda windows: windows.lost(connection))

    async def stop(self) -> None:
        """Seal and store what waits, then record the end in the catalogue.

        It takes as long as the store does: bound it. Accept nothing afterwards.
        """
        for chain in self._chains.values():
            chain.close()
        for chain in self._chains.values():
            await chain.ended()
        await self._catalogue.stop(self._prefixes())
        await self._catalogue.sequencer.ended()

    def status(self) -> dict[str, Any]:
        """Return what ``/status`` says about the signing half."""
        chains = [self._describe(chain) for chain in self._chains.values()]
        return {
            "signer": self.name,
            "catalogue": self._describe(self._catalogue.sequencer),
            "chains": chains,
            "astray_events": dict(self._router.astray),
            "journal_bytes": sum(
                chain.waiting_bytes for chain in self._chains.values()
            ),
            "problems": [asdict(problem) for problem in self._store.problems()],
        }

    async def _start(self, found: str | None) -> None:
        """Refuse or open; the order is that of the module's docstring."""
        opening = self._opening
        chains = self._journal.chains()
        await self._answered(lambda: opening.check_known(chains, found))
        opening.remove_orphans(chains)
        replacement = None
        if found is not None:
            replacement = await self._answered(lambda: opening.replace(found, chains))
        catalogue = next(chain for chain in chains if chain.tenant is None)
        opened = {}
        for chain in chains:
            replaced = replacement is not None and chain.chain == replacement.chain
            if chain.active and not replaced:
                open_chain = partial(opening.open, chain)
                opened[chain.chain] = await self._answered(open_chain)
        await self._open_catalogue(opened.pop(catalogue.chain), chains)
        for chain in chains:
            if chain is not catalogue and not chain.catalogued:
                await self._catalogue_founding(chain)
        for chain in chains:
            if chain.chain in opened:
                self._resume(chain, opened[chain.chain])
            elif chain is not catalogue and self._journal.unstored(chain.chain):
                self._finish_replaced(chain)
        if replacement is not None:
            await self._replace(replacement)
        self._router.know(self._chains)

    async def _open_catalogue(
        self, opened: OpenChain, chains: list[JournaledChain]
    ) -> None:
        sequencer = self._catalogue.sequencer
        sealer = self._sealer(opened, sequencer)
        self._spawn(self._catalogue.run(_ready(sealer)))
        await sequencer.settled()
        await self._catalogue.start({one.chain: one.reported for one in chains})

    async def _catalogue_founding(self, chain: JournaledChain) -> None:
        founding = self._journal.seal(chain.chain, 0)
        assert founding is not None, "nothing of an uncatalogued chain is stored"
        await self._catalogue.found(chain.chain, chain.origin, founding.record.note)

    def _resume(self, chain: JournaledChain, opened: OpenChain) -> None:
        assert chain.tenant is not None and chain.stream is not None
        sequencer = self._sequencer(chain.origin)
        self._chains[chain.tenant, chain.stream] = sequencer
        self._spawn(sequencer.run(_ready(self._sealer(opened, sequencer))))

    def _finish_replaced(self, chain: JournaledChain) -> None:
        """Store what a chain had journaled before it was replaced."""
        last = self._journal.last(chain.chain)
        keys = self._opening.lost_keys(chain.chain)
        opened = OpenChain(chain.origin, chain.chain, last.head, keys, chain.salt_bytes)
        sequencer = self._sequencer(chain.origin)
        sequencer.close()
        self._spawn(sequencer.run(_ready(self._sealer(opened, sequencer))))

    async def _replace(self, old: Replacement) -> None:
        route = old.tenant, old.stream
        sequencer = self._sequencer(f"{self.name}/{old.tenant}/{old.stream}")
        retention_days = self._settings.routing.retention_of(route)
        sealer = await self._found(
            route, sequencer, retention_days, old.predecessor, old.chain
        )
        self._opening.remove_keys(old.chain)
        self._chains[route] = sequencer
        self._spawn(sequencer.run(_ready(sealer)))
        self._log.warning(
            "a damaged chain has a successor",
            old=old.predecessor.origin,
            new=sealer.origin,
        )

    def _chain(self, route: Route, retention_days: int | None) -> Sequencer:
        """Return the writer of a route's chain, founding the chain on demand."""
        chain = self._chains.get(route)
        if chain is None:
            chain = self._sequencer("/".join((self.name, *route)))
            self._chains[route] = chain
            self._spawn(chain.run(self._found(route, chain, retention_days)))
        return chain

    async def _found(
        self,
        route: Route,
        sequencer: Sequencer,
        retention_days: int | None,
        predecessor: Predecessor | None = None,
        replaces: bytes | None = None,
    ) -> Sealer:
        tenant, stream = route
        taken = {chain.origin for chain in self._journal.chains()}
        seconds = itertools.count(self._clock() // 10**9)
        origins = (str(Origin(self.name, tenant, stream, at)) for at in seconds)
        origin = next(one for one in origins if one not in taken)
        opened = await asyncio.get_running_loop().run_in_executor(
            self._sealing,
            lambda: self._founder.found(
                origin,
                tenant=tenant,
                stream=stream,
                predecessor=predecessor,
                replaces=replaces,
                retention_days=retention_days,
            ),
        )
        founding = self._journal.seal(opened.chain, 0)
        assert founding is not None, "it was journaled a moment ago"
        await self._catalogue.found(opened.chain, origin, founding.record.note)
        return self._sealer(opened, sequencer)

    async def _report_heads(self) -> None:
        settings = self._settings
        while True:
            await asyncio.sleep(min(settings.head_seconds, settings.heartbeat_seconds))
            await self._catalogue.report(self._prefixes())

    def _prefixes(self) -> dict[tuple[bytes, str], Prefix]:
        sealers = ((chain, chain.sealer) for chain in self._chains.values())
        return {
            (sealer.chain, sealer.origin): chain.prefix
            for chain, sealer in sealers
            if sealer is not None and chain.prefix.size
        }

    def _sequencer(self, name: str) -> Sequencer:
        return Sequencer(
            name,
            self._store,
            self._settings.pace,
            self._sealing,
            self._marking,
            self._log,
        )

    def _sealer(self, opened: OpenChain, sequencer: Sequencer) -> Sealer:
        return Sealer(
            opened,
            self._journal,
            self._store,
            read_ahead=self._settings.read_ahead_windows,
            clock=self._clock,
            entropy=self._entropy,
            notices=sequencer.notices,
        )

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        assert self._tasks is not None, "used outside of running()"
        self._writers.append(self._tasks.create_task(work))

    async def _answered(self, ask: Callable[[], Awaitable[_T]]) -> _T:
        """Ask the store until it answers: without it nothing may be signed."""
        while True:
            try:
                return await ask()
            except StoreError as error:
                self._log.warning("the store does not answer", error=str(error))
                await asyncio.sleep(_RETRY_SECONDS)

    def _describe(self, chain: Sequencer) -> dict[str, Any]:
        sealer = chain.sealer
        head = sealer.head if sealer else None
        return {
            "origin": sealer.origin if sealer else chain.origin,
            "chain": sealer.chain.hex() if sealer else None,
            "state": chain.state.value,
            "seals": head.seals if head else 0,
            "entries": head.entries if head else 0,
            "stored_seals": chain.prefix.size,
            "last_seal_time": format_time(head.time) if head else None,
            "waiting_windows": chain.waiting_windows,
            "journal_rows": chain.unstored_seals,
            "bare_entries": chain.bare_entries,
            "problem": chain.problem,
        }


def _opened(source: Source, now: int) -> Notice:
    peer = source.certificate, source.address
    return lambda windows: windows.opened(peer, now)


async def _ready(sealer: Sealer) -> Sealer:
    return sealer


def open_signer(
    path: Path,
    name: str,
    store: Store,
    settings: SigningSettings,
    log: FilteringBoundLogger,
) -> tuple["Signer", StateLock]:
    """Take the lock of a state directory and open what is in it.

    Raises:
        StateError: It is in use, not there, or of another signer.
    """
    state = StateFolder(path)
    lock = StateLock.take(path)
    try:
        identity = Identity.read(state, name)
        journal = Journal.open(state.journal)
        if name not in {chain.origin for chain in journal.chains()}:
            raise StateError(
                f"{path} is not the state directory of the signer {name}",
                hint="The name of a signer cannot be changed: correct 'signer' in "
                "the configuration, or name another state directory.",
            )
    except StateError:
        lock.release()
        raise
    return Signer(state, identity, journal, store, settings, log), lock
