"""Carry one write to the server until every item of it is stored.

| what the server says        | what becomes of the item                          |
|-----------------------------|---------------------------------------------------|
| created                     | stored                                            |
| conflict                    | read and compared; ours: stored; else renamed     |
| rejected, dropped, diverted | sent as a bare document, then as a minimal one    |
| too large                   | sent with fewer others, alone at last; then the   |
|                             | same                                              |
| no such pipeline            | sent without it, tagged                           |
| no such place, refused      | kept; alarm. The next call sends one of them and, |
|                             | when it is stored, the others, as they were       |
|                             | encoded. If its sender named the place: sent to   |
|                             | the default place                                 |
| busy                        | kept, sent again by the next call. If its sender  |
|                             | named a place that stays away: as above           |

A delivery remembers between calls what is stored, so that a write that is
appended again sends nothing twice. Forgetting it (a crash) is safe: then the
same bytes meet themselves as conflicts.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence

from structlog.typing import FilteringBoundLogger

from beats_signer.chain.origin import is_catalogue
from beats_signer.chain.times import format_time
from beats_signer.errors import Problem, StoreError
from beats_signer.store.contract import Appended, Write
from beats_signer.store.elasticsearch.write.body import (
    BodyError,
    build_part,
    split_body,
)
from beats_signer.store.elasticsearch.write.bulk import Bulk, NothingTakenError
from beats_signer.store.elasticsearch.write.capacity import Capacity
from beats_signer.store.elasticsearch.write.conflicts import Conflicts
from beats_signer.store.elasticsearch.write.following import follow
from beats_signer.store.elasticsearch.write.outcomes import Outcome, Verdict, are_stored
from beats_signer.store.elasticsearch.write.parked import (
    describe_too_large,
    explain,
    is_parked,
    unusable,
)
from beats_signer.store.elasticsearch.write.pending import Pending, chunks
from beats_signer.store.elasticsearch.write.rendering import Item

__all__ = ["Delivery"]

_Judged = list[tuple[Item, Outcome]]


class Delivery:
    """One write on its way. One call of ``run`` at a time."""

    def __init__(
        self,
        write: Write,
        bulk: Bulk,
        capacity: Capacity,
        log: FilteringBoundLogger,
        *,
        target: str,
        grace_seconds: float,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        """Take the write apart; ``target`` is the default place of its chain.

        Raises:
            RefusedError: Its bytes were made for another store, or are damaged.
        """
        self.write = write
        self._bulk = bulk
        self._capacity = capacity
        self._log = log.bind(chain=write.seal.origin, seal=write.seal.number)
        self._conflicts = Conflicts(
            write,
            bulk,
            self._log,
            grace_seconds=grace_seconds,
            clock=clock,
            sleep=sleep,
        )
        self._target = target
        self.problem: Problem | None = None
        """What stays away until somebody raises a limit of the server."""
        try:
            self._requests = list(self._split())
        except BodyError as error:
            raise unusable(write, error) from error

    async def run(self) -> Appended:
        """Send what is not stored; return when everything is.

        Raises:
            StoreError, RefusedError: Something is left: run it again.
            ForkError: Another seal stands under the number of this one.
        """
        try:
            for pending in self._requests:
                await self._deliver(pending)
        except BodyError as error:
            raise unusable(self.write, error) from error
        if is_catalogue(self.write.seal.origin):
            return Appended()  # its documents never have visible fields
        bare = set().union(*(pending.bare for pending in self._requests))
        first = self.write.seal.first
        return Appended(tuple(first + position for position in sorted(bare)))

    def _split(self) -> Iterator[Pending]:
        first = 0
        for part in split_body(self.write.body):
            yield Pending(part, first, self.write.seal.count)
            first += part.count

    async def _deliver(self, pending: Pending) -> None:
        if pending.is_whole:
            judged = await self._send_whole(pending)
        else:
            if pending.is_away:
                await pending.open()
            judged = await self._send(pending, await pending.ready())
        stuck = await self._follow(pending, judged)
        if freed := await pending.freed():
            stuck += await self._follow(pending, await self._send(pending, freed))
        if stuck:
            raise await self._give_up(pending, stuck)

    async def _follow(self, pending: Pending, judged: _Judged) -> _Judged:
        """Send items in other renderings until all are stored; return what is stuck."""
        stuck: _Judged = []
        while judged:
            ready, kept = await self._react(pending, judged)
            stuck += kept
            judged = await self._send(pending, ready)
        return stuck

    async def _give_up(self, pending: Pending, stuck: _Judged) -> StoreError:
        await pending.park([item for item, outcome in stuck if is_parked(outcome)])
        error = explain(self.write, len(pending.items), stuck)
        self._tell(describe_too_large(self.write, stuck))
        pending.put_away()
        return error

    def _tell(self, problem: Problem | None) -> None:
        """Note what is too large, and say so once."""
        if problem is not None and self.problem is None:
            self._log.error(problem.symptom, action=problem.action)
        self.problem = problem or self.problem

    async def _send_whole(self, pending: Pending) -> _Judged:
        """Send a request as it was encoded; return its items that are not stored."""
        try:
            outcomes = await self._bulk.send(pending.part)
        except NothingTakenError as nothing:
            await pending.open()
            return await self._send_less(pending, pending.items, nothing)
        if are_stored(outcomes):
            pending.finish()
            return []
        await pending.open()
        judged = pending.settle(pending.items, outcomes)
        return await self._send_apart(pending, judged)

    async def _send(self, pending: Pending, items: Sequence[Item]) -> _Judged:
        """Send items as they are now; return those that are not stored."""
        judged: _Judged = []
        for chunk in chunks(items, self._capacity.part_bytes):
            judged += await self._send_chunk(pending, chunk)
        return judged

    async def _send_chunk(self, pending: Pending, items: Sequence[Item]) -> _Judged:
        lines = [line for item in items for line in (item.action, item.document)]
        part = await asyncio.to_thread(build_part, lines)
        try:
            outcomes = await self._bulk.send(part)
        except NothingTakenError as nothing:
            return await self._send_less(pending, items, nothing)
        return await self._send_apart(pending, pending.settle(items, outcomes))

    async def _send_apart(self, pending: Pending, judged: _Judged) -> _Judged:
        """Send again what was too large together: one large item refuses them all."""
        large = [item for item, why in judged if why.verdict is Verdict.TOO_LARGE]
        if len(large) < 2:
            return judged
        large.sort(key=lambda item: item.size)
        half = len(large) // 2
        judged = [one for one in judged if one[1].verdict is not Verdict.TOO_LARGE]
        judged += await self._send_chunk(pending, large[:half])
        return judged + await self._send_chunk(pending, large[half:])

    async def _send_less(
        self, pending: Pending, items: Sequence[Item], nothing: NothingTakenError
    ) -> _Judged:
        """Send the halves of what was not taken whole."""
        if len(items) > 1:
            half = len(items) // 2
            judged = await self._send_chunk(pending, items[:half])
            return judged + await self._send_chunk(pending, items[half:])
        judged = [(items[0], nothing.outcome)]
        if nothing.is_too_large:
            return judged
        # Not for the others: while the server takes nothing, one tells it.
        ready, stuck = await self._react(pending, judged)
        if stuck:
            raise await self._give_up(pending, stuck)
        return await self._send_chunk(pending, ready)

    async def _react(
        self, pending: Pending, judged: _Judged
    ) -> tuple[list[Item], _Judged]:
        """Return what to send now, and what only a later call can send."""
        conflicts = [one for one in judged if one[1].verdict is Verdict.CONFLICT]
        others = [one for one in judged if one[1].verdict is not Verdict.CONFLICT]
        following = await asyncio.to_thread(self._followings, others)
        pending.replace(item for item, _ in following)
        ready = [item for item, outcome in following if outcome is None]
        stuck = [(item, why) for item, why in following if why is not None]
        renamed, kept = await self._settle(pending, conflicts)
        return ready + renamed, stuck + kept

    def _followings(self, judged: _Judged) -> list[tuple[Item, Outcome | None]]:
        """Render many items, which takes longer than the loop may wait."""
        time = format_time(self.write.seal.time)
        return [
            follow(item, outcome, target=self._target, time=time)
            for item, outcome in judged
        ]

    async def _settle(
        self, pending: Pending, conflicts: _Judged
    ) -> tuple[list[Item], _Judged]:
        ready: list[Item] = []
        stuck: _Judged = []
        outcomes = {item.position: outcome for item, outcome in conflicts}
        items = [item for item, _ in conflicts]
        for chunk in chunks(items, self._capacity.part_bytes):
            settled = await self._conflicts.settle(
                [(item, outcomes[item.position]) for item in chunk]
            )
            for item in settled.ours:
                pending.remove(item, is_bare=False)
            for item in settled.ours_bare:
                pending.remove(item, is_bare=True)
            pending.replace(settled.renamed)
            ready += settled.renamed
            stuck += settled.open
        return ready, stuck
