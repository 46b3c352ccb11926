"""One address that senders connect to, and the sessions that live there."""

import asyncio
import itertools
import secrets
import socket
import ssl
import time
from collections.abc import Callable

from structlog.typing import FilteringBoundLogger

from beats_signer.config import ListenerConfig
from beats_signer.errors import ConfigError
from beats_signer.receive.budget import Budget
from beats_signer.receive.handshake import explain_handshake
from beats_signer.receive.session import Patience, Session, Signing
from beats_signer.receive.tls import build_server_context, identify
from beats_signer.sign.window import Source
from lumberjack import Limits

__all__ = ["Listener", "Reception"]

_BACKLOG = 512
_ACCEPT_PAUSE_SECONDS = 0.2


def spell_address(address: tuple[str, int]) -> str:
    """Return host and port as one text; an IPv6 address stands in brackets."""
    host, port = address[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class Reception:
    """What all listeners share: the signer, the budget, and every session."""

    def __init__(
        self,
        signing: Signing,
        budget: Budget,
        patience: Patience,
        limits: Limits,
        log: FilteringBoundLogger,
        *,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self.sessions: set[Session] = set()
        self._signing = signing
        self._budget = budget
        self._patience = patience
        self._limits = limits
        self.log = log
        self._clock = clock
        self._arrivals = itertools.count(1)
        # Names of connections must not repeat after a restart.
        self._process = secrets.token_hex(4)
        self._all_ended = asyncio.Event()

    def build_session(self) -> Session:
        """Return the protocol object of a new connection."""
        return Session(
            self._signing,
            self._budget,
            self._patience,
            self._limits,
            self.log,
            identify=self._identify,
            next_arrival=self._next_arrival,
            clock=self._clock,
            began=self.sessions.add,
            ended=self._forget,
        )

    async def drain(self) -> None:
        """Read nothing more; return when the last session has ended."""
        for session in tuple(self.sessions):
            session.drain()
        while self.sessions:
            self._all_ended.clear()
            await self._all_ended.wait()

    def abort(self) -> None:
        """Close every connection at once."""
        for session in tuple(self.sessions):
            session.abort()

    def _identify(self, transport: asyncio.Transport) -> Source:
        peername = transport.get_extra_info("peername")
        host = peername[0]
        opened = self._next_arrival()
        tls: ssl.SSLObject | None = transport.get_extra_info("ssl_object")
        certificate = tls.getpeercert(binary_form=True) if tls else None
        identity = identify(certificate) if certificate else None
        return Source(
            sender=identity.name if identity else host,
            certificate=identity.certificate if identity else None,
            address=host,
            peer=spell_address(peername),
            connection=f"{self._process}-{opened}",
            opened=opened,
        )

    def _next_arrival(self) -> int:
        return next(self._arrivals)

    def _forget(self, session: Session) -> None:
        self.sessions.discard(session)
        if not self.sessions:
            self._all_ended.set()


class Listener:
    """An open server socket, and the handshakes that are under way.

    It accepts by itself and hands each socket to the event loop: only so does a
    sender that fails at TLS leave a reason behind.
    """

    def __init__(
        self,
        config: ListenerConfig,
        server: socket.socket,
        context: ssl.SSLContext | None,
        handshake_seconds: float,
        reception: Reception,
    ) -> None:
        self._server = server
        self._context = context
        self._handshake_seconds = handshake_seconds
        self._reception = reception
        self._greetings: set[asyncio.Task[None]] = set()
        self._accepting = asyncio.get_running_loop().create_task(self._accept())

    @property
    def address(self) -> str:
        """Return where it listens; the port is the real one."""
        return spell_address(self._server.getsockname())

    @property
    def is_encrypted(self) -> bool:
        """Tell whether senders have to speak TLS."""
        return self._context is not None

    @classmethod
    def open(
        cls,
        config: ListenerConfig,
        reception: Reception,
        handshake_seconds: float,
    ) -> "Listener":
        """Begin to accept connections.

        Raises:
            ConfigError: The address cannot be used, or a TLS file is wrong.
        """
        context = build_server_context(config.ssl) if config.ssl else None
        host, port = config.address.host, config.address.port
        try:
            family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
            server = socket.create_server((host, port), family=family, backlog=_BACKLOG)
        except OSError as error:
            raise ConfigError(
                f"cannot listen on {config.address}: {error.strerror or error}",
                hint="Another program may use that port: choose another address.",
            ) from error
        server.setblocking(False)
        listener = cls(config, server, context, handshake_seconds, reception)
        reception.log.info(
            "listening", address=listener.address, tls=listener.is_encrypted
        )
        return listener

    def close(self) -> None:
        """Accept no new connection; the open ones stay."""
        self._accepting.cancel()
        for greeting in self._greetings:
            greeting.cancel()
        self._server.close()

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                accepted, peer = await loop.sock_accept(self._server)
            except OSError as error:
                # Out of descriptors, most likely: senders wait in the backlog.
                self._reception.log.warning("cannot accept", error=str(error))
                await asyncio.sleep(_ACCEPT_PAUSE_SECONDS)
                continue
            greeting = loop.create_task(self._greet(accepted, peer))
            self._greetings.add(greeting)
            greeting.add_done_callback(self._greetings.discard)

    async def _greet(self, accepted: socket.socket, peer: tuple[str, int]) -> None:
        """Do the handshake, if there is one, and let a session begin."""
        limit = self._handshake_seconds if self._context else None
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                self._reception.build_session,
                accepted,
                ssl=self._context,
                ssl_handshake_timeout=limit,
            )
        except (OSError, EOFError) as error:
            accepted.close()
            self._reception.log.info(
                "the TLS handshake failed",
                peer=spell_address(peer),
                error=explain_handshake(error),
            )
