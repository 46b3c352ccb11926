"""TLS between a connection and its session.

The protocol is OpenSSL's; this file only carries bytes between it, the socket
and the session. The event loop has such a file of its own, which would cost us
what a receiver needs: it keeps reading after a pause, keeps a buffer of 256 KiB
for each connection, does not send the alert that tells a sender why it is
refused, and cannot write acks after the sender has ended its side.
"""

import asyncio
import ssl
from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from typing import cast

from structlog.typing import FilteringBoundLogger

from beats_signer.receive.deadline import Deadline, Timers
from beats_signer.receive.handshake import explain_handshake
from beats_signer.receive.peer import peer_of, spell_peer
from beats_signer.receive.refusal import Refusal, refusal_of

__all__ = ["Encryption", "EncryptionState"]

_RECORD_BYTES = 16 << 10
"""What a TLS record holds at most, and OpenSSL returns at once."""


class EncryptionState(Enum):
    """How far the two sides have come."""

    HANDSHAKE = "handshake"
    OPEN = "open"
    HEARD = "heard"
    """The sender has ended its side in order; we may still write."""
    SHUT = "shut"
    """We have ended our side; what still comes is thrown away."""
    CLOSED = "closed"


TRANSITIONS: dict[EncryptionState, frozenset[EncryptionState]] = {
    EncryptionState.HANDSHAKE: frozenset(
        {EncryptionState.OPEN, EncryptionState.SHUT, EncryptionState.CLOSED}
    ),
    EncryptionState.OPEN: frozenset(
        {EncryptionState.HEARD, EncryptionState.SHUT, EncryptionState.CLOSED}
    ),
    EncryptionState.HEARD: frozenset({EncryptionState.SHUT, EncryptionState.CLOSED}),
    EncryptionState.SHUT: frozenset({EncryptionState.CLOSED}),
    EncryptionState.CLOSED: frozenset(),
}


