"""What the writers of all chains of one signer work with."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from structlog.typing import FilteringBoundLogger

from beats_signer.sign.delivery import Delivery
from beats_signer.sign.journal import Journal
from beats_signer.sign.keyfile import Entropy
from beats_signer.sign.pace import Pace
from beats_signer.sign.sealer import Clock, OpenChain, Sealer
from beats_signer.sign.sequencer import Sequencer
from beats_signer.sign.space import Space
from beats_signer.sign.threads import Threads
from beats_signer.sign.timer import Timer
from beats_signer.store.contract import Store

__all__ = ["Equipment"]


@dataclass(frozen=True, slots=True)
class Equipment:
    """The peers and the clocks that every chain shares."""

    journal: Journal
    store: Store
    pace: Pace
    read_ahead_windows: int
    threads: Threads
    clock: Clock
    timer: Timer
    space: Space
    entropy: Entropy
    log: FilteringBoundLogger
    told: Callable[[float | None], object]
    """What hears of each seal of any chain: the seconds until it was stored, or
    ``None`` when it was refused."""

    def sequencer(self, name: str, *, pauses: bool = True) -> Sequencer:
        """Return a writer that has no chain yet; *name* is what it is called.

        It *pauses* while the disk is nearly full, unless told otherwise.
        """
        delivery = Delivery(self.store, self.timer, self.entropy, self.log, self.told)
        sequencer = Sequencer(
            name, self.pace, delivery, self.threads, self.timer, self.log
        )
        if pauses:
            sequencer.pauses_when(lambda: self.space.is_short)
        return sequencer

    async def sealer(self, opened: OpenChain) -> Sealer:
        """Return the maker of a chain's seals."""
        return await self.threads.seal(self._sealer, opened)

    def opening(self, opened: OpenChain) -> Callable[[], Awaitable[Sealer]]:
        """Return what ``Sequencer.run`` takes for a chain that exists."""
        return partial(self.sealer, opened)

    def _sealer(self, opened: OpenChain) -> Sealer:
        return Sealer(
            opened,
            self.journal,
            self.store,
            read_ahead=self.read_ahead_windows,
            clock=self.clock,
            entropy=self.entropy,
        )
