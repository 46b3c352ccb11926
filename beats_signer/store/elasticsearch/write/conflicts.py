"""Settle conflicts: find out whether what stands there is ours, and go around it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from structlog.typing import FilteringBoundLogger

from beats_signer.errors import ForkError, RefusedError
from beats_signer.store.contract import Write
from beats_signer.store.elasticsearch.write.bulk import Bulk
from beats_signer.store.elasticsearch.write.outcomes import Outcome
from beats_signer.store.elasticsearch.write.rendering import Item, Rendering, rename
from beats_signer.store.elasticsearch.write.standing import Standing, compare

__all__ = ["Conflict", "Conflicts", "Settled"]

Conflict = tuple[Item, Outcome]


@dataclass(slots=True)
class Settled:
    """What became of some conflicts."""

    ours: list[Item] = field(default_factory=list)
    """Stored, with their visible fields."""
    ours_bare: list[Item] = field(default_factory=list)
    """Stored as bare documents."""
    renamed: list[Item] = field(default_factory=list)
    """To be created under another name."""
    open: list[Conflict] = field(default_factory=list)
    """Nothing stands there any more, or not yet: unknown."""


class Conflicts:
    """Settles the conflicts of one write."""

    def __init__(
        self,
        write: Write,
        bulk: Bulk,
        log: FilteringBoundLogger,
        *,
        grace_seconds: float,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._write = write
        self._bulk = bulk
        self._log = log
        self._grace_seconds = grace_seconds
        self._clock = clock
        self._sleep = sleep

    async def settle(self, conflicts: Sequence[Conflict]) -> Settled:
        """Read what stands in the way of some items, and compare it.

        A conflict is answered before what it conflicts with is durable. After a
        request without an answer, which may still be under way, nothing counts
        as stored before the grace has passed.

        Raises:
            StoreError: Nothing could be read; ask again.
            RefusedError: All names of an entry are taken.
            ForkError: Another seal stands under the number of ours.
        """
        rest = self._bulk.unanswered_at + self._grace_seconds - self._clock()
        if rest > 0:
            await self._sleep(rest)
        places = await asyncio.to_thread(_places, conflicts)
        sources = await self._bulk.read(places)
        standings = await asyncio.to_thread(self._compare, conflicts, sources)
        settled = Settled()
        for (item, outcome), standing in zip(conflicts, standings, strict=True):
            match standing:
                case Standing.OURS:
                    settled.ours.append(item)
                case Standing.OURS_BARE:
                    settled.ours_bare.append(item)
                case Standing.ANOTHER:
                    settled.renamed.append(self._rename(item, outcome))
                case Standing.NOTHING:
                    settled.open.append((item, outcome))
        return settled

    def _compare(
        self, conflicts: Sequence[Conflict], sources: Sequence[bytes | None]
    ) -> list[Standing]:
        """Compare many documents, which takes longer than the loop may wait."""
        return [
            compare(self._write, item, source)
            for (item, _), source in zip(conflicts, sources, strict=True)
        ]

    def _rename(self, item: Item, outcome: Outcome) -> Item:
        seal = self._write.seal
        index, name = _place(item, outcome)
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


def _places(conflicts: Sequence[Conflict]) -> list[tuple[str, str]]:
    return [_place(*conflict) for conflict in conflicts]


def _place(item: Item, outcome: Outcome) -> tuple[str, str]:
    """Return where a conflict stands: an index, also behind a data stream."""
    index, name = item.place
    return outcome.index or index, name