class Encryption(asyncio.Transport, asyncio.Protocol):
    """To the socket a protocol, to the session a transport."""

    def __init__(
        self,
        context: ssl.SSLContext,
        handshake_seconds: float,
        timers: Timers,
        log: FilteringBoundLogger,
        build_session: Callable[[], asyncio.Protocol],
        refused: Callable[[Refusal], object],
        left: Callable[[], object],
    ) -> None:
        """Take what a handshake needs; the session is built when it succeeds.

        When it fails, *refused* is called with the reason, for a counter, and
        *left* when the connection is gone: otherwise the session tells that.
        """
        self.state = EncryptionState.HANDSHAKE
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._patience = Deadline(timers, self._end_slow_handshake)
        self._seconds = handshake_seconds
        self._log = log
        self._build_session = build_session
        self._refused = refused
        self._left = left
        self._session: asyncio.Protocol | None = None
        self._has_received = False

    # What the socket's transport calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for the sender: in TLS it speaks first."""
        # uvloop's transports implement the interface without inheriting it.
        self._plain = cast(asyncio.Transport, transport)
        peer = peer_of(self._plain)
        self._log = self._log.bind(peer=spell_peer(peer) if peer else None)
        self._patience.start(self._seconds)

    def data_received(self, data: bytes) -> None:
        """Decrypt what has arrived."""
        self._has_received = True
        if self.state in (EncryptionState.HANDSHAKE, EncryptionState.OPEN):
            self._incoming.write(data)
        if self.state is EncryptionState.HANDSHAKE:
            self._shake_hands()
        if self.state is EncryptionState.OPEN:
            self._decrypt()

    def eof_received(self) -> bool:
        """Close, unless the sender has said in order that it has sent all.

        An end without that may be forged by anybody on the way.
        """
        if self.state is EncryptionState.SHUT and self._session is not None:
            return bool(self._session.eof_received())
        return self.state is EncryptionState.HEARD

    def pause_writing(self) -> None:
        """Pass on that the sender does not take what it was sent."""
        if self._session is not None:
            self._session.pause_writing()

    def resume_writing(self) -> None:
        """Pass on that it has taken everything."""
        if self._session is not None:
            self._session.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """End the session too, or say that there never was one."""
        self._patience.close()
        was_shaking_hands = self.state is EncryptionState.HANDSHAKE
        self._enter(EncryptionState.CLOSED)
        if self._session is not None:
            self._session.connection_lost(exc)
            return
        self._left()
        if was_shaking_hands and self._has_received:
            reason = str(exc) if exc else "the sender hung up"
            self._note_failure(reason, Refusal.OTHER)
        elif was_shaking_hands:
            # A health check: it connects and sends nothing.
            self._log.debug("the sender sent nothing")

    # What the session calls.

    def get_extra_info(self, name: str, default: object = None) -> object:
        """Return a fact about the connection; ``ssl_object`` is the one about TLS."""
        if name == "ssl_object":
            return self._tls
        return cast(object, self._plain.get_extra_info(name, default))

    def is_closing(self) -> bool:
        """Tell whether nothing can be sent any more."""
        return self._plain.is_closing()

    def pause_reading(self) -> None:
        """Read nothing from the socket; nothing decrypted is left here."""
        self._plain.pause_reading()

    def resume_reading(self) -> None:
        """Read on."""
        self._plain.resume_reading()

    def set_write_buffer_limits(
        self, high: int | None = None, low: int | None = None
    ) -> None:
        """Set how much may wait to be written, in encrypted bytes."""
        self._plain.set_write_buffer_limits(high, low)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send in one record."""
        if not self._plain.is_closing():
            self._tls.write(data)
            self._send()

    def write_eof(self) -> None:
        """Tell the sender in order that nothing more will come."""
        if self.state in (EncryptionState.OPEN, EncryptionState.HEARD):
            self._enter(EncryptionState.SHUT)
            self._say_goodbye()
            self._plain.write_eof()

    def close(self) -> None:
        """Send what was written and close."""
        if self.state in (EncryptionState.OPEN, EncryptionState.HEARD):
            self._enter(EncryptionState.SHUT)
            self._say_goodbye()
        self._plain.close()

    def abort(self) -> None:
        """Close at once."""
        self._plain.abort()

    # Between the two.

    def _shake_hands(self) -> None:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            self._send()
        except ssl.SSLError as error:
            # The alert that OpenSSL has written tells the sender the reason.
            self._send()
            self._fail(explain_handshake(error), refusal_of(error))
        else:
            self._send()
            self._patience.cancel()
            self._enter(EncryptionState.OPEN)
            self._session = self._build_session()
            self._session.connection_made(self)

    def _decrypt(self) -> None:
        """Hand over all that is complete: nothing may stay behind in a pause."""
        assert self._session is not None, "an open connection has its session"
        parts: list[bytes] = []
        has_ended = False
        try:
            while self._incoming.pending or self._tls.pending():
                part = self._tls.read(_RECORD_BYTES)
                if not part:
                    has_ended = True
                    break
                parts.append(part)
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as error:
            self._log.warning("TLS failed", error=explain_handshake(error))
            self._send()
            self._plain.close()
        self._send()  # TLS itself may have something to answer
        if parts:
            self._session.data_received(b"".join(parts))
        if has_ended and self.state is EncryptionState.OPEN:
            self._enter(EncryptionState.HEARD)
            self._session.eof_received()

    def _send(self) -> None:
        if data := self._outgoing.read():
            self._plain.write(data)

    def _say_goodbye(self) -> None:
        # It complains that the other side has not said goodbye as well.
        with suppress(ssl.SSLError):
            self._tls.unwrap()
        if not self._plain.is_closing():
            self._send()

    def _end_slow_handshake(self) -> None:
        self._fail("the sender did not finish in time", Refusal.OTHER)

    def _fail(self, reason: str, refusal: Refusal) -> None:
        self._patience.cancel()
        self._enter(EncryptionState.SHUT)
        self._note_failure(reason, refusal)
        self._plain.close()

    def _note_failure(self, reason: str, refusal: Refusal) -> None:
        self._refused(refusal)
        self._log.info("the TLS handshake failed", reason=refusal.value, error=reason)

    def _enter(self, state: EncryptionState) -> None:
        if state not in TRANSITIONS[self.state]:
            raise RuntimeError(f"a {self.state.value} TLS cannot be {state.value}")
        self.state = state
