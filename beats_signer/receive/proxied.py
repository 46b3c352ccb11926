"""Find out for whom a proxy has connected, before anything else is read."""

import asyncio
from collections.abc import Callable, Sequence
from typing import cast

from structlog.typing import FilteringBoundLogger

from beats_signer.config import Network
from beats_signer.receive.deadline import Deadline, Timers
from beats_signer.receive.peer import Peer, peer_of, spell_peer
from beats_signer.receive.proxy_header import ProxyHeaderError, read_header
from beats_signer.receive.refusal import Refusal

__all__ = ["Proxied"]


class Proxied(asyncio.Protocol):
    """The protocol of a connection until it is known who is at its other end.

    Only a trusted address is asked for a header, and has to send one. Whoever else
    connects speaks for itself: a header of its own would be taken for what it is,
    the wrong first bytes of TLS or Lumberjack.
    """

    def __init__(
        self,
        trusted: Sequence[Network],
        header_seconds: float,
        timers: Timers,
        log: FilteringBoundLogger,
        build_protocol: Callable[[Peer], asyncio.Protocol | None],
        refused: Callable[[Refusal], object],
        left: Callable[[], object],
    ) -> None:
        """Take what a header needs; *build_protocol* makes what comes after it.

        It returns nothing for whom it has turned away. When the connection ends
        before it is handed over, *left* is called.
        """
        self._trusted = trusted
        self._seconds = header_seconds
        self._patience = Deadline(timers, self._end_slow_header)
        self._log = log
        self._build_protocol = build_protocol
        self._refused = refused
        self._left = left
        self._received = b""
        self._is_over = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Expect a header, if this is a trusted proxy."""
        # uvloop's transports implement the interface without inheriting it.
        self._transport = cast(asyncio.Transport, transport)
        peer = peer_of(transport)
        if peer is None:
            self._is_over = True
            self._transport.abort()
            return
        if not any(one.holds(peer[0]) for one in self._trusted):
            self._hand_over(self._transport, peer, b"")
            return
        self._peer = peer
        self._log = self._log.bind(peer=spell_peer(peer))
        self._patience.start(self._seconds)

    def data_received(self, data: bytes) -> None:
        """Read on until the header is complete."""
        if self._is_over:
            return
        self._received += data
        try:
            header = read_header(self._received)
        except ProxyHeaderError as error:
            self._fail(str(error))
            return
        if header is not None:
            peer, behind = self._peer, self._transport
            if header.client is not None:
                peer, behind = header.client, _Behind(self._transport, header.client)
            self._hand_over(behind, peer, self._received[header.size :])

    def connection_lost(self, exc: Exception | None) -> None:
        """Say so when there never was a header."""
        self._patience.close()
        self._left()
        if self._is_over:
            return
        if self._received:
            self._note("the connection ended within the header")
        else:
            # A health check: it connects and sends nothing.
            self._log.debug("the proxy sent nothing")

    def _hand_over(self, transport: asyncio.Transport, peer: Peer, rest: bytes) -> None:
        self._is_over = True
        self._patience.close()
        protocol = self._build_protocol(peer)
        if protocol is None:
            self._transport.close()
            return
        self._transport.set_protocol(protocol)
        protocol.connection_made(transport)
        if rest:
            protocol.data_received(rest)

    def _end_slow_header(self) -> None:
        self._fail("the proxy did not send its header in time")

    def _fail(self, reason: str) -> None:
        self._is_over = True
        self._patience.close()
        self._note(reason)
        self._transport.close()

    def _note(self, reason: str) -> None:
        self._refused(Refusal.PROXY_HEADER)
        self._log.warning(
            "the PROXY header is wrong, the connection is closed",
            reason=Refusal.PROXY_HEADER.value,
            error=reason,
        )


class _Behind(asyncio.Transport):
    """The transport of a proxy, with the address of the one behind it."""

    def __init__(self, transport: asyncio.Transport, client: Peer) -> None:
        super().__init__()
        self._transport = transport
        self._client = client

    def get_extra_info(self, name: str, default: object = None) -> object:
        if name == "peername":
            return self._client
        return cast(object, self._transport.get_extra_info(name, default))

    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def pause_reading(self) -> None:
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        self._transport.resume_reading()

    def set_write_buffer_limits(
        self, high: int | None = None, low: int | None = None
    ) -> None:
        self._transport.set_write_buffer_limits(high, low)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self._transport.write(data)

    def write_eof(self) -> None:
        self._transport.write_eof()

    def close(self) -> None:
        self._transport.close()

    def abort(self) -> None:
        self._transport.abort()
