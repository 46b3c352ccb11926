"""Carry one write to the server until every item of it is stored.

| what the server says        | what becomes of the item                          |
|-----------------------------|---------------------------------------------------|
| created                     | stored                                            |
| conflict                    | read and compared; ours: stored; else renamed     |
| rejected, dropped, diverted | sent as a bare document, then as a minimal one    |
| no such pipeline            | sent without it, tagged                           |
| no such place, refused      | kept, sent again by the next call; alarm. If its  |
|                             | sender named the place: sent to the default place |
| busy                        | kept, sent again by the next call                 |

A delivery remembers between calls what is stored, so that a write that is
appended again sends nothing twice. Forgetting it (a crash) is safe: then the
same bytes meet themselves as conflicts.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from structlog.typing import FilteringBoundLogger

from beats_signer.chain.origin import is_catalogue
from beats_signer.chain.times import format_time
from beats_signer.errors import RefusedError, StoreError
from beats_signer.store.contract import Appended, Write
from beats_signer.store.elasticsearch.body import BodyError, build_part, split_body
from beats_signer.store.elasticsearch.bulk import Bulk, NothingTakenError
from beats_signer.store.elasticsearch.capacity import Capacity
from beats_signer.store.elasticsearch.conflicts import Conflicts
from beats_signer.store.elasticsearch.outcomes import Outcome, Verdict
from beats_signer.store.elasticsearch.pending import Pending, chunks
from beats_signer.store.elasticsearch.places import default_target
from beats_signer.store.elasticsearch.rendering import Item, next_rendering, render

__all__ = ["Delivery"]

_MOST_FAULTS: Final = 3
"""So often an item that the server fails at is sent as it is."""
_SEVERITY: Final = (
    Verdict.BUSY,
    Verdict.CONFLICT,
    Verdict.FAULT,
    Verdict.REJECTED,
    Verdict.NO_PIPELINE,
    Verdict.NO_PLACE,
    Verdict.REFUSED,
)
"""Of what is left, the last of these is what an operator should hear of."""

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
        grace_seconds: float,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        """Take the write apart.

        Raises:
            RefusedError: Its bytes were made for another store, or are damaged.
        """
        self.write = write
        self._bulk = bulk
        self._capacity = capacity
        self._conflicts = Conflicts(
            write,
            bulk,
            log.bind(chain=write.seal.origin, seal=write.seal.number),
            grace_seconds=grace_seconds,
            clock=clock,
            sleep=sleep,
        )
        self._target = default_target(write.seal.origin)
        try:
            self._requests = list(self._split())
        except BodyError as error:
            raise _unusable(write, error) from error

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
            raise _unusable(self.write, error) from error
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
            judged = await self._send(pending, pending.items)
        stuck: _Judged = []
        while judged:
            ready, kept = await self._react(pending, judged)
            stuck += kept
            judged = await self._send(pending, ready)
        if stuck:
            raise self._error(stuck)

    async def _send_whole(self, pending: Pending) -> _Judged:
        """Send a request as it was encoded; return its items that are not stored."""
        try:
            outcomes = await self._bulk.send(pending.part)
        except NothingTakenError as nothing:
            await pending.open()
            return await self._send_less(pending, pending.items, nothing)
        if all(outcome.verdict is Verdict.STORED for outcome in outcomes):
            pending.finish()
            return []
        await pending.open()
        return pending.settle(pending.items, outcomes)

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
        return pending.settle(items, outcomes)

    async def _send_less(
        self, pending: Pending, items: Sequence[Item], nothing: NothingTakenError
    ) -> _Judged:
        """Send the halves of what was not taken whole."""
        if len(items) == 1:
            return [(items[0], nothing.outcome)]
        half = len(items) // 2
        judged = await self._send_chunk(pending, items[:half])
        return judged + await self._send_chunk(pending, items[half:])

    async def _react(
        self, pending: Pending, judged: _Judged
    ) -> tuple[list[Item], _Judged]:
        """Return what to send now, and what only a later call can send."""
        ready: list[Item] = []
        stuck: _Judged = []
        conflicts: _Judged = []
        for item, outcome in judged:
            if outcome.verdict is Verdict.CONFLICT:
                conflicts.append((item, outcome))
                continue
            following = self._following(item, outcome)
            pending.replace([following])
            if following.rendering is not item.rendering:
                ready.append(following)
            else:
                stuck.append((item, outcome))
        renamed, kept = await self._settle(pending, conflicts)
        return ready + renamed, stuck + kept

    def _following(self, item: Item, outcome: Outcome) -> Item:
        """Return the item as it is to be sent next."""
        verdict = outcome.verdict
        if verdict is Verdict.FAULT:
            item = replace(item, faults=item.faults + 1)
            if item.faults >= _MOST_FAULTS:
                verdict = Verdict.REJECTED
        rendering = next_rendering(item, verdict)
        if rendering is None:
            return item
        time = format_time(self.write.seal.time)
        return render(item, rendering, outcome, target=self._target, time=time)

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

    def _error(self, stuck: _Judged) -> StoreError:
        """Return the error that says why items are left."""
        item, outcome = max(stuck, key=lambda pair: _SEVERITY.index(pair[1].verdict))
        index, _ = item.place
        message = (
            f"{len(stuck)} of {self.write.seal.count + 1} items of seal "
            f"{self.write.seal.number} are not stored in {index}: "
            f"{outcome.kind or outcome.verdict.value}: {outcome.reason}"
        )
        if outcome.verdict in (Verdict.BUSY, Verdict.CONFLICT, Verdict.FAULT):
            return StoreError(message, hint="They are sent again; nothing is lost.")
        return RefusedError(
            message,
            hint=f"See to {index}: its blocks, its mapping, and what the signer's "
            "role may do there. Nothing is lost; senders wait meanwhile.",
        )


def _unusable(write: Write, error: BodyError) -> RefusedError:
    return RefusedError(
        f"seal {write.seal.number} of {write.seal.origin}: its bytes cannot be sent: "
        f"{error}",
        hint="Start with the store that this seal was made for.",
    )
