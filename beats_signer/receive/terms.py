"""What every session is given, and whom it tells."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from structlog.typing import FilteringBoundLogger

from beats_signer.receive.budget import Budget
from beats_signer.receive.deadline import Timers
from beats_signer.receive.kernel import Kernel
from beats_signer.receive.patience import Patience
from beats_signer.receive.refusal import UnwelcomeError
from beats_signer.receive.shares import Shares
from beats_signer.receive.tally import Tallies
from beats_signer.receive.turns import Turns
from beats_signer.sign.window import Receipt, Source, Window
from lumberjack import Batch, Limits

if TYPE_CHECKING:
    from beats_signer.receive.session import Session

__all__ = ["Host", "Signing", "Terms"]


class Signing(Protocol):
    """What a session needs of the signer."""

    def append(self, window: Window) -> Receipt:
        """Queue a window; the receipt is done when it is stored."""

    def acknowledged(self, connection: str, number: int) -> None:
        """Note that the ack of a window was handed to the network."""

    def lost(self, connection: str) -> None:
        """Note that a connection has ended."""


class Host(Protocol):
    """What a session needs of the entrance through which it came."""

    def identify(self, transport: asyncio.Transport) -> Source | None:
        """Return who sends; nothing when the peer is gone already.

        Raises:
            UnwelcomeError: It may not send.
        """

    def refuse(self, error: UnwelcomeError) -> None:
        """Count and log that a sender was turned away."""

    def examine(self, source: Source, batch: Batch) -> None:
        """Look at a window before it is taken.

        Raises:
            UnwelcomeError: It may not be taken; nothing more may.
        """

    def next_arrival(self) -> int:
        """Return a number that orders connections and windows."""

    def began(self, session: "Session") -> None:
        """Note that a connection can bring windows."""

    def ended(self, session: "Session") -> None:
        """Note that it has ended."""

    def left(self) -> None:
        """Note that a connection is gone, whether it could bring any or not."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What is the same for all sessions."""

    signing: Signing
    budget: Budget
    shares: Shares
    patience: Patience
    limits: Limits
    log: FilteringBoundLogger
    timers: Timers
    turns: Turns
    kernel: Kernel
    clock: Callable[[], int]
    """Returns nanoseconds since 1970."""
    tallies: Tallies = field(default_factory=Tallies)
