"""Windows that were sealed before, recognised when they come again.

A sender that got no ack sends the same window again. Its events are in the
chain already, so the second copy is acknowledged without being sealed twice.
A window is recognised when

- the hash over (form, payload) of its events is equal,
- the sender's certificate and address (without port) are the same,
- its connection was opened after the earlier window was received, and it is
  among the first *read-ahead* windows of that connection,
- the earlier window's ack is not known to have been written (after a crash:
  it is among the last *read-ahead* windows of a connection that was open).

Each earlier window is recognised once. It is forgotten 10 minutes after the
first such connection was opened, and after 24 hours at the latest.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

__all__ = ["RecognisedWindows", "SentWindow"]

AFTER_REOPENING_NS = 10 * 60 * 10**9
AT_THE_LATEST_NS = 24 * 60 * 60 * 10**9

Owner = tuple[str, int]
"""A window by the connection it came on and its number there."""
Peer = tuple[str | None, str]
"""Certificate fingerprint and address without port."""


@dataclass(frozen=True, slots=True)
class SentWindow:
    """A sealed window that its sender may send again.

    ``received`` is in nanoseconds since 1970; ``arrival`` orders windows and
    connections of this process, 0 for those of an earlier one.
    """

    connection: str
    window: int
    certificate: str | None
    address: str
    fingerprint: bytes
    first: int
    seal: int
    received: int
    arrival: int = 0

    @property
    def owner(self) -> Owner:
        """Name the window; this is its row in the journal too."""
        return self.connection, self.window

    @property
    def peer(self) -> Peer:
        """Name who may send it again."""
        return self.certificate, self.address


@dataclass(slots=True)
class _Connection:
    """What one open connection holds: windows unacknowledged, rows to keep."""

    waiting: dict[int, SentWindow] = field(default_factory=dict)
    written: deque[Owner] = field(default_factory=deque)


class RecognisedWindows:
    """The windows of one chain that may come again. One thread at a time."""

    def __init__(self, read_ahead: int, earlier: Iterable[SentWindow] = ()) -> None:
        """Start with the windows that the journal still holds."""
        self._read_ahead = read_ahead
        self._candidates: dict[tuple[Peer, bytes], deque[SentWindow]] = {}
        self._connections: dict[str, _Connection] = {}
        self._holders: dict[Owner, Owner] = {}
        self._reopened: dict[Peer, int] = {}
        self._forgotten: list[Owner] = []
        for window in earlier:
            self._offer(window)

    def opened(self, peer: Peer, now: int) -> None:
        """Note that *peer* is back: what it has not resent soon, it never will."""
        self._reopened.setdefault(peer, now)

    def sealed(self, sent: SentWindow) -> None:
        """Remember a window that is in the journal and not acknowledged."""
        self._hold(sent, sent.owner)

    def match(
        self, peer: Peer, fingerprint: bytes, owner: Owner, opened: int, arrival: int
    ) -> SentWindow | None:
        """Return the earlier window that *owner* repeats, and hand it over.

        From then on it waits for the ack of the connection that repeated it,
        so that a third copy on yet another connection is recognised as well.
        *opened* and *arrival* order that connection and this window.
        """
        candidates = self._candidates.get((peer, fingerprint))
        if not candidates or candidates[0].arrival > opened:
            return None
        earlier = candidates[0]
        self._withdraw(earlier)
        holder = self._holders.pop(earlier.owner, None)
        if holder is not None:
            self._connections[holder[0]].waiting.pop(holder[1], None)
        self._hold(replace(earlier, arrival=arrival), owner)
        return earlier

    def acknowledged(self, owner: Owner) -> None:
        """Note that the ack of a window was written: it will not come again."""
        name, number = owner
        connection = self._connections.get(name)
        if connection is None or number not in connection.waiting:
            return
        window = connection.waiting.pop(number)
        self._holders.pop(window.owner, None)
        self._withdraw(window)
        connection.written.append(window.owner)
        if len(connection.written) > self._read_ahead:
            self._forgotten.append(connection.written.popleft())

    def lost(self, name: str) -> None:
        """Note the end of a connection: its unacknowledged windows may return."""
        connection = self._connections.pop(name, None)
        if connection is None:
            return
        self._forgotten.extend(connection.written)
        for window in connection.waiting.values():
            self._holders.pop(window.owner, None)
            self._reopened.pop(window.peer, None)

    def expire(self, now: int) -> None:
        """Drop what is too old to come again; *now* in nanoseconds since 1970."""
        for window in [w for queue in self._candidates.values() for w in queue]:
            returned = self._reopened.get(window.peer, now)
            is_lost = window.owner not in self._holders
            if now - window.received > AT_THE_LATEST_NS or (
                is_lost and now - returned > AFTER_REOPENING_NS
            ):
                self._withdraw(window)
                self._forgotten.append(window.owner)
        peers = {peer for peer, _ in self._candidates}
        for peer in self._reopened.keys() - peers:
            del self._reopened[peer]

    def take_forgotten(self) -> list[Owner]:
        """Return the journal rows that are of no more use, once."""
        forgotten, self._forgotten = self._forgotten, []
        return forgotten

    def _hold(self, window: SentWindow, owner: Owner) -> None:
        name, number = owner
        connection = self._connections.setdefault(name, _Connection())
        connection.waiting[number] = window
        self._holders[window.owner] = owner
        self._offer(window)

    def _offer(self, window: SentWindow) -> None:
        key = window.peer, window.fingerprint
        self._candidates.setdefault(key, deque()).append(window)

    def _withdraw(self, window: SentWindow) -> None:
        key = window.peer, window.fingerprint
        candidates = self._candidates.get(key)
        if candidates is None or window not in candidates:
            return
        candidates.remove(window)
        if not candidates:
            del self._candidates[key]
