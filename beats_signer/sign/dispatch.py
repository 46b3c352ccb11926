"""Hand the parts of a window to the chains they belong to.

A window has one receipt, which is done when all parts are stored. It is taken
whole or not at all: when one of its chains is stuck and holds its share, no
part of it is queued. What a chain holds above its share when it is found to be
stuck is given up, and its senders send it again.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Generic, Protocol, TypeVar

from structlog.typing import FilteringBoundLogger

from beats_signer.errors import StoreError
from beats_signer.sign.holding import Holding, join_receipts
from beats_signer.sign.parting import Router
from beats_signer.sign.routing import Route
from beats_signer.sign.window import Receipt, Window

__all__ = ["Dispatch"]


class _Chain(Protocol):
    """What takes the windows of one chain."""

    def append(self, item: Window, /) -> Receipt: ...

    @property
    def is_refused(self) -> bool: ...


_C = TypeVar("_C", bound=_Chain)


class Dispatch(Generic[_C]):
    """From windows to chains, and which chains a connection has touched."""

    def __init__(
        self,
        router: Router,
        holding: Holding,
        chain_of: Callable[[Route], _C],
        log: FilteringBoundLogger,
        *,
        is_away: Callable[[], bool] = lambda: False,
    ) -> None:
        """Take what returns the chain of a route, founded if there is none.

        While *is_away*, the store refuses what every chain sends.
        """
        self._router = router
        self._holding = holding
        self._chain_of = chain_of
        self._log = log
        self._is_away = is_away
        self._chains: dict[Route, _C] = {}
        self._touched: dict[str, set[_C]] = {}
        self._owing: dict[str, dict[int, tuple[_C, ...]]] = {}

    def append(self, window: Window) -> Receipt:
        """Queue a window and return its receipt.

        The receipt fails when a chain has stopped, or when the window is
        refused.
        """
        parts = self._router.part(window)
        try:
            if not self._router.routing.is_plain:
                routes = ((part.route, part.window) for part in parts)
                self._holding.check(routes, self._refused())
        except StoreError as error:
            self._log.warning(
                "a window is refused, its sender sends it again",
                sender=window.source.sender,
                peer=window.source.peer,
                error=str(error),
            )
            return _failed(error)
        chains = tuple(self._chain_of(part.route) for part in parts)
        self._chains.update((p.route, c) for p, c in zip(parts, chains, strict=True))
        connection = window.source.connection
        self._touched.setdefault(connection, set()).update(chains)
        self._owing.setdefault(connection, {})[window.number] = chains
        receipts = []
        for chain, part in zip(chains, parts, strict=True):
            receipt = chain.append(part.window)
            self._holding.hold(part.route, part.window, receipt)
            receipts.append(receipt)
        return join_receipts(receipts)

    def heard(self, waited_seconds: float | None) -> None:
        """Note that the store took what a chain sent so long ago, or refuses it.

        Where there is one chain only, there is nobody to protect from it.
        """
        if self._router.routing.is_plain:
            return
        if waited_seconds is not None:
            self._holding.stored(int(waited_seconds * 10**9))
        for receipt in self._holding.surplus(self._refused()):
            receipt.set_exception(
                StoreError(
                    "a window is given up, because its chain is stuck and holds more "
                    "than its share",
                    hint="See why the store does not take it: beats-signer status.",
                )
            )

    def acknowledged(self, connection: str, number: int) -> tuple[_C, ...]:
        """Return the chains that held a window whose ack was written, once."""
        return self._owing.get(connection, {}).pop(number, ())

    def lost(self, connection: str) -> Iterable[_C]:
        """Return the chains that a connection touched, and forget it."""
        self._owing.pop(connection, None)
        return self._touched.pop(connection, ())

    def _refused(self) -> set[Route]:
        """Return the chains that are refused while others need not be."""
        if self._is_away():
            return set()
        return {route for route, chain in self._chains.items() if chain.is_refused}


def _failed(error: Exception) -> Receipt:
    receipt: Receipt = asyncio.get_running_loop().create_future()
    receipt.set_exception(error)
    return receipt
