"""Carry one write to the server until every item of it is stored.

| what the server says        | what becomes of the item                          |
|-----------------------------|---------------------------------------------------|
| created                     | stored                                            |
| conflict                    | read and compared; ours: stored; else renamed     |
| rejected, dropped, diverted | sent as a bare document, then as a minimal one    |
| no such pipeline            | sent without it, tagged                           |
| no such place               | refused; one that its sender named: default place |
| busy                        | kept, sent again by the next call                 |
| refused                     | kept, sent again by the next call; alarm          |

A delivery remembers between calls what is stored, so that a write that is
appended again sends nothing twice. Forgetting it (a crash) is safe: then the
same bytes meet themselves as conflicts.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from structlog.typing import FilteringBoundLogger

from beats_signer.chain.times import format_time
from beats_signer.errors import ForkError, RefusedError, StoreError
from beats_signer.store.contract import Appended, Write
from beats_signer.store.elasticsearch.body import (
    BodyError,
    Part,
    build_part,
    open_part,
    split_body,
)
from beats_signer.store.elasticsearch.bulk import Bulk, NothingTakenError
from beats_signer.store.elasticsearch.capacity import Capacity
from beats_signer.store.elasticsearch.conflicts import Standing, compare
from beats_signer.store.elasticsearch.outcomes import Outcome, Verdict
from beats_signer.store.elasticsearch.places import default_target
from beats_signer.store.elasticsearch.rendering import (
    Item,
    Rendering,
    next_rendering,
    rename,
    render,
)

__all__ = ["Delivery"]

_MOST_FAULTS: Final = 3
"""So often an item that the server fails at is sent as it is."""
_BARE: Final = frozenset({Rendering.BARE, Rendering.MINIMAL})

_Judged = list[tuple[Item, Outcome]]


@dataclass(slots=True)
class _Request:
    """One part of the write, and what is left of it."""

    first: int
    """Position of its first item in the write."""
    part: Part
    left: dict[int, Item] | None = None
    """Items that are not stored, by position; ``None``: it was never answered."""


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
    ) -> None:
        """Take the write apart.

        Raises:
            RefusedError: Its bytes were made for another store, or are damaged.
        """
        self.write = write
        self._bulk = bulk
        self._capacity = capacity
        self._log = log.bind(chain=write.seal.origin, seal=write.seal.number)
        self._grace_seconds = grace_seconds
        self._clock = clock
        self._bare: set[int] = set()
        self._target = default_target(write.seal.origin)
        self._requests = list(self._split())

    async def run(self) -> Appended:
        """Send what is not stored; return when everything is.

        Raises:
            StoreError, RefusedError: Something is left: run it again.
            ForkError: Another seal stands under the number of this one.
        """
        for request in self._requests:
            await self._deliver(request)
        first = self.write.seal.first
        return Appended(tuple(first + position for position in sorted(self._bare)))

    def _split(self) -> Iterator[_Request]:
        first = 0
        try:
            for part in split_body(self.write.body):
                yield _Request(first, part)
                first += part.count
        except BodyError as error:
            raise RefusedError(
                f"seal {self.write.seal.number} of {self.write.seal.origin}: its bytes "
                f"cannot be sent: {error}",
                hint="Start with the store that this seal was made for.",
            ) from error

    async def _deliver(self, request: _Request) -> None:
        if request.left is None:
            judged = await self._send_whole(request)
        else:
            judged = await self._send(request.left, list(request.left.values()))
        assert request.left is not None, "it has been answered"
        stuck: _Judged = []
        while judged:
            ready, more = await self._react(request.left, judged)
            stuck += more
            judged = await self._send(request.left, ready)
        if stuck:
            raise self._error(stuck)

    async def _send_whole(self, request: _Request) -> _Judged:
        """Send a request as it was encoded."""
        try:
            outcomes = await self._bulk.send(request.part)
        except NothingTakenError as nothing:
            request.left = left = await self._open(request)
            if len(left) == 1:
                return [(next(iter(left.values())), nothing.outcome)]
            return await self._send(left, list(left.values()))
        if all(outcome.verdict is Verdict.STORED for outcome in outcomes):
            request.left = {}
            return []
        items = await self._open(request)
        judged = list(zip(items.values(), outcomes, strict=True))
        request.left = items
        return [pair for pair in judged if not self._settle(items, *pair)]

    async def _send(self, left: dict[int, Item], items: Sequence[Item]) -> _Judged:
        """Send items one by one known; return those that are not stored."""
        judged: _Judged = []
        for chunk in _chunks(items, self._capacity.part_bytes):
            for pair in await self._send_chunk(chunk):
                if not self._settle(left, *pair):
                    judged.append(pair)
        return judged

    async def _send_chunk(self, items: Sequence[Item]) -> _Judged:
        lines = [line for item in items for line in (item.action, item.document)]
        part = await asyncio.to_thread(build_part, lines)
        try:
            outcomes = await self._bulk.send(part)
        except NothingTakenError as nothing:
            if len(items) == 1:
                return [(items[0], nothing.outcome)]
            half = len(items) // 2
            return [
                *await self._send_chunk(items[:half]),
                *await self._send_chunk(items[half:]),
            ]
        return list(zip(items, outcomes, strict=True))

    def _settle(self, left: dict[int, Item], item: Item, outcome: Outcome) -> bool:
        """Note an item that is stored; say whether it is."""
        if outcome.verdict is not Verdict.STORED:
            return False
        del left[item.position]
        if item.rendering in _BARE:
            self._bare.add(item.position)
        return True

    async def _react(
        self, left: dict[int, Item], judged: _Judged
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
            left[item.position] = following
            if following.rendering is not item.rendering:
                ready.append(following)
            else:
                stuck.append((item, outcome))
        if conflicts:
            renamed, more = await self._compare(left, conflicts)
            ready += renamed
            stuck += more
        return ready, stuck

    def _following(self, item: Item, outcome: Outcome) -> Item:
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

    async def _compare(
        self, left: dict[int, Item], conflicts: _Judged
    ) -> tuple[list[Item], _Judged]:
        """Read what stands in the way; return what to send under another name."""
        grace = self._bulk.unanswered_at + self._grace_seconds - self._clock()
        if grace > 0:  # what stands there may not be durable yet
            await asyncio.sleep(grace)
        ready: list[Item] = []
        stuck: _Judged = []
        outcomes = {item.position: outcome for item, outcome in conflicts}
        items = [item for item, _ in conflicts]
        for chunk in _chunks(items, self._capacity.part_bytes):
            places = [_place(item, outcomes[item.position]) for item in chunk]
            sources = await self._bulk.read(places)
            for item, source in zip(chunk, sources, strict=True):
                match compare(self.write, item, source):
                    case Standing.OURS | Standing.OURS_BARE as standing:
                        del left[item.position]
                        if standing is Standing.OURS_BARE:
                            self._bare.add(item.position)
                    case Standing.NOTHING:
                        stuck.append((item, outcomes[item.position]))
                    case Standing.ANOTHER:
                        left[item.position] = self._renamed(item)
                        ready.append(left[item.position])
        return ready, stuck

    def _renamed(self, item: Item) -> Item:
        seal = self.write.seal
        index, name = item.place
        if item.rendering is Rendering.SEAL:
            raise ForkError(
                f"another seal stands under number {seal.number} of {seal.origin}",
                hint="Two signers, or a copy of one, write to this chain: find the"
                " other before anything else.",
            )
        self._log.error(
            "a document that is not ours stands under the name of an event",
            index=index,
            document=name,
        )
        renamed = rename(item)
        if renamed is None:
            raise RefusedError(
                f"every name of entry {seal.first + item.position} of {seal.origin} is "
                f"taken in {index} by documents of somebody else",
                hint=f"See who writes to {index}; remove {name} and its like.",
            )
        return renamed

    async def _open(self, request: _Request) -> dict[int, Item]:
        """Return all items of a request."""
        lines = await asyncio.to_thread(open_part, request.part)
        seal = self.write.seal.count
        chosen = set(request.part.chosen)
        return {
            position: Item(
                position,
                lines[2 * number],
                lines[2 * number + 1],
                Rendering.SEAL if position == seal else Rendering.FULL,
                number in chosen,
            )
            for number, position in enumerate(
                range(request.first, request.first + request.part.count)
            )
        }

    def _error(self, stuck: _Judged) -> StoreError:
        """Return the error that says why items are left, the worst first."""
        item, outcome = next(
            (pair for pair in stuck if pair[1].verdict is not Verdict.BUSY), stuck[0]
        )
        index, _ = item.place
        message = (
            f"{len(stuck)} of {self.write.seal.count + 1} items of seal "
            f"{self.write.seal.number} are not stored in {index}: "
            f"{outcome.kind or outcome.verdict.value}: {outcome.reason}"
        )
        if outcome.verdict in (Verdict.BUSY, Verdict.FAULT, Verdict.CONFLICT):
            return StoreError(message, hint="The server is busy; nothing is lost.")
        return RefusedError(
            message,
            hint=f"See to {index}: its blocks, its mapping, and what the signer's "
            "role may do there. Nothing is lost; senders wait meanwhile.",
        )


def _place(item: Item, outcome: Outcome) -> tuple[str, str]:
    """Return where a conflict stands: an index, also behind a data stream."""
    index, name = item.place
    return outcome.index or index, name


def _chunks(items: Sequence[Item], most: int) -> Iterator[Sequence[Item]]:
    """Yield items for one request each, of at most this many bytes if they can."""
    start = size = 0
    for position, item in enumerate(items):
        if size + item.size > most and position > start:
            yield items[start:position]
            start, size = position, 0
        size += item.size
    if start < len(items):
        yield items[start:]
