"""One connection: bytes in, windows to the signer, acks out in order.

Every complete window is acknowledged once, after its receipt, in one write and
in the order in which the windows came. While a version 2 peer waits for us it
gets a keep-alive; a version 1 peer never does, because it takes any answer for
the ack of its window.
"""

import asyncio
import socket
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol, cast

from structlog.typing import FilteringBoundLogger

from beats_signer.receive.budget import Budget
from beats_signer.receive.deadline import Deadline
from beats_signer.sign.window import Receipt, Source, Window
from lumberjack import KEEPALIVE_V2, Batch, Connection, Limits, ProtocolError
from lumberjack import State as WireState

__all__ = ["Patience", "Session", "SessionState", "Signing"]

_EVENT_OVERHEAD_BYTES = 100
"""What CPython adds to a payload: the ``bytes`` object and its place in a tuple."""


class Signing(Protocol):
    """What a session needs of the signer."""

    def append(self, window: Window) -> Receipt:
        """Queue a window; the receipt is done when it is stored."""

    def acknowledged(self, connection: str, number: int) -> None:
        """Note that the ack of a window was handed to the network."""

    def lost(self, connection: str) -> None:
        """Note that a connection has ended."""


class SessionState(Enum):
    """Where a connection is in its life."""

    READING = "reading"
    PAUSED = "paused"
    FINISHING = "finishing"
    CLOSED = "closed"


