"""The TLS handshake of one new connection, and a log line when it fails.

The event loop can do this by itself, but then a sender that speaks plain text
to a TLS port, or shows no certificate, disappears without a word.
"""

import asyncio
import ssl
from collections.abc import Callable
from typing import cast

from structlog.typing import FilteringBoundLogger

__all__ = ["Handshake"]

_MEANINGS = {
    "HTTP_REQUEST": "an HTTP request on a TLS port",
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": "the sender showed no certificate",
    "WRONG_VERSION_NUMBER": "what came is not TLS: a plain sender on a TLS port?",
    "UNSUPPORTED_PROTOCOL": "the sender speaks only a version of TLS that is refused",
    "NO_SHARED_CIPHER": "the sender and this listener have no cipher in common",
}


class Handshake(asyncio.Protocol):
    """Owns a connection until TLS is up, then hands it to a session."""

    def __init__(
        self,
        context: ssl.SSLContext,
        seconds: float,
        log: FilteringBoundLogger,
        build_session: Callable[[], asyncio.Protocol],
    ) -> None:
        self._context = context
        self._seconds = seconds
        self._log = log
        self._build_session = build_session
        self._early = bytearray()
        self._has_ended = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the handshake; nothing may be read before it is set up."""
        # uvloop's transports implement the interface without inheriting it.
        plain = cast(asyncio.Transport, transport)
        plain.pause_reading()
        self._task = asyncio.get_running_loop().create_task(self._upgrade(plain))

    def data_received(self, data: bytes) -> None:
        """Keep what came in the same packet as the end of the handshake."""
        self._early += data

    def connection_lost(self, exc: Exception | None) -> None:
        """Note that there is nothing left to hand over."""
        self._has_ended = True

    async def _upgrade(self, plain: asyncio.Transport) -> None:
        log = self._log.bind(peer="{}:{}".format(*plain.get_extra_info("peername")[:2]))
        loop = asyncio.get_running_loop()
        try:
            transport = await loop.start_tls(
                plain,
                self,
                self._context,
                server_side=True,
                ssl_handshake_timeout=self._seconds,
            )
        except (OSError, EOFError) as error:
            plain.abort()
            log.info("the TLS handshake failed", error=_explain(error))
            return
        if transport is None or self._has_ended:
            return
        session = self._build_session()
        transport.set_protocol(session)
        session.connection_made(transport)
        if self._early:
            session.data_received(bytes(self._early))


def _explain(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the sender's certificate is refused: {error.verify_message}"
    reason = getattr(error, "reason", None)
    return _MEANINGS.get(str(reason), str(reason or error or type(error).__name__))
