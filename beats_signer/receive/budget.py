"""The bytes that all connections together may hold in memory.

They are of two kinds. *Finished* windows are with the signer and come back as
soon as the store has them, also when their connection is gone by then.
*Unfinished* ones come back only when their senders go on. When the budget is
spent, every reader stops, whoever spent the last byte; when some of it has
come back, all go on.

Unfinished windows alone could spend it, and then nothing would ever come back:
everybody would wait for everybody else. So one reader is *excepted* until its
window is complete: the one that holds most, for it needs least to its end and
sets most free. As the others together then hold less than the limit, the limit
is exceeded by one window at most. An excepted sender has to send; the session
sees to that.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

__all__ = ["Budget", "Reader"]

_RESUME_SHARE = 8
"""One part in this many has to be free again before all read on. Without it they
would stop and go with every window."""


class Reader(Protocol):
    """Who reads from a sender. Neither call may report back while it runs."""

    def stop_reading(self) -> None:
        """Read nothing until ``go_on``: the budget is spent."""

    def go_on(self) -> None:
        """Report soon, and read when the answer allows it."""


@dataclass(slots=True)
class _Share:
    """What a reader last reported."""

    unfinished_bytes: int = 0
    wants: bool = False


class Budget:
    """One count of bytes, and who waits for it to fall."""

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self._low_bytes = limit_bytes - limit_bytes // _RESUME_SHARE
        self._shares: dict[Reader, _Share] = {}
        # Readers that would read if they might. A dict, because it has an order.
        self._waiting: dict[Reader, None] = {}
        self._unfinished_bytes = 0
        self._finished_bytes = 0
        self._is_spent = False
        self._excepted: Reader | None = None

    @property
    def used_bytes(self) -> int:
        """Return what is held at the moment, by all connections and the signer."""
        return self._unfinished_bytes + self._finished_bytes

    def may_read(self, reader: Reader) -> bool:
        """Tell whether *reader* may take more bytes now."""
        return not self._is_spent or reader is self._excepted

    @property
    def is_spent(self) -> bool:
        """Tell whether readers have to wait."""
        return self._is_spent

    @property
    def is_blocked(self) -> bool:
        """Tell whether they wait for nothing but unfinished windows."""
        return self._is_spent and not self._finished_bytes

    def report(self, reader: Reader, *, unfinished_bytes: int, wants: bool) -> bool:
        """Take note of what *reader* holds and wants; tell whether it may read.

        One that may not is called when it may.
        """
        share = self._shares.setdefault(reader, _Share())
        self._unfinished_bytes += unfinished_bytes - share.unfinished_bytes
        share.unfinished_bytes = unfinished_bytes
        share.wants = wants
        if not wants:
            self._waiting.pop(reader, None)
            self._end_exception(reader)
        self._judge(reader)
        return self.may_read(reader)

    def complete(self, reader: Reader, held_bytes: int) -> None:
        """Count a window of *reader* that is complete, until ``give_back``.

        Call it before the ``report`` in which the window is unfinished no more.
        """
        self._finished_bytes += held_bytes
        self._end_exception(reader)

    def give_back(self, held_bytes: int) -> None:
        """Take note that a complete window has left the memory."""
        self._finished_bytes -= held_bytes
        self._judge(None)

    def leave(self, reader: Reader) -> None:
        """Forget *reader*, whose connection has ended."""
        share = self._shares.pop(reader, _Share())
        self._unfinished_bytes -= share.unfinished_bytes
        self._waiting.pop(reader, None)
        self._end_exception(reader)
        self._judge(None)

    def _end_exception(self, reader: Reader) -> None:
        if reader is self._excepted:
            self._excepted = None

    @property
    def _enough_bytes(self) -> int:
        """Return below what use all go on; nothing else to wait for, the limit."""
        return self._low_bytes if self._finished_bytes else self.limit_bytes

    def _judge(self, reporting: Reader | None) -> None:
        """Stop all, let all go on, or except one; the reporting one is not called."""
        if not self._is_spent and self.used_bytes >= self.limit_bytes:
            self._is_spent = True
            self._stop(one for one in self._shares if one is not reporting)
        elif self._is_spent and self.used_bytes < self._enough_bytes:
            self._is_spent = False
            self._excepted = None
            waiting, self._waiting = self._waiting, {}
            self._wake(waiting, reporting)
        if not self._is_spent:
            return
        if reporting is not None and self._shares[reporting].wants:
            self._waiting.setdefault(reporting)
        if not self._finished_bytes and self._excepted is None:
            self._except_one(reporting)

    def _stop(self, readers: Iterable[Reader]) -> None:
        for reader in readers:
            if self._shares[reader].wants:
                self._waiting[reader] = None
                reader.stop_reading()

    def _except_one(self, reporting: Reader | None) -> None:
        held = {one: self._shares[one].unfinished_bytes for one in self._waiting}
        chosen = max(held, key=held.__getitem__, default=None)
        # When one that does not want to read holds even more, nobody is excepted:
        # it does not take its acknowledgements and will soon be gone.
        if chosen is not None and self.used_bytes - held[chosen] < self.limit_bytes:
            self._excepted = chosen
            self._wake([chosen], reporting)

    def _wake(self, readers: Iterable[Reader], reporting: Reader | None) -> None:
        for reader in readers:
            if reader is not reporting:
                reader.go_on()
