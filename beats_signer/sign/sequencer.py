"""The one writer of a chain: from waiting windows to receipts.

The order of durable steps, DESIGN section "The order of durable steps":

| step       | where                | crash after it leaves       | at restart       |
|------------|----------------------|-----------------------------|------------------|
| 1 collect  | ``_next_group``      | nothing                     | senders resend   |
| 2 seal     | ``Sealer.seal``      | nothing                     | senders resend   |
| 3 journal  | ``Sealer.seal``      | a journaled seal            | advance, store   |
| 4 advance  | ``Sealer.seal``      | a journaled seal            | store            |
| 5 store    | ``_store``           | the same, stored in part    | store            |
| 6 confirm  | ``Store.append``     | the same                    | store            |
| 7 mark     | ``_deliver``         | stored, not acknowledged    | recognise, ack   |
| 8 ack      | ``receive.session``  | nothing                     | nothing          |

Steps 2 to 4 run one seal after the other in the sealing thread; steps 5 to 7
of several seals overlap.
"""

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

from structlog.typing import FilteringBoundLogger

from beats_signer.chain.seal import parse_seal_note
from beats_signer.errors import ForkError, RefusedError, StoreError
from beats_signer.sign.sealer import Notice, Sealer
from beats_signer.sign.window import Control, Item, Receipt
from beats_signer.store.contract import Appended, Store, Write

__all__ = ["Pace", "Prefix", "Sequencer", "State"]

_BACKOFF_SECONDS = 0.1
_MOST_BACKOFF_SECONDS = 5.0
_GROUP_WINDOWS = 4096
"""Windows of one seal: their records, some 300 bytes each, share a body of 8 MiB."""
_T = TypeVar("_T")


class State(Enum):
    """Where a chain's writer is in its life."""

    OPENING = "opening"
    RUNNING = "running"
    CLOSED = "closed"
    STOPPED = "stopped"


