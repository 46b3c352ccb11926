"""The complete windows of one connection that wait for their ack."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from beats_signer.receive.intake import EVENT_BYTES
from beats_signer.receive.shares import Share
from beats_signer.receive.terms import Host, Terms
from beats_signer.sign.window import Receipt, Source, Window
from lumberjack import Batch

__all__ = ["Outstanding"]

_WINDOW_BYTES = 1000
"""What a window takes in memory besides its events."""


@dataclass(frozen=True, slots=True)
class _Open:
    """A window that was taken."""

    number: int
    received: int
    """When it was complete, in nanoseconds since 1970."""
    events: int
    ack: bytes | None
    """``None`` when none is owed: the sender ended within the window."""
    receipt: Receipt | None
    """``None`` for a window without events: nothing has to be stored."""

    @property
    def is_stored(self) -> bool:
        return self.receipt is None or self.receipt.done()


class Outstanding:
    """Hands windows to the signer, and lets them leave in order, each by its ack."""

    def __init__(
        self,
        terms: Terms,
        host: Host,
        source: Source,
        share: Share,
        transport: asyncio.WriteTransport,
        settled: Callable[[bool], object],
    ) -> None:
        """Call *settled* when it is known of a window whether it is stored."""
        self.windows = 0
        self.events = 0
        self.acknowledged_events = 0
        self.is_held_up = False
        """The sender does not take what it was sent."""
        self._terms = terms
        self._host = host
        self._source = source
        self._share = share
        self._transport = transport
        self._settled = settled
        self._open: deque[_Open] = deque()
        self._unwritten: list[int] = []
        self._tally = terms.tallies.of(source.sender)

    def __len__(self) -> int:
        """Return how many windows wait for their ack."""
        return len(self._open)

    def take(self, batch: Batch) -> int:
        """Hand a window to the signer; return the bytes that it holds until stored."""
        events = len(batch.payloads)
        self.windows += 1
        self.events += events
        self._tally.windows += 1
        self._tally.events += events
        self._tally.payload_bytes += batch.payload_bytes
        received = self._terms.clock()
        ack = batch.ack() if batch.acknowledged else None
        receipt, held_bytes = None, 0
        if events:
            receipt = self._append(batch, received)
            held_bytes = batch.payload_bytes + EVENT_BYTES * events + _WINDOW_BYTES
            receipt.add_done_callback(lambda done: self._settle(done, held_bytes))
        self._open.append(_Open(self.windows, received, events, ack, receipt))
        return held_bytes

    def write_acks(self) -> None:
        """Acknowledge from the front, as far as windows are stored."""
        while self._open and self._open[0].is_stored:
            window = self._open.popleft()
            if window.ack is None:
                continue
            self._transport.write(window.ack)
            self.acknowledged_events += window.events
            self._tally.acked_events += window.events
            waited = self._terms.clock() - window.received
            self._terms.tallies.ack_seconds(max(0, waited) / 10**9)
            if self.is_held_up:
                self._unwritten.append(window.number)
            else:
                self._note_written(window.number)

    def hold_up(self) -> None:
        """Note that from now on acks wait in memory."""
        self.is_held_up = True

    def go_on(self) -> None:
        """Note that the network has all of them."""
        self.is_held_up = False
        for number in self._unwritten:
            self._note_written(number)
        self._unwritten.clear()

    def _append(self, batch: Batch, received: int) -> Receipt:
        return self._terms.signing.append(
            Window(
                source=self._source,
                number=self.windows,
                arrival=self._host.next_arrival(),
                received=received,
                version=batch.version,
                size=batch.size,
                forms=batch.forms,
                payloads=batch.payloads,
                payload_bytes=batch.payload_bytes,
            )
        )

    def _settle(self, receipt: Receipt, held_bytes: int) -> None:
        # The signer held the window until now, whatever became of the connection.
        self._terms.budget.give_back(held_bytes)
        self._share.give_back(held_bytes)
        self._settled(not receipt.cancelled() and receipt.exception() is None)

    def _note_written(self, number: int) -> None:
        self._terms.signing.acknowledged(self._source.connection, number)
