"""What all listeners share: the signer, the budget, every session, who may send."""

import asyncio
import itertools
import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from structlog.typing import FilteringBoundLogger

from beats_signer.errors import Problem
from beats_signer.receive.admission import Admission
from beats_signer.receive.budget import Budget
from beats_signer.receive.deadline import Timers
from beats_signer.receive.handshakes import Handshakes
from beats_signer.receive.kernel import Kernel
from beats_signer.receive.patience import Patience
from beats_signer.receive.places import Caps, Places
from beats_signer.receive.refusal import Refusal
from beats_signer.receive.session import Session
from beats_signer.receive.shares import Shares
from beats_signer.receive.tally import Tallies
from beats_signer.receive.terms import Signing, Terms
from beats_signer.receive.turns import Turns
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
    """Knows all sessions. It outlives its listeners."""

    def __init__(
        self,
        signing: Signing,
        budget: Budget,
        patience: Patience,
        limits: Limits,
        log: FilteringBoundLogger,
        *,
        admission: Admission | None = None,
        caps: Caps | None = None,
        tallies: Tallies | None = None,
        clock: Callable[[], int] = time.time_ns,
        timers: Timers | None = None,
        kernel: Kernel | None = None,
    ) -> None:
        """Take what sessions need; *timers* are those of the running event loop.

        Without *admission* everybody may send whom a listener accepts.
        """
        self.sessions: set[Session] = set()
        self.admission = admission or Admission()
        self.refusals: Counter[Refusal] = Counter(dict.fromkeys(Refusal, 0))
        """Senders that were turned away, by the reason."""
        self.mismatched_events = 0
        """Events that name another host than their sender, of those looked into."""
        self.tallies = tallies or Tallies()
        self.log = log
        timers = timers or asyncio.get_running_loop()
        self.places = Places(caps or Caps())
        self.handshakes = Handshakes(timers.time)
        self.terms = Terms(
            signing=signing,
            budget=budget,
            shares=Shares(budget.limit_bytes, timers.time),
            patience=patience,
            limits=limits,
            log=log,
            timers=timers,
            turns=Turns(timers, time.perf_counter),
            kernel=kernel or Kernel(),
            clock=clock,
            tallies=self.tallies,
        )
        self._arrivals = itertools.count(1)
        # Names of connections must not repeat after a restart.
        self._process = secrets.token_hex(4)
        self._all_ended = asyncio.Event()
        self._is_draining = False
        self._budget = budget
        self._lacking = 0

    def change(
        self, patience: Patience, limits: Limits, admission: Admission, caps: Caps
    ) -> None:
        """Go by other settings: new connections by all, open ones by who may send.

        Let the listeners ``review`` their connections afterwards.
        """
        self.terms = replace(self.terms, patience=patience, limits=limits)
        self.admission = admission
        self.places.caps = caps

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

    @contextmanager
    def lacking_descriptors(self) -> Iterator[None]:
        """Note that a listener waits until there are file descriptors again."""
        self._lacking += 1
        try:
            yield
        finally:
            self._lacking -= 1

    def problems(self) -> Iterator[Problem]:
        """Yield why somebody cannot come in at the moment."""
        if self.places.are_all_taken:
            yield Problem(
                f"all {self.places.caps.connections} connections are taken",
                "Senders that connect now are turned away; they try again.",
                "Raise limits.connections, or see under senders who has so many.",
            )
        if self._lacking:
            yield Problem(
                "few file descriptors are left",
                "Senders that connect now wait, and give up after 30 seconds.",
                "Raise LimitNOFILE of the service, or lower limits.connections.",
            )

    def abort(self) -> None:
        """Close every connection at once."""
        for session in tuple(self.sessions):
            session.abort()

    def count_refusal(self, refusal: Refusal) -> None:
        """Note that a sender was turned away."""
        self.refusals[refusal] += 1

    def name_connection(self, opened: int) -> str:
        """Return a name that no other connection has, also not after a restart."""
        return f"{self._process}-{opened}"

    def next_arrival(self) -> int:
        """Return a number that orders connections and windows."""
        return next(self._arrivals)

    def began(self, session: Session) -> None:
        """Note a session; one that comes too late takes nothing."""
        self.sessions.add(session)
        self.tallies.connections += 1
        if self._is_draining:
            session.end()

    def ended(self, session: Session) -> None:
        """Forget a session."""
        self.sessions.discard(session)
        if not self.sessions:
            self._all_ended.set()
