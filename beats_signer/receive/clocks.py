"""The clocks of one connection, and when each of them runs.

| clock      | runs while                                       | when it ends        |
|------------|--------------------------------------------------|---------------------|
| first byte | we read and nothing has come yet                 | close               |
| window     | we read and the sender owes the rest of a window | acks, then close    |
| silence    | the budget is spent and a window is unfinished   | see the session     |
| write      | an ack has not been taken                        | abort               |
| keepalive  | the sender waits for us                          | send one, and again |
| linger     | we have closed our side                          | close               |
| parting    | a dismissed sender still waits for acks          | abort               |

The first two hold their time while we do not read: that is our doing. The third
holds it while memory is not short.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from enum import Enum
from functools import partial

from beats_signer.receive.deadline import Deadline, Timers
from beats_signer.receive.patience import (
    LINGER_SECONDS,
    PARTING_SECONDS,
    PROGRESS_BYTES,
    SILENCE_SECONDS,
    Patience,
)

__all__ = ["Clock", "Clocks", "Facts"]


class Clock(Enum):
    """A clock, and what has happened when it comes to its end."""

    FIRST_BYTE = "the sender sent nothing, its connection is closed"
    WINDOW = "the sender did not complete its window, its connection is closed"
    SILENCE = (
        "memory is short and the sender does not go on with its window, "
        "its connection is closed"
    )
    WRITE = "the sender does not read its acknowledgements, its connection is closed"
    KEEPALIVE = "a keep-alive is due"
    LINGER = "the sender did not close its side"
    PARTING = "windows of a sender that may not send any longer are not stored in time"


@dataclass(frozen=True, slots=True)
class Facts:
    """What decides which clock runs."""

    is_reading: bool
    has_received: bool
    owed: Hashable | None
    """Names the window, or the frame, of which the sender owes the rest."""
    unfinished: Hashable | None
    """Names the window that is in memory without its rest, owed or not."""
    is_short: bool
    """The budget is spent."""
    waits: bool
    """The sender waits for us and understands keep-alives."""


class Clocks:
    """All clocks of one connection."""

    def __init__(
        self, timers: Timers, patience: Patience, ended: Callable[[Clock], object]
    ) -> None:
        """Call *ended* with each clock that comes to its end."""
        self._patience = patience
        self._deadlines = {
            clock: Deadline(timers, partial(ended, clock)) for clock in Clock
        }
        self._first_byte = self._deadlines[Clock.FIRST_BYTE]
        self._window = self._deadlines[Clock.WINDOW]
        self._silence = self._deadlines[Clock.SILENCE]
        self._write = self._deadlines[Clock.WRITE]
        self._keepalive = self._deadlines[Clock.KEEPALIVE]
        self._linger = self._deadlines[Clock.LINGER]
        self._parting = self._deadlines[Clock.PARTING]
        self._owed: Hashable | None = None
        self._unfinished: Hashable | None = None
        self._progress_bytes = 0

    def watch(self, facts: Facts) -> None:
        """Run those clocks for which the facts speak."""
        self._watch_first_byte(facts)
        self._watch_window(facts)
        self._watch_silence(facts)
        if facts.waits:
            self._keepalive.go_on(self._patience.keepalive_seconds)
        else:
            self._keepalive.cancel()

    def heard(self, size: int) -> None:
        """Note that bytes have come."""
        self._progress_bytes += size
        if self._progress_bytes >= PROGRESS_BYTES:
            self._progress_bytes = 0
            self._silence.cancel()

    def write_began(self) -> None:
        """Note that the sender does not take what it was sent."""
        self._write.start(self._patience.write_seconds)

    def write_ended(self) -> None:
        """Note that it has taken everything."""
        self._write.cancel()

    def linger(self) -> None:
        """Begin to wait for the other side to close."""
        self._linger.start(LINGER_SECONDS)

    def part(self) -> None:
        """Begin to wait for the last acks of a sender that may not send any longer."""
        self._parting.start(PARTING_SECONDS)

    def close(self) -> None:
        """Let go of everything."""
        for deadline in self._deadlines.values():
            deadline.close()

    def _watch_first_byte(self, facts: Facts) -> None:
        if facts.has_received:
            self._first_byte.cancel()
        elif facts.is_reading:
            self._first_byte.go_on(self._patience.first_byte_seconds)
        else:
            self._first_byte.hold()

    def _watch_window(self, facts: Facts) -> None:
        if not facts.is_reading:
            self._window.hold()
            return
        if facts.owed is None:
            self._window.cancel()
        elif facts.owed != self._owed:
            self._window.start(self._patience.window_seconds)
        else:
            self._window.go_on(self._patience.window_seconds)
        self._owed = facts.owed

    def _watch_silence(self, facts: Facts) -> None:
        if facts.unfinished != self._unfinished:
            self._unfinished = facts.unfinished
            self._silence.cancel()
            self._progress_bytes = 0
        if facts.unfinished is not None and facts.is_short:
            self._silence.go_on(SILENCE_SECONDS)
        else:
            self._silence.hold()