TRANSITIONS: dict[SessionState, frozenset[SessionState]] = {
    SessionState.READING: frozenset(
        {SessionState.PAUSED, SessionState.FINISHING, SessionState.CLOSED}
    ),
    SessionState.PAUSED: frozenset(
        {SessionState.READING, SessionState.FINISHING, SessionState.CLOSED}
    ),
    # Nothing is read any more; what was complete still gets its ack.
    SessionState.FINISHING: frozenset({SessionState.CLOSED}),
    SessionState.CLOSED: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Patience:
    """How much a sender may send ahead, and how long it may take, in seconds."""

    read_ahead_windows: int = 4
    first_byte_seconds: float = 60.0
    window_seconds: float = 60.0
    write_seconds: float = 30.0
    keepalive_seconds: float = 5.0


@dataclass(slots=True)
class _Open:
    """A complete window that has no ack yet."""

    number: int
    batch: Batch
    held_bytes: int
    receipt: Receipt | None
    """``None`` for a window without events: nothing has to be stored."""

    @property
    def is_stored(self) -> bool:
        return self.receipt is None or self.receipt.done()


class Session(asyncio.Protocol):
    """The receiver's side of one connection. All of it runs in the event loop."""

    def __init__(
        self,
        signing: Signing,
        budget: Budget,
        patience: Patience,
        limits: Limits,
        log: FilteringBoundLogger,
        *,
        identify: Callable[[asyncio.Transport], Source],
        next_arrival: Callable[[], int],
        clock: Callable[[], int],
        began: Callable[["Session"], None],
        ended: Callable[["Session"], None],
    ) -> None:
        """Take what the session needs; it reports when it begins and ends."""
        self.state = SessionState.READING
        self.source: Source | None = None
        self.windows = 0
        self.events = 0
        self.acknowledged_events = 0
        self.keepalives = 0
        self._signing = signing
        self._budget = budget
        self._patience = patience
        self._limits = limits
        self._identify = identify
        self._next_arrival = next_arrival
        self._clock = clock
        self._began = began
        self._ended = ended
        self._wire = Connection(limits)
        self._open: deque[_Open] = deque()
        self._held_bytes = 0
        self._unwritten: list[int] = []
        self._writing_paused = False
        self._log = log
        loop = asyncio.get_running_loop()
        self._first_byte = Deadline(loop, self._first_byte_missing)
        self._window = Deadline(loop, self._window_missing)
        self._write = Deadline(loop, self._ack_not_taken)
        self._keepalive = Deadline(loop, self._send_keepalive)

    @property
    def open_windows(self) -> int:
        """Return how many complete windows wait for their ack."""
        return len(self._open)

    # What the transport calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin: find out who sends, and expect a first byte."""
        # uvloop's transports implement the interface without inheriting it.
        self._transport = cast(asyncio.Transport, transport)
        # Every byte that the kernel has not taken counts as not written.
        self._transport.set_write_buffer_limits(high=0)
        self._socket = transport.get_extra_info("socket")
        self.source = source = self._identify(self._transport)
        self._log = self._log.bind(peer=source.peer, sender=source.sender)
        self._first_byte.start(self._patience.first_byte_seconds)
        self._began(self)

    def data_received(self, data: bytes) -> None:
        """Take what has arrived, and all windows that are complete now."""
        self._first_byte.cancel()
        self._acknowledge_quickly()
        if self._takes_windows:
            self._wire.receive_data(data)
            self._take_batches()

    def eof_received(self) -> bool:
        """Take what is complete; without TLS the peer may still read its acks."""
        self.drain()
        return self._transport.get_extra_info("sslcontext") is None

    def pause_writing(self) -> None:
        """Give the peer some time to take what it was sent."""
        self._writing_paused = True
        self._write.start(self._patience.write_seconds)

    def resume_writing(self) -> None:
        """Note that all acks have reached the kernel."""
        self._writing_paused = False
        self._write.cancel()
        for number in self._unwritten:
            self._note_acknowledged(number)
        self._unwritten.clear()

    def connection_lost(self, exc: Exception | None) -> None:
        """End: windows without an ack may come again on another connection."""
        self._enter(SessionState.CLOSED)
        for deadline in (self._first_byte, self._window, self._write, self._keepalive):
            deadline.cancel()
        assert self.source is not None, "connection_made comes first"
        log = self._log.info if self.windows else self._log.debug
        log(
            "the connection ended",
            windows=self.windows,
            events=self.events,
            unacknowledged_windows=len(self._open),
            error=str(exc) if exc else None,
        )
        self._signing.lost(self.source.connection)
        self._budget.release(self)
        self._ended(self)

    # What the service calls.

    def drain(self) -> None:
        """Take what is complete, read nothing more, close after the last ack."""
        if self._takes_windows:
            self._first_byte.cancel()
            self._wire.receive_eof()
            self._take_batches()

    def abort(self) -> None:
        """Close at once, without the acks that are missing."""
        self._transport.abort()

    # Windows in.

    @property
    def _takes_windows(self) -> bool:
        return self.state in (SessionState.READING, SessionState.PAUSED)

    @property
    def _has_room(self) -> bool:
        return len(self._open) < self._patience.read_ahead_windows

    def _take_batches(self) -> None:
        """Take complete windows as far as the read-ahead goes; then pace."""
        try:
            while self._takes_windows and self._has_room:
                batch = self._wire.next_batch()
                if batch is None:
                    break
                self._take(batch)
        except ProtocolError as error:
            self._log.warning(
                "the sender broke the protocol, its connection is closed",
                reason=error.reason.value,
                error=str(error),
                unacknowledged_windows=len(self._open),
            )
            self._finish()
        if self._wire.state is WireState.CLOSED:
            self._finish()
        self._account()
        self._pace()

    def _take(self, batch: Batch) -> None:
        self._window.cancel()
        if not batch.acknowledged:
            self._log.info(
                "the sender ended within its window: what it sent is taken, unasked",
                announced=batch.size,
                events=len(batch.payloads),
            )
        self.windows += 1
        self.events += batch.size if batch.acknowledged else len(batch.payloads)
        receipt = self._append(batch) if batch.payloads else None
        held = batch.payload_bytes + _EVENT_OVERHEAD_BYTES * len(batch.payloads)
        self._held_bytes += held
        self._open.append(_Open(self.windows, batch, held, receipt))
        if receipt is None:
            self._write_acks()
        else:
            receipt.add_done_callback(self._on_receipt)

    def _append(self, batch: Batch) -> Receipt:
        assert self.source is not None, "connection_made comes first"
        return self._signing.append(
            Window(
                source=self.source,
                number=self.windows,
                arrival=self._next_arrival(),
                received=self._clock(),
                version=batch.version,
                size=batch.size,
                forms=batch.forms,
                payloads=batch.payloads,
                payload_bytes=batch.payload_bytes,
            )
        )

    # Acks out.

    def _on_receipt(self, receipt: Receipt) -> None:
        if receipt.cancelled() or receipt.exception() is not None:
            # The chain has stopped or the process ends: no ack is true now.
            if self.state is not SessionState.CLOSED:
                self.abort()
            return
        if self.state is not SessionState.CLOSED:
            self._write_acks()
            self._take_batches()
            self._close_when_done()

    def _write_acks(self) -> None:
        """Acknowledge from the front, as far as windows are stored."""
        while self._open and self._open[0].is_stored:
            done = self._open.popleft()
            self._held_bytes -= done.held_bytes
            if not done.batch.acknowledged:
                continue
            self._transport.write(done.batch.ack())
            self.acknowledged_events += len(done.batch.payloads)
            if self._writing_paused:
                self._unwritten.append(done.number)
            else:
                self._note_acknowledged(done.number)

    def _note_acknowledged(self, number: int) -> None:
        assert self.source is not None, "connection_made comes first"
        self._signing.acknowledged(self.source.connection, number)

    def _finish(self) -> None:
        """Read nothing more; close once every complete window has its ack."""
        if self._takes_windows:
            self._enter(SessionState.FINISHING)
            self._transport.pause_reading()
            self._close_when_done()

    def _close_when_done(self) -> None:
        if self.state is SessionState.FINISHING and not self._open:
            self._transport.close()

    # Pace and patience.

    def _account(self) -> None:
        if self.state is not SessionState.CLOSED:
            self._budget.hold(self, self._wire.buffered_bytes, self._held_bytes)

    def _pace(self) -> None:
        """Read on or pause, and set the clocks that go with it."""
        if not self._takes_windows:
            pass
        elif not self._has_room:
            self._pause()
        elif not self._budget.may_read(self):
            self._pause()
            self._budget.wait(self, self._resume_after_budget)
        else:
            self._resume()
        self._watch()

    def _pause(self) -> None:
        if self.state is SessionState.READING:
            self._enter(SessionState.PAUSED)
            self._transport.pause_reading()

    def _resume(self) -> None:
        if self.state is SessionState.PAUSED:
            self._enter(SessionState.READING)
            self._transport.resume_reading()

    def _resume_after_budget(self) -> None:
        # Called from within another session's accounting: leave that first.
        asyncio.get_running_loop().call_soon(self._take_batches)

    def _watch(self) -> None:
        """Run each clock exactly while its condition holds."""
        is_reading = self.state is SessionState.READING
        if is_reading and self._peer_owes_bytes():
            self._window.start_unless_running(self._patience.window_seconds)
        else:
            self._window.cancel()
        if self._peer_waits():
            self._keepalive.start_unless_running(self._patience.keepalive_seconds)
        else:
            self._keepalive.cancel()

    def _peer_owes_bytes(self) -> bool:
        """Tell whether the peer has begun something that it should finish.

        A version 1 peer of bare frames announces a window once and fills it as
        its events occur: it owes the rest of a frame, but not of a window.
        """
        if self._wire.state is WireState.BARE_WINDOW:
            return self._wire.frame_open
        return self._wire.window_open

    def _peer_waits(self) -> bool:
        """Tell whether a peer that reads keep-alives waits for us."""
        if self._wire.window_version == 1 or self.state is SessionState.CLOSED:
            return False
        if self._open:
            return self._open[0].batch.version == 2
        paused = self.state is SessionState.PAUSED
        return paused and self._wire.window_open

    def _send_keepalive(self) -> None:
        # A peer that does not take its acks would not take these either.
        if not self._writing_paused:
            self._transport.write(KEEPALIVE_V2)
            self.keepalives += 1
        self._watch()

    def _first_byte_missing(self) -> None:
        # Health checks connect and send nothing: not worth more than this.
        self._log.debug("the sender sent nothing, its connection is closed")
        self._transport.close()

    def _window_missing(self) -> None:
        self._log.warning(
            "the sender did not complete its window, its connection is closed",
            seconds=self._patience.window_seconds,
            announced=self._wire.window_size,
            received=self._wire.window_events,
        )
        self._finish()

    def _ack_not_taken(self) -> None:
        self._log.warning(
            "the sender does not read its acks, its connection is closed",
            seconds=self._patience.write_seconds,
        )
        self.abort()

    def _acknowledge_quickly(self) -> None:
        """Have the kernel confirm what arrived at once, before the next read.

        Senders that write the 6 bytes of a window frame by themselves wait for
        that confirmation; the delayed one costs them 40 ms for each window.
        """
        if _QUICKACK is not None and self._socket is not None:
            self._socket.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)

    def _enter(self, state: SessionState) -> None:
        if state not in TRANSITIONS[self.state]:
            raise RuntimeError(f"a {self.state.value} session cannot be {state.value}")
        self.state = state


_QUICKACK: int | None = getattr(socket, "TCP_QUICKACK", None)
