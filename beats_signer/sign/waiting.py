"""The queue of what is to be sealed, and where it is cut into seals."""

import asyncio
from collections import deque
from dataclasses import dataclass

from beats_signer.chain.seal import COUNT_LIMIT
from beats_signer.sign.pace import Pace
from beats_signer.sign.window import Control, Item, Lost, Notice, Receipt, Window

__all__ = ["Group", "Waiting"]

_RECORDS_BYTES = 6 << 20
"""Window records of one seal. Its body of 8 MiB holds repeats as well."""

_Waiter = tuple[Item, Receipt]


@dataclass(frozen=True, slots=True)
class Group:
    """What is sealed together: items of one kind, and news between windows."""

    items: tuple[Item | Notice, ...]
    receipts: tuple[Receipt, ...]
    """One for each item that is no notice."""


class Waiting:
    """Items and notices in the order in which they came. Event loop only.

    The order of notices matters: a connection ends after its windows came, and
    whether an ack was known when a window came decides what the window is.
    """

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._queue: deque[_Waiter | Notice] = deque()
        self._items = 0
        # Connections of windows that were taken: their end has to be told.
        self._sealed: set[str] = set()

    def __len__(self) -> int:
        """Return how many items wait; notices do not count."""
        return self._items

    def append(self, item: Item) -> Receipt:
        """Queue an item and return its receipt."""
        receipt: Receipt = asyncio.get_running_loop().create_future()
        self._queue.append((item, receipt))
        self._items += 1
        return receipt

    def note(self, notice: Notice) -> None:
        """Queue news; it is taken together with the item that follows."""
        self._queue.append(notice)

    def lost(self, connection: str, at: int, *, drop: bool) -> None:
        """Queue the end of a connection; with *drop* give up its windows too.

        Nobody waits for an ack of those windows any more, and their sender
        sends them again. Those that were given up already are dropped anyhow.
        """
        self._drop(connection, only_given_up=not drop)
        if connection in self._sealed or self._has(connection):
            self.note(Lost(connection, at))
        self._sealed.discard(connection)

    def take(self) -> Group:
        """Return what the next seal holds: as much of one kind as fits."""
        items: list[Item | Notice] = []
        receipts: list[Receipt] = []
        entries = payload_bytes = record_bytes = 0
        kind: type[Item] | None = None
        while self._queue:
            head = self._queue[0]
            if not isinstance(head, tuple):
                items.append(head)
                self._queue.popleft()
                continue
            item, receipt = head
            entries += item.entries
            payload_bytes += item.payload_bytes
            record_bytes += item.record_bytes
            if kind is not None and (
                type(item) is not kind
                or kind is Control
                or entries > min(self._pace.max_entries, COUNT_LIMIT)
                or payload_bytes > self._pace.max_bytes
                or record_bytes > _RECORDS_BYTES
            ):
                break
            kind = type(item)
            items.append(item)
            receipts.append(receipt)
            self._queue.popleft()
            if isinstance(item, Window):
                self._sealed.add(item.source.connection)
        self._items -= len(receipts)
        return Group(tuple(items), tuple(receipts))

    def take_notices(self) -> list[Notice]:
        """Return the news that came before the first item that waits."""
        notices: list[Notice] = []
        while self._queue and not isinstance(notice := self._queue[0], tuple):
            notices.append(notice)
            self._queue.popleft()
        return notices

    def clear(self) -> list[Receipt]:
        """Empty the queue and return the receipts of what was in it."""
        receipts = [head[1] for head in self._queue if isinstance(head, tuple)]
        self._queue.clear()
        self._items = 0
        self._sealed.clear()
        return receipts

    def _has(self, connection: str) -> bool:
        return any(_is_of(connection, waiter) for waiter in self._queue)

    def _drop(self, connection: str, *, only_given_up: bool) -> None:
        kept: deque[_Waiter | Notice] = deque()
        for waiter in self._queue:
            if (
                isinstance(waiter, tuple)
                and _is_of(connection, waiter)
                and (waiter[1].done() or not only_given_up)
            ):
                waiter[1].cancel()
                self._items -= 1
            else:
                kept.append(waiter)
        self._queue = kept


def _is_of(connection: str, waiter: _Waiter | Notice) -> bool:
    item = waiter[0] if isinstance(waiter, tuple) else None
    return isinstance(item, Window) and item.source.connection == connection
