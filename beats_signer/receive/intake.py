"""What one sender has sent and nobody has taken yet."""

from collections.abc import Hashable

from lumberjack import Batch, Connection, Limits, State

__all__ = ["EVENT_BYTES", "Intake"]

EVENT_BYTES = 100
"""What CPython adds to a payload: the ``bytes`` object and its place in a tuple."""


class Intake:
    """The receiving half of the wire format, as a session looks at it."""

    def __init__(self, limits: Limits) -> None:
        self.has_received = False
        self.is_exhausted = True
        """The buffer cannot hold another complete window."""
        self.unfinished_events = 0
        """After ``drop``: how many events were dropped with an unfinished window."""
        self._limits = limits
        self._wire = Connection(limits)
        self._windows = 0
        self._speaks_version_1 = False
        self._has_ended = False

    @property
    def unfinished_bytes(self) -> int:
        """Return what is held in memory."""
        return self._wire.buffered_bytes + EVENT_BYTES * self._wire.window_events

    @property
    def may_stay_unfinished(self) -> bool:
        """Tell whether what is there of the open window counts without the rest."""
        return self._wire.state is State.BARE_WINDOW

    @property
    def announced(self) -> int:
        """Return how many events the window that is open will have."""
        return self._wire.window_size

    @property
    def received(self) -> int:
        """Return how many of them are there."""
        return self._wire.window_events

    @property
    def is_at_end(self) -> bool:
        """Tell whether the sender has ended and everything has been taken."""
        return self._wire.state is State.CLOSED

    @property
    def version(self) -> int | None:
        """Return the version that the sender speaks; one that mixes speaks 1."""
        version = self._wire.window_version
        self._speaks_version_1 |= version == 1
        return 1 if self._speaks_version_1 else version

    def feed(self, data: bytes) -> None:
        """Take what has arrived."""
        self.has_received = True
        self.is_exhausted = False
        self._wire.receive_data(data)

    def end(self) -> None:
        """Note that nothing more will come, and that this is in order."""
        self._has_ended = True
        self.is_exhausted = False
        self._wire.receive_eof()

    def next_batch(self) -> Batch | None:
        """Return the next complete window, or ``None`` when there is none.

        Raises:
            ProtocolError: As the wire format says: take nothing more.
        """
        batch = self._wire.next_batch()
        if batch is None:
            self.is_exhausted = True
        else:
            self._windows += 1
            self._speaks_version_1 |= batch.version == 1
            self.is_exhausted = not self._has_ended and not self._wire.buffered_bytes
        return batch

    def owed(self) -> Hashable | None:
        """Name what the sender has begun and should finish, if there is anything.

        A version 1 sender of bare frames announces a window once and fills it as
        its events occur: it owes the rest of a frame, but not of a window.
        """
        if not self.may_stay_unfinished:
            return self._windows if self._wire.window_open else None
        if not self._wire.frame_open:
            return None
        return self._windows, self._wire.window_events

    def unfinished(self) -> Hashable | None:
        """Name the window that is in memory without its rest, if there is one.

        Nothing can be said of a buffer that may hold a complete window.
        """
        is_unfinished = self.is_exhausted and self.unfinished_bytes > 0
        return self._windows if is_unfinished else None

    def drop(self) -> None:
        """Let go of what is unfinished."""
        self.unfinished_events += self._wire.window_events
        self._wire = Connection(self._limits)
        self.is_exhausted = True
