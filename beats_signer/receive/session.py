"""One connection: bytes in, windows to the signer, acks out in order.

Every complete window is acknowledged once, after its receipt, in one write and
in the order in which the windows came. While a version 2 peer waits for us it
gets a keep-alive; a version 1 peer never does, because it takes any answer for
the ack of its window.

Windows are taken one at a time, in turns with other connections, and nothing is
read while the buffer may hold another: so one connection holds up the others
for one window at most, and buffers little beyond one.

An error in this program ends the connection in which it happens: its sender
gets no ack that might be untrue, and sends again.
"""

import asyncio
from collections.abc import Callable
from typing import cast

from beats_signer.receive.clocks import Clock, Clocks, Facts
from beats_signer.receive.intake import Intake
from beats_signer.receive.outstanding import Outstanding
from beats_signer.receive.places import party_of
from beats_signer.receive.refusal import UnwelcomeError
from beats_signer.receive.state import TRANSITIONS, SessionState
from beats_signer.receive.terms import Host, Terms
from beats_signer.sign.window import Source
from lumberjack import KEEPALIVE_V2, Batch, ProtocolError

__all__ = ["Session"]

_RECEIVING = frozenset({SessionState.READING, SessionState.PAUSED})
_TAKING = _RECEIVING | {SessionState.ENDED}
_ACKNOWLEDGING = _TAKING | {SessionState.FINISHING}
_OVER = frozenset({SessionState.CLOSING, SessionState.CLOSED})


