"""The bytes that all connections together may hold in memory.

They are of two kinds. *Finished* windows are with the signer and come back as
soon as the store has them, also when their connection is gone by then.
*Unfinished* ones come back only when their senders go on. When all but an eighth
of the budget is spent, every reader stops, whoever spent it; when another eighth
has come back, all go on.

Unfinished windows could spend it, and then nothing might ever come back: everybody
would wait for everybody else, for what a stuck chain holds (half of the budget at
most) does not come back either. While no more than that is finished, one reader is
*excepted* until its window is complete: of those for whom something has arrived the
one that holds most, for it needs least to its end and sets most free. When nothing
more has arrived for it, the next one is excepted in its place. What is read in this
way comes out of the eighth that was left; all but the excepted one together always
hold less than the limit, so it is exceeded by one window at most. A sender that
does not go on although it holds memory is closed by its session.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

__all__ = ["Budget", "Reader"]

_PARTS = 8
"""One part in this many is the reserve, and has to come back before all go on:
without that they would stop and go with every window."""


class Reader(Protocol):
    """Who reads from a sender. None of these calls may report back while it runs."""

    def stop_reading(self) -> None:
        """Read nothing until ``go_on``: the budget is spent."""

    def go_on(self) -> None:
        """Report soon, and read when the answer allows it."""

    def has_unread(self) -> bool:
        """Tell whether something has arrived that could be read or taken."""


@dataclass(slots=True)
class _Share:
    """What a reader last reported."""

    unfinished_bytes: int = 0
    wants: bool = False


class Budget:
    """One count of bytes, and who waits for it to fall."""

    def __init__(self, limit_bytes: int, *, is_within_another: bool = False) -> None:
        """Take the limit.

        A budget within another may exceed its own, for that one bounds them all: it
        excepts somebody however much the others hold, but does not pass that on
        while they hold as much as the limit. Who stops then is closed for its
        silence.
        """
        self.limit_bytes = limit_bytes
        self._is_within_another = is_within_another
        self._stop_bytes = limit_bytes - limit_bytes // _PARTS
        self._low_bytes = limit_bytes - 2 * (limit_bytes // _PARTS)
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

    @property
    def is_spent(self) -> bool:
        """Tell whether readers have to wait."""
        return self._is_spent

    @property
    def is_blocked(self) -> bool:
        """Tell whether somebody waits, and not for the store alone."""
        return bool(self._waiting) and not self._waits_for_store

    def may_read(self, reader: Reader) -> bool:
        """Tell whether *reader* may take more bytes now."""
        return not self._is_spent or reader is self._excepted

    def excepts(self, reader: Reader) -> bool:
        """Tell whether *reader* may read although others have to wait."""
        return reader is self._excepted

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

    def _judge(self, reporting: Reader | None) -> None:
        """Stop all, let all go on, or except one; the reporting one is not called."""
        if not self._is_spent and self.used_bytes >= self._stop_bytes:
            self._is_spent = True
            self._stop(one for one in self._shares if one is not reporting)
        elif self._is_spent and self.used_bytes < self._enough_bytes:
            self._is_spent = False
            self._excepted = None
            waiting, self._waiting = self._waiting, {}
            self._wake(waiting, reporting)
        if not self._is_spent:
            return
        if reporting not in (None, self._excepted) and self._shares[reporting].wants:
            self._waiting.setdefault(reporting)
        if not self._waits_for_store:
            self._except_one(reporting)

    @property
    def _waits_for_store(self) -> bool:
        """Tell whether so much is finished that some of it will be stored."""
        return self._finished_bytes > self.limit_bytes // 2

    @property
    def _enough_bytes(self) -> int:
        """Return below what use all go on; without finished windows, at once."""
        return self._low_bytes if self._finished_bytes else self._stop_bytes

    def _stop(self, readers: Iterable[Reader]) -> None:
        for reader in readers:
            if self._shares[reader].wants:
                self._waiting[reader] = None
                reader.stop_reading()

    def _wake(self, readers: Iterable[Reader], reporting: Reader | None) -> None:
        for reader in readers:
            if reader is not reporting:
                reader.go_on()

    # The exception.

    def _except_one(self, reporting: Reader | None) -> None:
        """Except who can use it; without such a one, whoever has it keeps it."""
        before = self._excepted
        if before is not None and (before.has_unread() or self._has_to_end(before)):
            return
        chosen = self._choose(one for one in self._waiting if one.has_unread())
        if chosen is None and before is None:
            chosen = self._choose(self._waiting)
        if chosen is None:
            return
        if before is not None:
            self._waiting[before] = None
            if before is not reporting:
                before.stop_reading()
        self._excepted = chosen
        del self._waiting[chosen]
        self._wake([chosen], reporting)

    def _choose(self, readers: Iterable[Reader]) -> Reader | None:
        """Return the one that holds most, if the others leave room for its window.

        They do not when one that cannot read holds even more: it does not take
        its acknowledgements and will soon be gone.
        """
        held = {reader: self._shares[reader].unfinished_bytes for reader in readers}
        chosen = max(held, key=held.__getitem__, default=None)
        if chosen is None or self._is_within_another or self._leaves_room(chosen):
            return chosen
        return None

    def _has_to_end(self, reader: Reader) -> bool:
        """Tell whether nobody else may be excepted before this one has ended."""
        is_idle = not self._shares[reader].unfinished_bytes
        return self._is_within_another and not (is_idle or self._leaves_room(reader))

    def _leaves_room(self, reader: Reader) -> bool:
        others_bytes = self.used_bytes - self._shares[reader].unfinished_bytes
        return others_bytes < self.limit_bytes

    def _end_exception(self, reader: Reader) -> None:
        if reader is self._excepted:
            self._excepted = None
