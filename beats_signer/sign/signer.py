"""One running signer: its catalogue, its chains, and what they share.

Order of a start: lock, journal, comparison with the store, catalogue, chains.
Only then may windows come in. Order of a stop: chains, last heads, ``stop``
record, lock. Whatever a stop does not reach is journaled and goes on at the
next start.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from structlog.typing import FilteringBoundLogger

from beats_signer.chain.head import Head
from beats_signer.chain.note import VerifierKey
from beats_signer.sign.catalogue import Catalogue, Intervals
from beats_signer.sign.chains import Chains
from beats_signer.sign.closing import has_been_closed
from beats_signer.sign.disk import Disk
from beats_signer.sign.dispatch import Dispatch
from beats_signer.sign.equipment import Equipment
from beats_signer.sign.founding import Founder
from beats_signer.sign.holding import Holding
from beats_signer.sign.journal import Journal
from beats_signer.sign.keyfile import Entropy
from beats_signer.sign.lock import StateLock
from beats_signer.sign.opening import Opening
from beats_signer.sign.pace import Pace
from beats_signer.sign.parting import Router
from beats_signer.sign.rotation import Rotation
from beats_signer.sign.routing import Route, Routing
from beats_signer.sign.sealer import Clock
from beats_signer.sign.sequencer import Sequencer
from beats_signer.sign.space import Space
from beats_signer.sign.start import Start
from beats_signer.sign.state import Identity, StateFolder
from beats_signer.sign.status import describe_chain
from beats_signer.sign.threads import Threads
from beats_signer.sign.timer import Timer
from beats_signer.sign.window import Receipt, Window
from beats_signer.store.contract import Store

__all__ = ["Signer", "SigningSettings", "open_signer"]


@dataclass(frozen=True, slots=True)
class SigningSettings:
    """What an operator may choose about signing."""

    pace: Pace = field(default_factory=Pace)
    read_ahead_windows: int = 4
    head_seconds: float = 60.0
    heartbeat_seconds: int = 60
    routing: Routing = field(default_factory=Routing)
    journal_bytes: int = 2 << 30
    """What the journal of all chains may grow to: less free space is a problem."""
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
        timer: Timer | None = None,
    ) -> None:
        self.name = identity.signer
        self._journal = journal
        self._store = store
        self._clock = clock
        self._threads = Threads()
        disk, timer = disk or Disk(), timer or Timer()
        self._entropy = entropy
        self._rotation = Rotation(state, self.name, journal, disk)
        self._space = Space(state.journal, disk, settings.journal_bytes, log)
        self._timer = timer
        equipment = Equipment(
            journal,
            store,
            settings.pace,
            settings.read_ahead_windows,
            self._threads,
            clock,
            timer,
            self._space,
            entropy,
            log,
            lambda waited_seconds: self._dispatch.heard(waited_seconds),
        )
        founder = Founder(state, identity, journal, store.encode, clock, entropy, disk)
        opening = Opening(state, self.name, journal, store, founder.disk, entropy)
        intervals = Intervals(settings.head_seconds, settings.heartbeat_seconds)
        self._catalogue = Catalogue(equipment, identity, intervals)
        self._chains = Chains(equipment, founder, self._catalogue, settings.routing)
        self._router = Router(settings.routing)
        holding = Holding(settings.memory_bytes, clock)
        self._dispatch = Dispatch(
            self._router,
            holding,
            self._chain,
            log,
            is_away=lambda: self._catalogue.sequencer.is_refused,
        )
        self._start = Start(
            self.name, opening, equipment, self._catalogue, self._chains, self._spawn
        )
        self._tasks: asyncio.TaskGroup | None = None
        self._writers: list[asyncio.Task[None]] = []
        self._reporter: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def running(self, found: str | None = None) -> AsyncIterator["Signer"]:
        """Start, hand itself out, and at the end let go of everything.

        Call ``stop`` inside for an orderly end; without it this ends like a
        crash, which loses nothing either. *found* names a damaged chain that is
        to get a successor.

        Errors come inside the groups of the tasks that they ended.

        Raises:
            StateError: The state directory must not be used.
            DurabilityError: A write to the state directory failed.
            ForkError: Somebody else writes the catalogue.
        """
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                self._space.look()
                await self._start.run(found)
                self._router.know(self._chains.routes())
                reporting = self._catalogue.keep_reporting(self._chains.prefixes)
                self._reporter = tasks.create_task(reporting)
                watching = tasks.create_task(self._space.watch(self._timer, self._wake))
                yield self
                for task in (*self._writers, self._reporter, watching):
                    task.cancel()
        finally:
            self._threads.shutdown()
            self._journal.close()

    def append(self, window: Window) -> Receipt:
        """Queue a window; the receipt is done when all its events are stored.

        Its parts go to the chains that its events belong to. The receipt fails
        when a chain has stopped, or is stuck and holds its share of memory.
        """
        return self._dispatch.append(window)

    def acknowledged(self, connection: str, number: int) -> None:
        """Note that the ack of a window was handed to the network."""
        for chain in self._dispatch.acknowledged(connection, number):
            chain.acknowledged(connection, number)

    def lost(self, connection: str) -> None:
        """Note that a connection has ended: its open windows may come again."""
        for chain in self._dispatch.lost(connection):
            chain.lost(connection, self._clock())

    def change_routing(self, routing: Routing) -> None:
        """Go by other rules from the next window on.

        Not from one chain to several, nor back: the share of the journal that a
        chain gets depends on that, see ``Routing.is_plain``.
        """
        assert routing.is_plain == self._router.routing.is_plain, "it needs a restart"
        self._router.change(routing)
        self._chains.change(routing)

    def has_closed(self, origin: str) -> bool:
        """Tell whether nothing is left to do to close a chain; ask before ``running``.

        Raises:
            StateError: There is no such chain, or it cannot be closed.
        """
        return has_been_closed(self._journal, self.name, origin)

    async def close_chain(self, origin: str) -> Head:
        """End a chain for good, and return its last head once the store has it.

        ``stop`` records that head in the catalogue. See ``sign.closing``.

        Raises:
            ForkError: The chain has stopped.
        """
        return await self._chains.close(origin)

    async def rotate_identity(self) -> VerifierKey:
        """Replace the identity key; return the public half of the new one.

        Nothing may have been appended, and only ``stop`` may follow: a founding
        would be signed by the old key. See ``sign.rotation``.

        Raises:
            DurabilityError: A file could not be written; the next start knows
                which key is in force.
        """
        entropy = self._entropy
        identity = await self._threads.seal(self._rotation.prepare, entropy)
        await self._catalogue.rotate(identity)
        await self._threads.seal(self._rotation.settle)
        return identity.public

    async def stop(self) -> None:
        """Seal and store what waits, then record the end in the catalogue.

        It takes as long as the store does: bound it. Accept nothing afterwards.
        """
        if self._reporter is not None:
            self._reporter.cancel()
        chains = tuple(self._chains)
        for chain in chains:
            chain.close()
        for chain in chains:
            await chain.ended()
        await self._catalogue.stop(self._chains.prefixes())

    async def probe(self) -> None:
        """Return when both threads have come to it: the pipeline does not hang."""
        await self._threads.seal(lambda: None)
        await self._threads.mark(lambda: None)

    def status(self) -> dict[str, Any]:
        """Return what ``/status`` says about the signing half."""
        return {
            "signer": self.name,
            "catalogue": describe_chain(self._catalogue.sequencer),
            "chains": [describe_chain(chain) for chain in self._chains],
            "astray_events": dict(self._router.astray),
            "journal_bytes": sum(
                chain.unstored.waiting_bytes for chain in self._chains
            ),
            "state_free_bytes": self._space.free_bytes,
            "is_paused": self._space.is_short,
            "problems": [
                asdict(problem)
                for problem in (*self._store.problems(), *self._space.problems())
            ],
        }

    def _chain(self, route: Route) -> Sequencer:
        return self._chains.of(route, self._spawn)

    def _wake(self) -> None:
        for chain in self._chains:
            chain.wake()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        assert self._tasks is not None, "used outside of running()"
        self._writers.append(self._tasks.create_task(work))


def open_signer(
    path: Path,
    name: str,
    store: Store,
    settings: SigningSettings,
    log: FilteringBoundLogger,
    *,
    clock: Clock = time.time_ns,
    entropy: Entropy = os.urandom,
    disk: Disk | None = None,
    timer: Timer | None = None,
) -> tuple[Signer, StateLock]:
    """Take the lock of a state directory and open what is in it.

    Raises:
        StateError: It is in use, not there, damaged, or of another signer.
        DurabilityError: The journal could not be written.
    """
    state = StateFolder(path)
    lock = StateLock.take(path)
    try:
        state.check_private()
        journal = Journal.open(state.journal, disk)
        identity = Rotation(state, name, journal, disk or Disk()).settle()
    except BaseException:
        lock.release()
        raise
    signer = Signer(
        state,
        identity,
        journal,
        store,
        settings,
        log,
        clock=clock,
        entropy=entropy,
        disk=disk,
        timer=timer,
    )
    return signer, lock
