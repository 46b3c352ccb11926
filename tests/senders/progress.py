"""How far a sender has come, for a test that watches it from another thread."""

from threading import Condition

from tests.senders.output import PATIENCE_SECONDS

__all__ = ["Progress"]


class Progress:
    """Events that were acknowledged."""

    def __init__(self) -> None:
        self._acknowledged = 0
        self._changed = Condition()

    @property
    def acknowledged(self) -> int:
        with self._changed:
            return self._acknowledged

    def add(self, events: int) -> None:
        """Count the events of one window."""
        with self._changed:
            self._acknowledged += events
            self._changed.notify_all()

    def wait_for(self, events: int) -> None:
        """Return when at least so many events are acknowledged."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._acknowledged >= events, PATIENCE_SECONDS
            )
            assert self._acknowledged >= events
