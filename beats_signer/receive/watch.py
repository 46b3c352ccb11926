"""Keep what was read from files up to date while connections go on.

New handshakes use a changed file after two looks, at most 4 seconds. Nobody is
disconnected for that, except those who may not send any longer.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from beats_signer.errors import Problem
from beats_signer.receive.listener import Listener
from beats_signer.receive.reception import Reception
from beats_signer.receive.watched import Watched

__all__ = ["Watch"]

_LOOK_SECONDS = 2.0
"""Pause between two looks; a change needs two of them."""


class Watch:
    """Looks at the files of all listeners and of the allow-list."""

    def __init__(
        self,
        reception: Reception,
        listeners: Sequence[Listener],
        *,
        judge: Callable[[], Sequence[Problem]] = tuple,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        """Take whose files are looked at.

        Args:
            reception: Its allow-list is one of them.
            listeners: Their TLS is the others.
            judge: Finds what else is wrong with files, in a thread.
            clock: Returns nanoseconds since 1970.
        """
        self._reception = reception
        self._listeners = listeners
        self._clock = clock
        self._judge = judge
        self._judged: Sequence[Problem] = ()
        self._told: set[Problem] = set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Look again and again, until the context is left."""
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(self._run())
            yield
            task.cancel()

    async def look(self) -> None:
        """Look once, and act on what has changed."""
        log = self._reception.log
        changes = [await one.look(log) for one in self._watched()]
        if any(changes):
            for listener in self._listeners:
                listener.review()
        self._judged = await asyncio.to_thread(self._judge)
        problems = {*self._judged, *self._expiring()}
        for problem in problems - self._told:
            log.warning(problem.symptom, impact=problem.impact, action=problem.action)
        self._told = problems

    def problems(self) -> list[Problem]:
        """Return what a person should know of the files."""
        broken = [one.problem for one in self._watched()]
        return [*filter(None, broken), *self._judged, *self._expiring()]

    async def _run(self) -> None:
        while True:
            await self.look()
            await asyncio.sleep(_LOOK_SECONDS)

    def _watched(self) -> list[Watched[Any]]:
        watched = list(self._reception.admission.watched)
        for listener in self._listeners:
            watched += listener.watched
        return watched

    def _expiring(self) -> Iterator[Problem]:
        for listener in self._listeners:
            yield from listener.expiring(self._clock())
