"""What each sender may have on its way to the store while others send as well.

Windows are stored in the order in which they came: who has fifty times as many on
the way has fifty times the throughput, and the others wait behind it. So while
several senders are active, each has an equal share of a part of the memory. One
whose complete windows fill its share is not read, on any of its connections, until
half of that is stored. What it sends by then is late, and never lost.

Who is alone has all memory. A share is never less than one window, and one that is
full holds windows, which the store will give back: so nobody waits for nothing.

Windows that are not complete have a budget of their own for each sender, by the
same rules as that of all: large ones on many connections would fill the memory, and
who sends small ones would be the last to be excepted. Whom the budget of all
excepts may go on whatever that of its sender says, or both would wait for ever.
"""

from collections.abc import Callable

from beats_signer.receive.budget import Budget, Reader

__all__ = ["ACTIVE_SECONDS", "PART", "Share", "Shares"]

PART = 8
"""All shares together are one part in this many of the memory: at 256 MiB some
sixteen windows of Filebeat for each of two senders, which keeps a store busy."""

_UNFINISHED_PART = 4
"""Windows of one sender that are not complete may take one part in this many, and
one window more: together with that the largest leaves room for others."""

ACTIVE_SECONDS = 10.0
"""How long a sender counts as active after a window."""


class Share:
    """What one sender has on the way, over all of its connections."""

    def __init__(self, shares: "Shares", unfinished_bytes: int) -> None:
        self.may_take = True
        """Another window may be read and taken."""
        self.budget = Budget(unfinished_bytes, is_within_another=True)
        """Of windows that are not complete."""
        self._shares = shares
        self._readers: dict[Reader, None] = {}
        self._finished_bytes = 0

    @property
    def is_unused(self) -> bool:
        """Tell whether there is nothing to remember."""
        return not self._readers and not self._finished_bytes

    def complete(self, reader: Reader, held_bytes: int) -> None:
        """Count a window of *reader* that is complete, until ``give_back``.

        Its other connections are told to stop when the share is full.
        """
        self._finished_bytes += held_bytes
        self._shares.note(self)
        if self.may_take and self._finished_bytes >= self._shares.each_bytes:
            self.may_take = False
            for other in self._readers:
                if other is not reader:
                    other.stop_reading()

    def give_back(self, held_bytes: int) -> None:
        """Take note that a complete window has left the memory."""
        self._finished_bytes -= held_bytes
        if not self.may_take and self._finished_bytes < self._shares.each_bytes / 2:
            self.may_take = True
            for reader in tuple(self._readers):
                reader.go_on()
        self._shares.forget(self)

    def join(self, reader: Reader) -> None:
        """Add a connection."""
        self._readers[reader] = None

    def leave(self, reader: Reader) -> None:
        """Forget a connection, which has ended."""
        del self._readers[reader]
        self.budget.leave(reader)
        self._shares.forget(self)


class Shares:
    """The shares of all senders. The event loop alone uses it."""

    def __init__(self, memory_bytes: int, clock: Callable[[], float]) -> None:
        """Take all memory there is, and a *clock* in seconds."""
        self._memory_bytes = memory_bytes
        self._clock = clock
        self._shares: dict[str, Share] = {}
        self._parties: dict[Share, str] = {}
        self._active: dict[Share, float] = {}
        """When each had its last window, the oldest first."""

    def __len__(self) -> int:
        """Return how many senders are remembered."""
        return len(self._shares)

    @property
    def each_bytes(self) -> float:
        """Return what each of those who are active may have on the way."""
        end = self._clock() - ACTIVE_SECONDS
        while self._active and self._active[oldest := next(iter(self._active))] <= end:
            del self._active[oldest]
        if len(self._active) < 2:
            return self._memory_bytes
        return self._memory_bytes / PART / len(self._active)

    def of(self, party: str) -> Share:
        """Return the share of a sender."""
        share = self._shares.get(party)
        if share is None:
            unfinished_bytes = self._memory_bytes // _UNFINISHED_PART
            share = self._shares[party] = Share(self, unfinished_bytes)
            self._parties[share] = party
        return share

    def note(self, share: Share) -> None:
        """Note that its sender is active."""
        self._active.pop(share, None)
        self._active[share] = self._clock()

    def forget(self, share: Share) -> None:
        """Forget a share if it is unused."""
        if share.is_unused and share in self._parties:
            del self._shares[self._parties.pop(share)]
