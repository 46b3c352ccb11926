"""One request of a write, and what is left of it."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from beats_signer.store.elasticsearch.body import Part, open_part
from beats_signer.store.elasticsearch.outcomes import Outcome, Verdict
from beats_signer.store.elasticsearch.rendering import Item, Rendering

__all__ = ["Pending", "chunks"]

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

    @property
    def is_whole(self) -> bool:
        """Tell whether it was never answered: then it is sent as it was encoded."""
        return self._left is None

    @property
    def items(self) -> list[Item]:
        """Return what is left; it has been opened, or is stored."""
        assert self._left is not None, "open it first"
        return list(self._left.values())

    async def open(self) -> None:
        """Take the request apart: all its items are left."""
        lines = await asyncio.to_thread(open_part, self.part)
        chosen = set(self.part.chosen)
        self._left = {}
        for number, position in enumerate(self._positions()):
            self._left[position] = Item(
                position,
                lines[2 * number],
                lines[2 * number + 1],
                Rendering.SEAL if position == self._seal else Rendering.FULL,
                number in chosen,
            )

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
        if item.rendering in _BARE if is_bare is None else is_bare:
            self.bare.add(item.position)

    def replace(self, items: Iterable[Item]) -> None:
        """Note how items that are left are to be sent next."""
        assert self._left is not None, "open it first"
        self._left.update((item.position, item) for item in items)

    def _positions(self) -> range:
        return range(self._first, self._first + self.part.count)


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
