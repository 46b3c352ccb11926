"""What all listeners share: the signer, the budget, and every session."""

import asyncio
import itertools
import secrets
import ssl
import time
from collections.abc import Callable

from structlog.typing import FilteringBoundLogger

from beats_signer.receive.budget import Budget
from beats_signer.receive.deadline import Timers
from beats_signer.receive.encryption import Encryption
from beats_signer.receive.kernel import Kernel
from beats_signer.receive.patience import Patience
from beats_signer.receive.peer import peer_of, spell_peer
from beats_signer.receive.session import Session
from beats_signer.receive.terms import Signing, Terms
from beats_signer.receive.tls import identify
from beats_signer.receive.turns import Turns
from beats_signer.sign.window import Source
from lumberjack import Limits

__all__ = ["Reception"]


class _Door:
    """A reader that reads nothing but wants to know when one may."""

    def __init__(self) -> None:
        self.opened = asyncio.Event()

    def stop_reading(self) -> None:
        """Do nothing: who has waited looks again."""

    def go_on(self) -> None:
        """Have the one who waits look again."""
        self.opened.set()

    def has_unread(self) -> bool:
        """Tell that there is nothing that would justify an exception."""
        return False


class Reception:
    """Builds sessions and knows them. It outlives its listeners."""

    def __init__(
        self,
        signing: Signing,
        budget: Budget,
        patience: Patience,
        limits: Limits,
        log: FilteringBoundLogger,
        *,
        clock: Callable[[], int] = time.time_ns,
        timers: Timers | None = None,
        kernel: Kernel | None = None,
    ) -> None:
        """Take what sessions need; *timers* are those of the running event loop."""
        self.sessions: set[Session] = set()
        self.log = log
        timers = timers or asyncio.get_running_loop()
        self._terms = Terms(
            signing=signing,
            budget=budget,
            patience=patience,
            limits=limits,
            log=log,
            timers=timers,
            turns=Turns(timers, time.perf_counter),
            kernel=kernel or Kernel(),
            clock=clock,
        )
        self._arrivals = itertools.count(1)
        # Names of connections must not repeat after a restart.
        self._process = secrets.token_hex(4)
        self._all_ended = asyncio.Event()
        self._is_draining = False
        self._budget = budget

    def build_session(self) -> Session:
        """Return the protocol of a new connection in plain text."""
        return Session(self._terms, self)

    def build_encryption(self, context: ssl.SSLContext) -> Encryption:
        """Return the protocol of a new connection with TLS."""
        return Encryption(
            context,
            self._terms.patience.handshake_seconds,
            self._terms.timers,
            self.log,
            self.build_session,
        )

    async def drain(self) -> None:
        """Read nothing more; return when the last session has ended."""
        self._is_draining = True
        for session in tuple(self.sessions):
            session.end()
        while self.sessions:
            self._all_ended.clear()
            await self._all_ended.wait()

    async def wait_for_room(self) -> None:
        """Return when another connection may bring bytes.

        A connection is read once before anybody could stop it, so while the
        budget is spent, none may be made.
        """
        door = _Door()
        try:
            while not self._budget.report(door, unfinished_bytes=0, wants=True):
                door.opened.clear()
                await door.opened.wait()
        finally:
            self._budget.leave(door)

    def abort(self) -> None:
        """Close every connection at once."""
        for session in tuple(self.sessions):
            session.abort()

    def identify(self, transport: asyncio.Transport) -> Source | None:
        """Return who sends; nothing when the peer is gone already."""
        peer = peer_of(transport)
        if peer is None:
            return None
        opened = self.next_arrival()
        tls: ssl.SSLObject | None = transport.get_extra_info("ssl_object")
        certificate = tls.getpeercert(binary_form=True) if tls else None
        identity = identify(certificate) if certificate else None
        return Source(
            sender=identity.name if identity else peer[0],
            certificate=identity.certificate if identity else None,
            address=peer[0],
            peer=spell_peer(peer),
            connection=f"{self._process}-{opened}",
            opened=opened,
        )

    def next_arrival(self) -> int:
        """Return a number that orders connections and windows."""
        return next(self._arrivals)

    def began(self, session: Session) -> None:
        """Note a session; one that comes too late takes nothing."""
        self.sessions.add(session)
        if self._is_draining:
            session.end()

    def ended(self, session: Session) -> None:
        """Forget a session."""
        self.sessions.discard(session)
        if not self.sessions:
            self._all_ended.set()
