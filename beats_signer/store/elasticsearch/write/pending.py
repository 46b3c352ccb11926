"""One request of a write, and what is left of it."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from beats_signer.store.elasticsearch.write.body import Part, open_part
from beats_signer.store.elasticsearch.write.outcomes import Outcome, Verdict
from beats_signer.store.elasticsearch.write.rendering import Item, Rendering

__all__ = ["Pending", "chunks"]

_ENCODED: Final = frozenset({Rendering.FULL, Rendering.SEAL})
_BARE: Final = frozenset({Rendering.BARE, Rendering.MINIMAL, Rendering.MOVED})


class Pending:
    """A request, whole until it is answered, then its items that are not stored."""

    def __init__(self, part: Part, first: int, seal: int) -> None:
        """Take the position of its first item, and that of the seal, in the write."""
        self.part = part
        self.bare: set[int] = set()
        """Positions of items that are stored as bare documents."""
        self._first = first
        self._seal = seal
        # By position; None: nothing is known of any item.
        self._left: dict[int, Item] | None = None
        self._parked: set[int] = set()
        # By target, what asks for all that is parked there.
        self._probes: dict[str, Item] = {}
        # Positions of what is parked and left whose lines are not in memory.
        self._away: set[int] = set()

    @property
    def is_whole(self) -> bool:
        """Tell whether it was never answered: then it is sent as it was encoded."""
        return self._left is None

    @property
    def is_away(self) -> bool:
        """Tell whether it has to be opened again before its items are sent."""
        return bool(self._away)

    @property
    def items(self) -> list[Item]:
        """Return what is left; it has been opened, or is stored."""
        assert self._left is not None, "open it first"
        return list(self._left.values())

    async def ready(self) -> list[Item]:
        """Return what to send first: of what is parked, one for each target.

        It tells whether somebody has mended what the others wait for.
        """
        parked = [item for item in self.items if item.position in self._parked]
        targets = await asyncio.to_thread(_targets, parked)
        self._probes = dict(zip(targets, parked, strict=True))
        return [item for item in self.items if item.position not in self._parked] + [
            *self._probes.values()
        ]

    async def freed(self) -> list[Item]:
        """Return what is parked and need not be: one for its target was stored."""
        assert self._left is not None, "open it first"
        parked = [item for item in self.items if item.position in self._parked]
        targets = await asyncio.to_thread(_targets, parked)
        through = {
            target
            for target, probe in self._probes.items()
            if probe.position not in self._left
        }
        freed = [
            item
            for item, target in zip(parked, targets, strict=True)
            if target in through
        ]
        self._parked -= {item.position for item in freed}
        return freed

    async def park(self, items: Sequence[Item]) -> None:
        """Note what waits for somebody, who may have to mend more than one event.

        It is sent as it was encoded again: no fields are lost to a fault that has
        nothing to do with them.
        """
        if any(item.rendering not in _ENCODED for item in items):
            encoded = await asyncio.to_thread(self._take_apart)
            items = [encoded[item.position] for item in items]
        self.replace(items)
        self._parked.update(item.position for item in items)

    def put_away(self) -> None:
        """Keep no lines of what is parked: it may be much, and wait for long."""
        assert self._left is not None, "open it first"
        self._away = set(self._parked)
        for position in self._away:
            del self._left[position]

    async def open(self) -> None:
        """Take the request apart: all its items are left, or those put away."""
        items = await asyncio.to_thread(self._take_apart)
        if self._left is None:
            self._left = items
        else:
            self._left |= {position: items[position] for position in self._away}
        self._away = set()

    def finish(self) -> None:
        """Note that all of it is stored as it was encoded."""
        self._left = {}

    def settle(
        self, items: Sequence[Item], outcomes: Sequence[Outcome]
    ) -> list[tuple[Item, Outcome]]:
        """Note which items are stored; return the others."""
        unstored = []
        for item, outcome in zip(items, outcomes, strict=True):
            if outcome.verdict is Verdict.STORED:
                self.remove(item)
            else:
                unstored.append((item, outcome))
        return unstored

    def remove(self, item: Item, *, is_bare: bool | None = None) -> None:
        """Note that an item is stored; by its rendering, or as it was found."""
        assert self._left is not None, "open it first"
        del self._left[item.position]
        self._parked.discard(item.position)
        if item.rendering in _BARE if is_bare is None else is_bare:
            self.bare.add(item.position)

    def replace(self, items: Iterable[Item]) -> None:
        """Note how items that are left are to be sent next."""
        assert self._left is not None, "open it first"
        self._left.update((item.position, item) for item in items)

    def _take_apart(self) -> dict[int, Item]:
        lines = open_part(self.part)
        chosen = set(self.part.chosen)
        return {
            position: Item(
                position,
                lines[2 * number],
                lines[2 * number + 1],
                Rendering.SEAL if position == self._seal else Rendering.FULL,
                number in chosen,
            )
            for number, position in enumerate(
                range(self._first, self._first + self.part.count)
            )
        }


def _targets(items: Sequence[Item]) -> list[str]:
    return [item.place[0] for item in items]


def chunks(items: Sequence[Item], most: int) -> Iterator[Sequence[Item]]:
    """Yield items for one request each, of at most this many bytes if they can."""
    start = size = 0
    for position, item in enumerate(items):
        if size + item.size > most and position > start:
            yield items[start:position]
            start, size = position, 0
        size += item.size
    if start < len(items):
        yield items[start:]
