"""The one writer of a chain: from waiting windows to receipts.

The order of durable steps, DESIGN section "The order of durable steps":

| step       | where                  | crash after it leaves     | at restart       |
|------------|------------------------|---------------------------|------------------|
| 1 collect  | ``Waiting.take``       | nothing                   | senders resend   |
| 2 seal     | ``Sealer.seal``        | nothing                   | senders resend   |
| 3 journal  | ``Sealer.seal``        | a journaled seal          | advance, store   |
| 4 advance  | ``Sealer.seal``        | a journaled seal          | store            |
| 5 store    | ``Delivery.store``     | the same, stored in part  | store            |
| 6 confirm  | ``Store.append``       | the same                  | store            |
| 7 mark     | ``Sealer.mark_stored`` | stored, not acknowledged  | recognise, ack   |
| 8 ack      | ``receive.session``    | nothing                   | nothing          |

Steps 2 to 4 run one seal after the other in the sealing thread; steps 5 to 7
of several seals overlap.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from structlog.typing import FilteringBoundLogger

from beats_signer.errors import ForkError
from beats_signer.sign.delivery import Delivery
from beats_signer.sign.life import Life, State
from beats_signer.sign.pace import Pace
from beats_signer.sign.sealer import Sealer
from beats_signer.sign.threads import Threads
from beats_signer.sign.timer import Timer
from beats_signer.sign.unstored import UnstoredSeals
from beats_signer.sign.waiting import Group, Waiting
from beats_signer.sign.window import Acknowledged, Item, Receipt
from beats_signer.store.contract import Write

__all__ = ["Sequencer"]

_TICK_SECONDS = 60.0
"""How long news that no window follows may wait for the journal, and windows for
the store: they are sealed then, since a seal has to be near to their receipt."""


class Sequencer:
    """Take items, give receipts, and carry one chain through the steps above."""

    def __init__(
        self,
        name: str,
        pace: Pace,
        delivery: Delivery,
        threads: Threads,
        timer: Timer,
        log: FilteringBoundLogger,
    ) -> None:
        """Take the *name* that the chain has until its founding gives it one."""
        self.origin = name
        self.sealer: Sealer | None = None
        self.unstored = UnstoredSeals()
        self.bare_entries = 0
        """Entries stored as bare documents since the process began."""
        self._pace = pace
        self._delivery = delivery
        self._threads = threads
        self._timer = timer
        self._log = log
        self._waiting = Waiting(pace)
        self._group = Group((), ())
        self._slots = asyncio.Semaphore(pace.in_flight)
        self._turn = asyncio.Lock()
        self._life = Life()
        self._overdue = 0
        self._is_closing = False
        self._fork: str | None = None
        self._is_paused: Callable[[], bool] = lambda: False

    @property
    def state(self) -> State:
        """Return where this writer is in its life."""
        return self._life.state

    @property
    def waiting_windows(self) -> int:
        """Return how many items wait to be sealed."""
        return len(self._waiting)

    @property
    def problem(self) -> str | None:
        """Return what keeps the chain from going on, if anything does."""
        return self._fork or self._delivery.problem

    @property
    def is_refused(self) -> bool:
        """Tell whether the store answers, and does not take what this chain sends."""
        return self._delivery.is_refused

    @property
    def has_ended(self) -> bool:
        """Tell whether nothing will be sealed here any more."""
        return self.state in (State.CLOSED, State.STOPPED)

    def pauses_when(self, condition: Callable[[], bool]) -> None:
        """Seal nothing while *condition* holds; ``wake`` when it does no longer."""
        self._is_paused = condition

    def wake(self) -> None:
        """Look again whether there is something to do."""
        self._life.wake()

    def append(self, item: Item) -> Receipt:
        """Queue *item*; items are sealed in the order of these calls.

        The receipt fails with a ForkError when the chain stops, and is
        cancelled when the chain is closed.
        """
        if self.has_ended or self._is_closing:
            receipt: Receipt = asyncio.get_running_loop().create_future()
            self._refuse([receipt])
            return receipt
        receipt = self._waiting.append(item)
        self._life.wake()
        return receipt

    def acknowledged(self, connection: str, number: int) -> None:
        """Note that the ack of a window was handed to the network."""
        if not self.has_ended:
            self._waiting.note(Acknowledged(connection, number))

    def lost(self, connection: str, at: int) -> None:
        """Note that a connection has ended at this time.

        While the chain does not get on, its windows that are not sealed are
        given up: else senders that try again and again would fill the memory.
        """
        if not self.has_ended:
            is_stuck = self.state is State.OPENING or self.problem or self._must_wait
            self._waiting.lost(connection, at, drop=bool(is_stuck))

    def close(self) -> None:
        """Let ``run`` return once everything that was appended is stored."""
        self._is_closing = True
        self._life.wake()

    async def settled(self) -> None:
        """Return once the store has everything that is journaled.

        Raises:
            ForkError: The chain was stopped.
        """
        await self._life.until(lambda: self.has_ended or self._is_settled)
        if self._fork is not None:
            raise ForkError(f"{self.origin}: {self._fork}")

    async def ended(self) -> None:
        """Return once the chain is closed or stopped."""
        await self._life.until(lambda: self.has_ended)

    async def run(self, opening: Callable[[], Awaitable[Sealer]]) -> None:
        """Work until ``close``, or until the chain has to stop.

        Raises:
            DurabilityError: A write to the state folder failed; end the process.
        """
        try:
            sealer = self.sealer = await opening()
            self.origin = sealer.origin
            async with asyncio.TaskGroup() as tasks:
                await self._resend(sealer, tasks)
                self._life.enter(State.RUNNING)
                ticking = tasks.create_task(self._tick(sealer))
                await self._seal_all(sealer, tasks)
                ticking.cancel()
            await self._tidy(sealer)
            self._life.enter(State.CLOSED)
        except* ForkError as forks:
            self._stop(forks)
        finally:
            if self.sealer is not None:
                self._threads.submit(self.sealer.close)

    async def _resend(self, sealer: Sealer, tasks: asyncio.TaskGroup) -> None:
        """Send what an earlier process journaled and did not see confirmed."""
        unstored = await self._threads.seal(sealer.unstored)
        self.unstored.open(sealer.head)
        for one in unstored:
            self.unstored.add(one.seal, one.write_bytes)
            tasks.create_task(self._deliver(sealer, one.seal.number, None))

    async def _seal_all(self, sealer: Sealer, tasks: asyncio.TaskGroup) -> None:
        """Seal group after group until the chain is closed and nothing waits."""
        while await self._wait_for_items():
            self._group = self._waiting.take()
            self._overdue = max(0, self._overdue - len(self._group.receipts))
            write = await self._seal(sealer)
            if write is not None:
                number = write.seal.number
                # What has to wait for its turn does so in the journal.
                kept = None if self._slots.locked() else write
                tasks.create_task(self._deliver(sealer, number, kept))

    async def _wait_for_items(self) -> bool:
        """Step 1. Return whether there is something to seal, or ever will be."""
        while True:
            await self._life.until(lambda: self._can_seal or self._is_done)
            if self._is_done:
                return False
            if not self.unstored and not self._is_closing:
                await self._timer.sleep(self._pace.linger_seconds)
            if self._waiting:
                return True

    async def _seal(self, sealer: Sealer) -> Write | None:
        """Steps 2 to 4, in the sealing thread; step 5 goes on beside the next."""
        sealed = await self._threads.seal(sealer.seal, self._group.items)
        if sealed.write is not None:
            size = len(sealed.write.body)
            self.unstored.add_newest(sealed.write.seal, size, sealed.head)
        for receipt, number in zip(self._group.receipts, sealed.waits, strict=True):
            self.unstored.wait(number, receipt)
        self._group = Group((), ())
        return sealed.write

    async def _deliver(self, sealer: Sealer, number: int, write: Write | None) -> None:
        """Steps 5 to 7, then the receipts, which lead to step 8."""
        async with self._slots:
            # Whoever reads a live store should see seals in their order.
            async with self._turn:
                if write is None:
                    write = await self._threads.seal(sealer.write, number)
            bare = (await self._delivery.store(write)).bare
            self.bare_entries += len(bare)
            await self._threads.mark(sealer.mark_stored, number, bare)
        self.unstored.stored(number)
        self._life.wake()

    async def _tick(self, sealer: Sealer) -> None:
        """Do each minute what cannot wait for the store or for a window."""
        while True:
            await self._timer.sleep(_TICK_SECONDS)
            await self._tidy(sealer)
            self._overdue = len(self._waiting)
            self._life.wake()

    async def _tidy(self, sealer: Sealer) -> None:
        await self._threads.seal(sealer.tidy, self._waiting.take_notices())

    @property
    def _is_settled(self) -> bool:
        return self.state is State.RUNNING and not self.unstored

    @property
    def _is_done(self) -> bool:
        return self._is_closing and not self._waiting

    @property
    def _can_seal(self) -> bool:
        """Tell whether to seal now, or to let more join what waits."""
        is_due = len(self.unstored) < self._pace.in_flight or self._overdue > 0
        return bool(self._waiting) and is_due and not self._must_wait

    @property
    def _must_wait(self) -> bool:
        """Tell whether there is no room for another seal."""
        is_full = self.unstored.waiting_bytes >= self._pace.journal_bytes
        return is_full or self._is_paused()

    def _stop(self, forks: BaseExceptionGroup[ForkError]) -> None:
        """Fail everything that waits: nothing of it will ever be confirmed here."""
        error: BaseException = forks
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        self._fork = str(error)
        self._life.enter(State.STOPPED)
        self._log.error("the chain is stopped", chain=self.origin, error=self._fork)
        self._refuse(self._waiting.clear())
        self._refuse(self._group.receipts)
        self._refuse(self.unstored.receipts())

    def _refuse(self, receipts: Iterable[Receipt]) -> None:
        """Let receipts say that nothing will come of them."""
        for receipt in receipts:
            if receipt.done():
                continue
            if self._fork is None:
                receipt.cancel()
            else:
                receipt.set_exception(ForkError(f"{self.origin}: {self._fork}"))