TRANSITIONS: dict[State, frozenset[State]] = {
    State.OPENING: frozenset({State.RUNNING, State.STOPPED}),
    State.RUNNING: frozenset({State.CLOSED, State.STOPPED}),
    State.CLOSED: frozenset(),
    State.STOPPED: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Pace:
    """How events are gathered into seals, and how many may be on their way."""

    max_entries: int = 16_384
    max_bytes: int = 32 << 20
    linger_seconds: float = 0.001
    in_flight: int = 4
    journal_bytes: int = 2 << 30


@dataclass(frozen=True, slots=True)
class Prefix:
    """The seals of a chain that are stored, without a gap: their number and tree."""

    size: int
    root: bytes


class Sequencer:
    """Take items, give receipts, and carry one chain through the steps above."""

    def __init__(
        self,
        origin: str,
        store: Store,
        pace: Pace,
        sealing: Executor,
        marking: Executor,
        log: FilteringBoundLogger,
    ) -> None:
        """Take the threads that seal (one at a time) and that mark seals stored."""
        self.origin = origin
        self.state = State.OPENING
        self.prefix = Prefix(0, b"")
        self.problem: str | None = None
        self.bare_entries = 0
        """Entries stored as bare documents since the process began."""
        self.sealer: Sealer | None = None
        self.notices: deque[Notice] = deque()
        self._target = store
        self._pace = pace
        self._sealing = sealing
        self._marking = marking
        self._log = log.bind(chain=origin)
        self._pending: deque[tuple[Item, Receipt]] = deque()
        self._unstored: dict[int, list[Receipt]] = {}
        self._roots: dict[int, bytes] = {}
        self._stored: set[int] = set()
        self._changed = asyncio.Event()
        self._progressed = asyncio.Event()
        self._closing = False
        self._slots = asyncio.Semaphore(pace.in_flight)
        self._waiting_bytes = 0

    @property
    def waiting_windows(self) -> int:
        """Return how many items wait to be sealed."""
        return len(self._pending)

    @property
    def unstored_seals(self) -> int:
        """Return how many seals are journaled and not confirmed."""
        return len(self._unstored)

    @property
    def waiting_bytes(self) -> int:
        """Return the journaled bytes that the store has not confirmed."""
        return self._waiting_bytes

    def append(self, item: Item) -> Receipt:
        """Queue *item*; items are sealed in the order of these calls.

        The receipt fails with what stopped the chain when it stops.
        """
        receipt: Receipt = asyncio.get_running_loop().create_future()
        if self.state in (State.STOPPED, State.CLOSED):
            receipt.set_exception(ForkError(self.problem or "the chain is closed"))
            return receipt
        self._pending.append((item, receipt))
        self._changed.set()
        return receipt

    def close(self) -> None:
        """Let ``run`` return once everything that was appended is stored."""
        self._closing = True
        self._changed.set()

    async def settled(self) -> None:
        """Return once the store has everything that is journaled.

        Raises:
            ForkError: The chain was stopped.
        """
        while self.state is State.OPENING or self._unstored:
            if self.state is State.STOPPED:
                raise ForkError(self.problem or "the chain is stopped")
            self._progressed.clear()
            await self._progressed.wait()

    async def ended(self) -> None:
        """Return once the chain is closed or stopped."""
        while self.state in (State.OPENING, State.RUNNING):
            self._progressed.clear()
            await self._progressed.wait()

    async def run(self, opening: Awaitable[Sealer]) -> None:
        """Work until ``close``, or until the chain has to stop.

        Raises:
            DurabilityError: A write to the state folder failed; end the process.
        """
        try:
            sealer = self.sealer = await opening
            async with asyncio.TaskGroup() as tasks:
                await self._resend(sealer, tasks)
                self._enter(State.RUNNING)
                while group := await self._next_group():
                    await self._slots.acquire()
                    await self._seal(group, sealer, tasks)
            self._enter(State.CLOSED)
        except* ForkError as forks:
            self._stop(forks)

    async def _resend(self, sealer: Sealer, tasks: asyncio.TaskGroup) -> None:
        """Send what an earlier process journaled and did not see confirmed."""
        journal, chain = sealer.journal, sealer.chain
        unstored = journal.unstored(chain)
        self._roots = {
            number + 1: _journaled_root(sealer, number) for number in unstored
        }
        size = unstored[0] if unstored else sealer.head.seals
        self.prefix = Prefix(size, _root_at(sealer, size))
        self._unstored = {number: [] for number in unstored}
        for number in unstored:
            await self._slots.acquire()
            write = await self._in_thread(journal.write, chain, number)
            self._waiting_bytes += len(write.body)
            tasks.create_task(self._deliver(sealer, write))

    async def _next_group(self) -> list[tuple[Item, Receipt]]:
        """Step 1. Return what is sealed together next; nothing when closed."""
        while not self._pending or self._waiting_bytes >= self._pace.journal_bytes:
            if self._closing and not self._pending:
                return []
            self._changed.clear()
            await self._changed.wait()
        if not self._unstored and not self._closing:
            await asyncio.sleep(self._pace.linger_seconds)
        return self._take_group()

    def _take_group(self) -> list[tuple[Item, Receipt]]:
        """Take items of one kind from the front, within the bounds of one seal."""
        first = self._pending.popleft()
        group = [first]
        kind = type(first[0])
        entries, size = first[0].entries, first[0].payload_bytes
        while self._pending and kind is not Control and len(group) < _GROUP_WINDOWS:
            item = self._pending[0][0]
            entries += item.entries
            size += item.payload_bytes
            full = entries > self._pace.max_entries or size > self._pace.max_bytes
            if type(item) is not kind or full:
                break
            group.append(self._pending.popleft())
        return group

    async def _seal(
        self,
        group: list[tuple[Item, Receipt]],
        sealer: Sealer,
        tasks: asyncio.TaskGroup,
    ) -> None:
        """Steps 2 to 4, in the sealing thread; step 5 goes on beside the next."""
        sealed = await self._in_thread(sealer.seal, [item for item, _ in group])
        if sealed.write is not None:
            number = sealed.write.seal.number
            self._unstored[number] = []
            self._roots[number + 1] = sealed.head.log.root()
            self._waiting_bytes += len(sealed.write.body)
            tasks.create_task(self._deliver(sealer, sealed.write))
        else:
            self._slots.release()
        for (_, receipt), number in zip(group, sealed.waits, strict=True):
            if number in self._unstored:
                self._unstored[number].append(receipt)
            else:
                _confirm(receipt)

    async def _deliver(self, sealer: Sealer, write: Write) -> None:
        """Steps 5 to 7, then the receipts, which lead to step 8."""
        number = write.seal.number
        bare = (await self._store(write)).bare
        self.bare_entries += len(bare)
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._marking, sealer.mark_stored, number, bare)
        self._waiting_bytes -= len(write.body)
        self._advance_prefix(number)
        self._slots.release()
        self._changed.set()
        self._progressed.set()
        for receipt in self._unstored.pop(number):
            _confirm(receipt)

    async def _store(self, write: Write) -> Appended:
        """Step 5 and 6. Send the same bytes until the store confirms them."""
        pause = _BACKOFF_SECONDS
        while True:
            try:
                appended = await self._target.append(write)
            except StoreError as error:
                self.problem = str(error)
                is_refused = isinstance(error, RefusedError)
                if is_refused:  # until somebody mends it, haste changes nothing
                    pause = _MOST_BACKOFF_SECONDS
                tell = self._log.error if is_refused else self._log.warning
                tell(
                    "the store did not confirm a seal, it is sent again",
                    seal=write.seal.number,
                    error=str(error),
                    pause_seconds=round(pause, 1),
                )
            else:
                self.problem = None
                return appended
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311
            pause = min(pause * 2, _MOST_BACKOFF_SECONDS)

    def _advance_prefix(self, number: int) -> None:
        self._stored.add(number)
        size = self.prefix.size
        while size in self._stored:
            self._stored.discard(size)
            size += 1
            root = self._roots.pop(size)
            self.prefix = Prefix(size, root)

    def _enter(self, state: State) -> None:
        if state not in TRANSITIONS[self.state]:
            raise RuntimeError(f"a {self.state.value} chain cannot be {state.value}")
        self.state = state
        self._progressed.set()

    def _stop(self, forks: BaseExceptionGroup[ForkError]) -> None:
        """Fail everything that waits: nothing of it will ever be confirmed here."""
        error: BaseException = forks
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        self._enter(State.STOPPED)
        self.problem = str(error)
        self._log.error("the chain is stopped", error=str(error))
        receipts = [receipt for _, receipt in self._pending]
        receipts += [one for waiting in self._unstored.values() for one in waiting]
        self._pending.clear()
        for receipt in receipts:
            if not receipt.done():
                receipt.set_exception(ForkError(str(error)))

    async def _in_thread(self, work: Callable[..., _T], *arguments: object) -> _T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._sealing, work, *arguments)


def _confirm(receipt: Receipt) -> None:
    """Resolve a receipt, unless the one who waited for it has gone."""
    if not receipt.done():
        receipt.set_result(None)


def _journaled_root(sealer: Sealer, number: int) -> bytes:
    journaled = sealer.journal.seal(sealer.chain, number)
    assert journaled is not None, "an unstored seal is always in the journal"
    return journaled.head.log.root()


def _root_at(sealer: Sealer, size: int) -> bytes:
    """Return the log tree hash over the first *size* seals; the next names it."""
    if size == sealer.head.seals:
        return sealer.head.log.root()
    journaled = sealer.journal.seal(sealer.chain, size)
    assert journaled is not None, "an unstored seal is always in the journal"
    return parse_seal_note(journaled.record.note)[0].log
