"""One address that senders connect to, and the sessions that live there."""

import asyncio
import itertools
import secrets
import ssl
import time
from collections.abc import Callable
from functools import partial

from structlog.typing import FilteringBoundLogger

from beats_signer.config import ListenerConfig
from beats_signer.errors import ConfigError
from beats_signer.receive.budget import Budget
from beats_signer.receive.handshake import Handshake
from beats_signer.receive.session import Patience, Session, Signing
from beats_signer.receive.tls import build_server_context, identify
from beats_signer.sign.window import Source
from lumberjack import Limits

__all__ = ["Listener", "Reception"]

_BACKLOG = 512


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
        host, port = transport.get_extra_info("peername")[:2]
        opened = self._next_arrival()
        tls: ssl.SSLObject | None = transport.get_extra_info("ssl_object")
        certificate = tls.getpeercert(binary_form=True) if tls else None
        identity = identify(certificate) if certificate else None
        return Source(
            sender=identity.name if identity else host,
            certificate=identity.certificate if identity else None,
            address=host,
            peer=f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
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
    """An open server socket."""

    def __init__(self, config: ListenerConfig, server: asyncio.Server) -> None:
        self._config = config
        self._server = server

    @property
    def address(self) -> str:
        """Return where it listens; the port is the real one."""
        return "{}:{}".format(*self._server.sockets[0].getsockname()[:2])

    @property
    def is_encrypted(self) -> bool:
        """Tell whether senders have to speak TLS."""
        return self._config.ssl is not None

    @classmethod
    async def open(
        cls,
        config: ListenerConfig,
        reception: Reception,
        handshake_seconds: float,
    ) -> "Listener":
        """Begin to accept connections.

        Raises:
            ConfigError: The address cannot be used, or a TLS file is wrong.
        """
        build_protocol: Callable[[], asyncio.Protocol] = reception.build_session
        if config.ssl:
            build_protocol = partial(
                Handshake,
                build_server_context(config.ssl),
                handshake_seconds,
                reception.log,
                reception.build_session,
            )
        try:
            server = await asyncio.get_running_loop().create_server(
                build_protocol,
                config.address.host,
                config.address.port,
                backlog=_BACKLOG,
            )
        except OSError as error:
            raise ConfigError(
                f"cannot listen on {config.address}: {error.strerror or error}",
                hint="Another program may use that port: choose another address.",
            ) from error
        listener = cls(config, server)
        reception.log.info(
            "listening", address=listener.address, tls=listener.is_encrypted
        )
        return listener

    def close(self) -> None:
        """Accept no new connection; the open ones stay."""
        self._server.close()
