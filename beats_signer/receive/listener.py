"""One address that senders connect to."""

import asyncio
import socket
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from beats_signer.config import ListenerConfig, Network
from beats_signer.errors import ConfigError, Problem
from beats_signer.receive.binding import bind
from beats_signer.receive.descriptors import are_left
from beats_signer.receive.entrance import Entrance
from beats_signer.receive.peer import spell_peer
from beats_signer.receive.reception import Reception
from beats_signer.receive.tls_files import TlsFiles
from beats_signer.receive.watched import Watched

__all__ = ["Listener"]

_BACKLOG = 512
_ACCEPT_PAUSE_SECONDS = 0.2
_FEW_DESCRIPTORS = "few file descriptors are left, who connects has to wait"

_PROBE_AFTER_SECONDS = 60
_PROBE_PAUSE_SECONDS = 15
_PROBES = 4
"""A sender that vanished without a word is found out by the kernel after this
silence: connections may be idle for ever, but not dead."""


class Listener:
    """Server sockets of one address: bound first, open when ``serve`` is called.

    It accepts by itself: only so does it survive a want of file descriptors, and
    senders wait in the backlog meanwhile.
    """

    def __init__(
        self,
        servers: list[socket.socket],
        tls: TlsFiles | None = None,
        proxies: Sequence[Network] = (),
    ) -> None:
        self.address = spell_peer(servers[0].getsockname())
        """Where it listens; the port is the real one."""
        self._servers = servers
        self._tls = tls
        self._proxies = proxies
        self._entrance: Entrance | None = None
        self._accepting: list[asyncio.Task[None]] = []
        self._connecting: set[asyncio.Task[None]] = set()

    @property
    def is_encrypted(self) -> bool:
        """Tell whether senders have to speak TLS."""
        return self._tls is not None

    @classmethod
    def bind(cls, config: ListenerConfig) -> "Listener":
        """Take the address; nobody can connect yet.

        Raises:
            ConfigError: The address cannot be used, or a TLS file is wrong.
        """
        tls = TlsFiles(config.ssl) if config.ssl else None
        proxies = config.proxy_protocol.trusted if config.proxy_protocol else ()
        try:
            return cls(bind(config.address), tls, proxies)
        except OSError as error:
            raise _explain(error, config.address) from error

    def serve(self, reception: Reception) -> None:
        """Begin to accept connections.

        Raises:
            ConfigError: Another program has taken the address since.
        """
        entrance = self._entrance = Entrance(reception, self._tls, self._proxies)
        for server in self._servers:
            _watch_for_dead_senders(server)
            try:
                server.listen(_BACKLOG)
            except OSError as error:
                raise _explain(error, self.address) from error
            work = self._accept(server, entrance, reception)
            self._accepting.append(asyncio.get_running_loop().create_task(work))
        reception.log.info("listening", address=self.address, tls=self.is_encrypted)

    @property
    def certificate_ends(self) -> datetime | None:
        """Return when the certificate expires; ``None`` without TLS."""
        return self._tls.certificate_ends if self._tls else None

    @property
    def lists_end(self) -> datetime | None:
        """Return when the first of the revocation lists expires."""
        return self._tls.lists_end if self._tls else None

    @property
    def watched(self) -> Sequence[Watched[Any]]:
        """Return the files that count as soon as they change."""
        return self._tls.watched if self._tls else ()

    def change_tls(self, tls: TlsFiles) -> None:
        """Go by other TLS settings from the next handshake on.

        ``review`` afterwards: other revocation lists count for all.
        """
        assert self.is_encrypted, "a listener stays one with TLS, or without"
        self._tls = tls
        if self._entrance is not None:
            self._entrance.change_tls(tls)

    def review(self) -> None:
        """Close the connections of those who may not send any longer."""
        if self._entrance is not None:
            self._entrance.review()

    def expiring(self, now: int) -> Iterator[Problem]:
        """Yield what expires soon; *now* is in nanoseconds since 1970."""
        if self._tls is not None:
            yield from self._tls.expiring(now, self.address)

    def close(self) -> None:
        """Accept no new connection; the open ones stay."""
        # What was accepted goes on: a connection that is made must not be lost.
        for accepting in self._accepting:
            accepting.cancel()
        for server in self._servers:
            server.close()

    async def _accept(
        self,
        server: socket.socket,
        entrance: Entrance,
        reception: Reception,
    ) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await reception.wait_for_room()
            await self._wait_for_descriptors(server, reception)
            try:
                accepted, name = await loop.sock_accept(server)
            except ConnectionAbortedError:
                continue
            except OSError as error:
                reception.log.warning("cannot accept connections", error=str(error))
                await asyncio.sleep(_ACCEPT_PAUSE_SECONDS)
                continue
            protocol = entrance.build_protocol((name[0], name[1]))
            if protocol is None:
                accepted.close()
                continue
            connecting = loop.create_task(_connect(accepted, protocol, entrance))
            self._connecting.add(connecting)
            connecting.add_done_callback(self._connecting.discard)

    async def _wait_for_descriptors(
        self, server: socket.socket, reception: Reception
    ) -> None:
        """Return when another connection leaves enough of them for all else."""
        if are_left(server.fileno()):
            return
        reception.log.warning(_FEW_DESCRIPTORS, address=self.address)
        with reception.lacking_descriptors():
            # Nobody tells when one is free again.
            while not are_left(server.fileno()):  # noqa: ASYNC110
                await asyncio.sleep(_ACCEPT_PAUSE_SECONDS)


async def _connect(
    accepted: socket.socket, protocol: asyncio.Protocol, entrance: Entrance
) -> None:
    try:
        loop = asyncio.get_running_loop()
        await loop.connect_accepted_socket(lambda: protocol, accepted)
    except OSError:
        # The sender was gone before we looked at it.
        accepted.close()
        entrance.left()


def _watch_for_dead_senders(server: socket.socket) -> None:
    """Set what the accepted sockets inherit."""
    server.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    server.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _PROBE_AFTER_SECONDS)
    server.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, _PROBE_PAUSE_SECONDS)
    server.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, _PROBES)


def _explain(error: OSError, address: str) -> ConfigError:
    return ConfigError(
        f"cannot listen on {address}: {error.strerror or error}",
        hint="Another program may use that port: choose another address.",
    )