class Session(asyncio.Protocol):
    """The receiver's side of one connection. All of it runs in the event loop."""

    source: Source
    outstanding: Outstanding

    def __init__(self, terms: Terms, host: Host) -> None:
        """Take what the session needs; it tells *host* when it begins and ends.

        ``source`` and ``outstanding`` are there once it has begun.
        """
        self.state = SessionState.STARTING
        self.keepalives = 0
        self._terms = terms
        self._host = host
        self._log = terms.log
        self._intake = Intake(terms.limits)
        self._clocks = Clocks(
            terms.timers,
            terms.patience,
            lambda clock: self._guard(lambda: self._on_clock(clock)),
        )
        self._peer_has_ended = False
        self._is_scheduled = False
        self._party = ""

    # What the transport calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin: find out who sends, and expect a first byte."""
        # uvloop's transports implement the interface without inheriting it.
        self._transport = cast(asyncio.Transport, transport)
        self._guard(self._begin)

    def data_received(self, data: bytes) -> None:
        """Take what has arrived."""
        if self.state in _RECEIVING:
            self._clocks.heard(len(data))
            self._terms.kernel.confirm_quickly(self._socket)
            self._intake.feed(data)
            if self._terms.turns.has_time():
                self._advance()
            else:
                self._settle()

    def eof_received(self) -> bool:
        """Take what is complete; the peer may still read its acks."""
        if self.state is SessionState.LINGERING:
            self._close()
            return False
        self._peer_has_ended = True
        self.end()
        return True

    def pause_writing(self) -> None:
        """Give the peer some time to take what it was sent; take nothing from it."""
        self.outstanding.hold_up()
        self._clocks.write_began()

    def resume_writing(self) -> None:
        """Note that all acks have reached the kernel."""
        self.outstanding.go_on()
        self._clocks.write_ended()
        self._schedule()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop: windows without an ack may come again on another connection."""
        had_begun = self.state is not SessionState.STARTING
        error = None if exc is None or self.state in _OVER else str(exc)
        self._enter(SessionState.CLOSED)
        self._clocks.close()
        if had_begun:
            self._intake.drop()
            self._log_end(error)
            self._terms.signing.lost(self.source.connection)
            self._terms.budget.leave(self)
            self._share.leave(self)
            self._host.ended(self)
        self._host.left()

    # What the service calls.

    def end(self) -> None:
        """Take what is complete, read nothing more, close after the last ack."""
        if self.state in _RECEIVING:
            self._pause()
            self._enter(SessionState.ENDED)
            self._intake.end()
            self._settle()

    def dismiss(self) -> None:
        """Take nothing more from a sender that may not send any longer.

        The windows that were taken get their acks, if the store is quick.
        """
        self._guard(self._part)

    def abort(self) -> None:
        """Close at once, without the acks that are missing."""
        if self.state not in _OVER and self.state is not SessionState.STARTING:
            self._enter(SessionState.CLOSING)
        self._transport.abort()

    # What the budget calls.

    def stop_reading(self) -> None:
        """Read nothing until ``go_on``."""
        self._pause()
        self._watch()

    def go_on(self) -> None:
        """Read on soon, if that is still possible."""
        self._schedule()

    def _begin(self) -> None:
        try:
            source = self._host.identify(self._transport)
        except UnwelcomeError as error:
            self._host.refuse(error)
            self._transport.close()
            return
        if source is None:
            self.abort()
            return
        self.source = source
        self._party = party_of(source)
        self._share = self._terms.shares.of(self._party)
        self._share.join(self)
        self._budgets = (self._terms.budget, self._share.budget)
        self.outstanding = Outstanding(
            self._terms,
            self._host,
            source,
            self._share,
            self._transport,
            self._on_settled,
        )
        self._log = self._log.bind(peer=source.peer, sender=source.sender)
        # Every byte that the kernel has not taken counts as not written.
        self._transport.set_write_buffer_limits(high=0)
        self._socket = self._transport.get_extra_info("socket")
        self._enter(SessionState.READING)
        self._host.began(self)
        # A transport begins to read after this call: it is too early to pause it.
        self._schedule()

    def has_unread(self) -> bool:
        """Tell whether something has arrived that could be read or taken."""
        if not self._intake.is_exhausted:
            return True
        return self._terms.kernel.unread_bytes(self._socket) > 0

    # Windows in, acks out.

    @property
    def _wants(self) -> bool:
        """Tell whether another window can be taken, as far as this sender goes."""
        return (
            self.state in _TAKING
            and len(self.outstanding) < self._terms.patience.read_ahead_windows
            and not self.outstanding.is_held_up
            and self._share.may_take
        )

    @property
    def _may_read(self) -> bool:
        """Tell whether there is memory for more."""
        in_all, own = self._budgets
        return in_all.may_read(self) and (own.may_read(self) or in_all.excepts(self))

    def _advance(self) -> None:
        """Take the next complete window, if there is one; then read, wait or close."""
        if self._wants and self._may_read and not self._intake.is_exhausted:
            self._take_next()
        self._settle()

    def _take_next(self) -> None:
        try:
            batch = self._intake.next_batch()
        except ProtocolError as error:
            self._terms.tallies.protocol_errors[error.reason] += 1
            self._log.warning(
                "the sender broke the protocol, its connection is closed",
                reason=error.reason.value,
                error=str(error),
                unacknowledged_windows=len(self.outstanding),
            )
            self._finish()
            return
        if batch is not None:
            self._examine(batch)
        elif self._intake.is_at_end:
            self._finish()

    def _examine(self, batch: Batch) -> None:
        try:
            self._host.examine(self.source, batch)
        except UnwelcomeError as error:
            self._host.refuse(error)
            self._finish()
        else:
            self._take(batch)

    def _take(self, batch: Batch) -> None:
        if not batch.acknowledged:
            self._log.info(
                "the connection ended within a window that nothing completes: "
                "its events are sealed without an acknowledgement",
                announced=batch.size,
                events=len(batch.payloads),
            )
        held_bytes = self.outstanding.take(batch)
        self._terms.budget.complete(self, held_bytes)
        self._share.budget.complete(self, 0)  # of what is finished it knows nothing
        if held_bytes:
            self._share.complete(self, held_bytes)
        if not held_bytes:
            self.outstanding.write_acks()

    def _on_settled(self, is_stored: bool) -> None:
        if self.state not in _ACKNOWLEDGING:
            return
        if not is_stored:
            self._log.warning(
                "a window will not be stored, its connection is closed",
                unacknowledged_windows=len(self.outstanding),
            )
            self.abort()
            return
        self._guard(self._acknowledge)

    def _acknowledge(self) -> None:
        self.outstanding.write_acks()
        self._schedule()

    def _send_keepalive(self) -> None:
        # A peer that does not take its acks would not take these either.
        if not self.outstanding.is_held_up:
            self._transport.write(KEEPALIVE_V2)
            self.keepalives += 1
            self._terms.tallies.keepalives += 1
        self._settle()

    # Pace.

    def _settle(self) -> None:
        """Close, read on or wait, as things are now."""
        if self.state is SessionState.FINISHING and not self.outstanding:
            self._close_or_linger()
        if self.state is SessionState.CLOSED:
            return
        for budget in self._budgets:
            budget.report(
                self, unfinished_bytes=self._intake.unfinished_bytes, wants=self._wants
            )
        if not (self._wants and self._may_read):
            self._pause()
        elif self._intake.is_exhausted:
            self._resume()
        else:
            self._pause()
            self._schedule()
        self._watch()

    def _pause(self) -> None:
        if self.state is SessionState.READING:
            self._enter(SessionState.PAUSED)
            self._transport.pause_reading()

    def _resume(self) -> None:
        if self.state is SessionState.PAUSED:
            self._enter(SessionState.READING)
            self._transport.resume_reading()

    def _schedule(self) -> None:
        if not self._is_scheduled:
            self._is_scheduled = True
            self._terms.turns.ask(self._step, self._party)

    def _step(self) -> None:
        self._is_scheduled = False
        self._guard(self._advance)

    def _watch(self) -> None:
        is_reading = self.state is SessionState.READING
        is_receiving = self.state in _RECEIVING
        self._clocks.watch(
            Facts(
                is_reading=is_reading,
                has_received=self._intake.has_received,
                owed=self._intake.owed() if is_reading else None,
                unfinished=self._intake.unfinished() if is_receiving else None,
                is_short=any(budget.is_spent for budget in self._budgets),
                waits=self._peer_waits(),
            )
        )

    def _peer_waits(self) -> bool:
        """Tell whether a peer that understands keep-alives waits for us.

        One from which we do not read may have written a whole window into the
        buffers of the network: it waits too.
        """
        version = self._intake.version
        if version == 1 or self.state not in _ACKNOWLEDGING:
            return False
        is_held_up = self.state is not SessionState.READING and version == 2
        return len(self.outstanding) > 0 or is_held_up

    # Ends.

    def _finish(self) -> None:
        """Take nothing more; close once every window that was taken has its ack."""
        if self.state in _TAKING:
            self._pause()
            self._enter(SessionState.FINISHING)
            self._intake.drop()

    def _part(self) -> None:
        self._finish()
        self._settle()
        if self.state is SessionState.FINISHING:
            self._clocks.part()

    def _close_or_linger(self) -> None:
        if self._peer_has_ended:
            self._close()
            return
        self._enter(SessionState.LINGERING)
        self._transport.write_eof()
        self._transport.resume_reading()
        self._clocks.linger()

    def _close(self) -> None:
        """Close, after what was written has gone."""
        if self.state not in _OVER:
            self._enter(SessionState.CLOSING)
            self._transport.close()

    def _on_clock(self, clock: Clock) -> None:
        """Do what has to be done when a clock comes to its end."""
        match clock:
            case Clock.KEEPALIVE:
                self._send_keepalive()
            case Clock.LINGER:
                self._close()
            case Clock.FIRST_BYTE:
                # Health checks connect and send nothing: not worth a line.
                self._log.debug(clock.value)
                self._close()
            case Clock.WINDOW:
                self._give_up_window(clock)
            case Clock.SILENCE if self._is_at_fault():
                self._give_up_window(clock)
            case Clock.SILENCE:
                self._settle()
            case Clock.WRITE | Clock.PARTING:
                self._log.warning(clock.value)
                self.abort()

    def _is_at_fault(self) -> bool:
        """Tell whether memory is short because this sender does not go on.

        It is not when windows wait for the store, nor when there would be
        something to read if we did.
        """
        if not any(budget.is_blocked for budget in self._budgets):
            return False
        if self.state is SessionState.READING:
            return True
        return not self.has_unread()

    def _give_up_window(self, clock: Clock) -> None:
        self._log.warning(
            clock.value,
            announced=self._intake.announced,
            received=self._intake.received,
        )
        if self._intake.may_stay_unfinished and clock is Clock.SILENCE:
            self.end()
        else:
            self._finish()
            self._settle()

    def _log_end(self, error: str | None) -> None:
        log = self._log.info if self._intake.has_received else self._log.debug
        log(
            "the connection ended",
            windows=self.outstanding.windows,
            events=self.outstanding.events,
            unacknowledged_windows=len(self.outstanding),
            unfinished_events=self._intake.unfinished_events,
            **({"error": error} if error else {}),
        )

    def _guard(self, act: Callable[[], object]) -> None:
        """Do what the loop calls; an error in it ends this connection."""
        try:
            act()
        except Exception:
            self.abort()
            raise

    def _enter(self, state: SessionState) -> None:
        if state not in TRANSITIONS[self.state]:
            raise RuntimeError(f"a {self.state.value} session cannot be {state.value}")
        self.state = state
