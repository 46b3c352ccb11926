"""What each chain holds in memory, and when one holds too much.

A chain is stuck when the store refuses what it sends, or when others are stored
ten seconds and more after it has last got on. It may then hold a quarter of the
memory that all windows share, and all stuck ones together half of it. A window
above that is refused, and what is held above it already is given up, the newest
first: its connection ends, and its sender sends it again later.

When nothing is stored at all there is nobody to protect, and windows wait as long as
the store is away. What is stored after as long a wait shows that it was away: then
all chains have ten seconds from there on.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field

from beats_signer.errors import StoreError
from beats_signer.sign.routing import Route
from beats_signer.sign.window import Receipt, Window

__all__ = ["Holding", "join_receipts"]

STUCK_NS = 10 * 10**9
_ONE_SHARE, _ALL_SHARES = 4, 2
_EVENT_OVERHEAD_BYTES = 100
"""What CPython adds to a payload, as ``receive.session`` counts it."""


@dataclass(slots=True)
class _Held:
    """What one chain holds; ``moved`` is when it last stored or began to wait."""

    moved: int
    held_bytes: int = 0
    receipts: dict[Receipt, int] = field(default_factory=dict)
    """Bytes of each window that waits, in the order in which they came."""


class Holding:
    """One count of bytes per chain. The event loop alone uses it."""

    def __init__(self, limit_bytes: int, clock: Callable[[], int]) -> None:
        """Take the bytes that all windows together may hold."""
        self._limit_bytes = limit_bytes
        self._clock = clock
        self._chains: dict[Route, _Held] = {}
        self._stored = 0
        # When the store was last seen to come back.
        self._back = 0

    def stored(self, waited_ns: int) -> None:
        """Note that the store has taken something that waited so long, of any chain."""
        self._stored = self._clock()
        if waited_ns >= STUCK_NS:
            self._back = self._stored

    def hold(self, route: Route, window: Window, receipt: Receipt) -> None:
        """Count a window until its receipt is done."""
        now, size = self._clock(), _size(window)
        held = self._chains.setdefault(route, _Held(now))
        if not held.held_bytes:
            held.moved = now
        held.held_bytes += size
        held.receipts[receipt] = size

        def release(receipt: Receipt) -> None:
            held.held_bytes -= held.receipts.pop(receipt)
            if not receipt.cancelled() and receipt.exception() is None:
                self.stored(self._clock() - held.moved)
                held.moved = self._stored

        receipt.add_done_callback(release)

    def check(
        self, parts: Iterable[tuple[Route, Window]], refused: Collection[Route]
    ) -> None:
        """Refuse a window of which a part would exceed a stuck chain's share.

        *refused* are the chains of which the store takes nothing.

        Raises:
            StoreError: The window is refused as a whole; nothing was counted.
        """
        stuck = self._stuck(refused)
        if not stuck:
            return
        together = sum(self._chains[route].held_bytes for route in stuck)
        for route, window in parts:
            if route not in stuck:
                continue
            held, size = self._chains[route].held_bytes, _size(window)
            if self._is_over(held + size, together + size):
                raise StoreError(
                    f"the chain {'/'.join(route)} is stuck and holds {held} bytes "
                    f"of the {self._limit_bytes} that all chains share",
                    hint="See why the store does not take it: beats-signer status.",
                )

    def surplus(self, refused: Collection[Route]) -> list[Receipt]:
        """Return the receipts of what stuck chains hold above their shares."""
        stuck = [self._chains[route] for route in self._stuck(refused)]
        together = sum(chain.held_bytes for chain in stuck)
        surplus: list[Receipt] = []
        for chain in sorted(stuck, key=lambda chain: -chain.held_bytes):
            held = chain.held_bytes
            for receipt, size in reversed(chain.receipts.items()):
                if not self._is_over(held, together):
                    break
                surplus.append(receipt)
                held -= size
                together -= size
        return [receipt for receipt in surplus if not receipt.done()]

    def _stuck(self, refused: Collection[Route]) -> set[Route]:
        """Return the chains that hold something and do not get on while others do."""
        before = self._stored - STUCK_NS
        return {
            route
            for route, held in self._chains.items()
            if held.held_bytes
            and (route in refused or max(held.moved, self._back) < before)
        }

    def _is_over(self, held_bytes: int, together_bytes: int) -> bool:
        one, all_ = self._limit_bytes // _ONE_SHARE, self._limit_bytes // _ALL_SHARES
        return held_bytes > one or together_bytes > all_


def join_receipts(receipts: Sequence[Receipt]) -> Receipt:
    """Return a receipt that is done when all are, and fails with the first."""
    if len(receipts) == 1:
        return receipts[0]
    joined: Receipt = asyncio.get_running_loop().create_future()
    missing = len(receipts)

    def count(receipt: Receipt) -> None:
        nonlocal missing
        missing -= 1
        if receipt.cancelled():
            joined.cancel()
        elif (error := receipt.exception()) is not None:
            if not joined.done():
                joined.set_exception(error)
        elif not missing and not joined.done():
            joined.set_result(None)

    for receipt in receipts:
        receipt.add_done_callback(count)
    return joined


def _size(window: Window) -> int:
    return window.payload_bytes + _EVENT_OVERHEAD_BYTES * window.entries
