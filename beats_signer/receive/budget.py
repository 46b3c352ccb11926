"""The bytes that all connections together may hold in memory.

A session that finds the budget spent stops reading and waits. Bytes come back
when windows are acknowledged and when connections end. If only unfinished
windows hold bytes, nothing of that would ever happen, so the session that has
waited longest may then read on to the end of its window: the budget is exceeded
by one window at most, and no two senders can block each other.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable

__all__ = ["Budget"]


class Budget:
    """One count of bytes, and who waits for it to fall."""

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self._held: dict[Hashable, tuple[int, int]] = {}
        self._partial_bytes = 0
        self._complete_bytes = 0
        self._waiting: OrderedDict[Hashable, Callable[[], None]] = OrderedDict()
        self._excepted: Hashable | None = None

    @property
    def used_bytes(self) -> int:
        """Return what all connections hold."""
        return self._partial_bytes + self._complete_bytes

    def hold(self, owner: Hashable, partial_bytes: int, complete_bytes: int) -> None:
        """Set what *owner* holds: of unfinished windows, and of complete ones."""
        partial, complete = self._held.get(owner, (0, 0))
        self._partial_bytes += partial_bytes - partial
        self._complete_bytes += complete_bytes - complete
        self._held[owner] = partial_bytes, complete_bytes
        if owner == self._excepted and complete_bytes:
            self._excepted = None
        if partial_bytes + complete_bytes < partial + complete:
            self._wake()

    def may_read(self, owner: Hashable) -> bool:
        """Tell whether *owner* may take more bytes now."""
        return self.used_bytes < self.limit_bytes or owner == self._excepted

    def wait(self, owner: Hashable, resume: Callable[[], None]) -> None:
        """Call *resume* once when *owner* may read again."""
        self._waiting[owner] = resume
        self._wake()

    def release(self, owner: Hashable) -> None:
        """Forget *owner*, whose connection has ended."""
        self._waiting.pop(owner, None)
        if owner == self._excepted:
            self._excepted = None
        partial, complete = self._held.pop(owner, (0, 0))
        self._partial_bytes -= partial
        self._complete_bytes -= complete
        self._wake()

    def _wake(self) -> None:
        while self._waiting and self.used_bytes < self.limit_bytes:
            _, resume = self._waiting.popitem(last=False)
            resume()
        if self._waiting and not self._complete_bytes and self._excepted is None:
            self._excepted, resume = self._waiting.popitem(last=False)
            resume()
