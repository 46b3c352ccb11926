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
_SILENCE_SECONDS = 15.0
"""After so long an operator should hear that there is no answer. The store itself
may wait longer before it gives up."""


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
        self.is_refused = False
        """Whether the store answers, and does not take what this chain sends."""
        self._store = store
        self._timer = timer
        self._entropy = entropy
        self._log = log
        self._told = told
        self._problem: str | None = None
        # Since when which seals wait for an answer.
        self._asked: dict[int, float] = {}

    @property
    def problem(self) -> str | None:
        """Return why the store has not confirmed what it was sent, if it has not."""
        if self._problem is None and self._asked:
            silence = self._timer.elapsed() - min(self._asked.values())
            if silence >= _SILENCE_SECONDS:
                return f"the store has not answered for {silence:.0f} seconds"
        return self._problem

    async def store(self, write: Write) -> Appended:
        """Return how it went, once the store has confirmed all of *write*.

        Raises:
            ForkError: Something else stands there. Stop the chain.
        """
        pause, begun = _PAUSE_SECONDS, self._timer.elapsed()
        while True:
            try:
                appended = await self._ask(write)
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
                self._problem = None
                self.is_refused = False
                self._told(self._timer.elapsed() - begun)
                return appended
            await self._timer.sleep(pause * self._jitter())
            pause = min(pause * 2, _MOST_PAUSE_SECONDS)

    async def _ask(self, write: Write) -> Appended:
        number = write.seal.number
        self._asked[number] = self._timer.elapsed()
        try:
            return await self._store.append(write)
        finally:
            del self._asked[number]

    def _tell(
        self,
        say: Callable[..., object],
        write: Write,
        error: StoreError,
        pause: float,
    ) -> None:
        self._problem = str(error)
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
