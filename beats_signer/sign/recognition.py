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
first such connection has sent something, and after 24 hours at the latest.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

__all__ = ["RecognisedWindows", "SentWindow"]

AFTER_RETURN_NS = 10 * 60 * 10**9
AT_THE_LATEST_NS = 24 * 60 * 60 * 10**9

_LOST_WINDOWS = 16_384
"""Windows of ended connections that are remembered, about 1 KiB each. Above it
the oldest are forgotten: their copies, if any, are sealed again."""
_LOST_WINDOWS_OF_PEER = 1024
"""Of those, windows of one peer: nobody can push out what others may resend."""

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


@dataclass(slots=True, eq=False)
class _Candidate:
    """A sealed window whose ack is not known to have been written."""

    sent: SentWindow
    arrival: int
    """Of its newest copy."""
    holder: Owner | None = None
    """The newest copy, as long as its connection is open."""
    returned: int | None = None
    """When its peer first sent something on a later connection."""


@dataclass(slots=True)
class _Connection:
    """What one open connection holds: windows without ack, rows to keep."""

    waiting: dict[int, _Candidate] = field(default_factory=dict)
    written: deque[Owner] = field(default_factory=deque)


class RecognisedWindows:
    """The windows of one chain that may come again. One thread at a time."""

    def __init__(self, read_ahead: int, earlier: Iterable[SentWindow] = ()) -> None:
        """Start with the windows that the journal still holds."""
        self._read_ahead = read_ahead
        self._connections: dict[str, _Connection] = {}
        # The same candidates three times, each time in the order of arrival.
        self._by_content: dict[tuple[Peer, bytes], dict[Owner, _Candidate]] = {}
        self._by_peer: dict[Peer, dict[Owner, _Candidate]] = {}
        self._lost: dict[Owner, _Candidate] = {}
        self._forgotten: list[Owner] = []
        for sent in earlier:
            self._add(_Candidate(sent, sent.arrival))

    def __len__(self) -> int:
        """Return how many windows could be recognised now."""
        return sum(map(len, self._by_peer.values()))

    def sealed(self, sent: SentWindow) -> None:
        """Remember a window whose ack has not been written."""
        self._add(_Candidate(sent, sent.arrival), holder=sent.owner)

    def match(self, sent: SentWindow, opened: int) -> SentWindow | None:
        """Return the earlier window that *sent* repeats, and hand it over.

        From then on it waits for the ack of the connection that repeated it, so
        that a third copy on yet another connection is recognised as well.
        *opened* orders the connection of *sent*.
        """
        if sent.connection not in self._connections:
            self._note_return(sent.peer, opened, sent.received)
        copies = self._by_content.get((sent.peer, sent.fingerprint))
        if copies is None:
            return None
        candidate = next(iter(copies.values()))
        if candidate.arrival > opened:
            return None
        self._remove(candidate)
        self._add(_Candidate(candidate.sent, sent.arrival), holder=sent.owner)
        return candidate.sent

    def acknowledged(self, owner: Owner) -> None:
        """Note that the ack of a window was written: it will not come again."""
        name, number = owner
        connection = self._connections.get(name)
        if connection is None or number not in connection.waiting:
            return
        candidate = connection.waiting[number]
        self._remove(candidate)
        connection.written.append(candidate.sent.owner)
        self._trim(connection)

    def lost(self, name: str, now: int) -> None:
        """Note the end of a connection: its windows without ack may return."""
        connection = self._connections.pop(name, None)
        if connection is None:
            return
        self._forgotten.extend(connection.written)
        for candidate in connection.waiting.values():
            candidate.holder = None
            self._lost[candidate.sent.owner] = candidate
            # A peer that was back before we noticed gets its time all the same.
            if candidate.returned is not None:
                candidate.returned = now
            self._limit_peer(candidate.sent.peer)
        while len(self._lost) > _LOST_WINDOWS:
            self._forget(next(iter(self._lost.values())))

    def expire(self, now: int) -> None:
        """Forget what is too old to come again; *now* in nanoseconds since 1970."""
        candidates = [one for own in self._by_peer.values() for one in own.values()]
        for candidate in candidates:
            returned = candidate.returned
            is_settled = (
                candidate.holder is None
                and returned is not None
                and now - returned > AFTER_RETURN_NS
            )
            if is_settled or now - candidate.sent.received > AT_THE_LATEST_NS:
                self._forget(candidate)

    def take_forgotten(self) -> list[Owner]:
        """Return the journal rows that are of no more use, once."""
        forgotten, self._forgotten = self._forgotten, []
        return forgotten

    def _note_return(self, peer: Peer, opened: int, now: int) -> None:
        for candidate in self._by_peer.get(peer, {}).values():
            if candidate.returned is None and candidate.arrival <= opened:
                candidate.returned = now

    def _limit_peer(self, peer: Peer) -> None:
        lost = [one for one in self._by_peer[peer].values() if one.holder is None]
        if len(lost) > _LOST_WINDOWS_OF_PEER:
            self._forget(lost[0])

    def _forget(self, candidate: _Candidate) -> None:
        self._remove(candidate)
        self._forgotten.append(candidate.sent.owner)

    def _trim(self, connection: _Connection) -> None:
        kept = self._read_ahead - len(connection.waiting)
        while connection.written and len(connection.written) > kept:
            self._forgotten.append(connection.written.popleft())

    def _add(self, candidate: _Candidate, holder: Owner | None = None) -> None:
        sent = candidate.sent
        candidate.holder = holder
        self._by_content.setdefault((sent.peer, sent.fingerprint), {})[sent.owner] = (
            candidate
        )
        self._by_peer.setdefault(sent.peer, {})[sent.owner] = candidate
        if holder is None:
            self._lost[sent.owner] = candidate
            return
        name, number = holder
        connection = self._connections.setdefault(name, _Connection())
        connection.waiting[number] = candidate
        self._trim(connection)

    def _remove(self, candidate: _Candidate) -> None:
        sent = candidate.sent
        content = sent.peer, sent.fingerprint
        del self._by_content[content][sent.owner]
        if not self._by_content[content]:
            del self._by_content[content]
        del self._by_peer[sent.peer][sent.owner]
        if not self._by_peer[sent.peer]:
            del self._by_peer[sent.peer]
        self._lost.pop(sent.owner, None)
        if candidate.holder is not None:
            name, number = candidate.holder
            del self._connections[name].waiting[number]
