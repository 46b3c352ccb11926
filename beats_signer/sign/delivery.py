"""Send one seal's bytes until the store has confirmed them."""

from collections.abc import Callable

from structlog.typing import FilteringBoundLogger

from beats_signer.errors import RefusedError, StoreError
from beats_signer.sign.keyfile import Entropy
from beats_signer.sign.timer import Timer
from beats_signer.store.contract import Appended, Store, Write

__all__ = ["Delivery"]

_PAUSE_SECONDS = 0.1
_MOST_PAUSE_SECONDS = 5.0


class Delivery:
    """Steps 5 and 6 for one chain."""

    def __init__(
        self,
        store: Store,
        timer: Timer,
        entropy: Entropy,
        log: FilteringBoundLogger,
        told: Callable[[float | None], object] = lambda waited_seconds: None,
    ) -> None:
        """Take what is *told* of each write that was stored, or refused.

        It hears how many seconds that took, or ``None``.
        """
        self.problem: str | None = None
        """Why the store has not confirmed the last seal it was asked to."""
        self.is_refused = False
        """Whether the store answers, and does not take what this chain sends."""
        self._store = store
        self._timer = timer
        self._entropy = entropy
        self._log = log
        self._told = told

    async def store(self, write: Write) -> Appended:
        """Return how it went, once the store has confirmed all of *write*.

        Raises:
            ForkError: Something else stands there. Stop the chain.
        """
        pause, begun = _PAUSE_SECONDS, self._timer.elapsed()
        while True:
            try:
                appended = await self._store.append(write)
            except RefusedError as error:
                # Until somebody mends it, haste changes nothing.
                pause = _MOST_PAUSE_SECONDS
                self.is_refused = True
                self._tell(self._log.error, write, error, pause)
                self._told(None)
            except StoreError as error:
                self.is_refused = False
                self._tell(self._log.warning, write, error, pause)
            else:
                self.problem = None
                self.is_refused = False
                self._told(self._timer.elapsed() - begun)
                return appended
            await self._timer.sleep(pause * self._jitter())
            pause = min(pause * 2, _MOST_PAUSE_SECONDS)

    def _tell(
        self,
        say: Callable[..., object],
        write: Write,
        error: StoreError,
        pause: float,
    ) -> None:
        self.problem = str(error)
        say(
            "the store did not confirm a seal, it is sent again",
            chain=write.seal.origin,
            seal=write.seal.number,
            error=str(error),
            pause_seconds=round(pause, 1),
        )

    def _jitter(self) -> float:
        """Return a factor from 0.5 to 1, so that chains do not retry in step."""
        return 0.5 + self._entropy(1)[0] / 510
