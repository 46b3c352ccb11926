"""Send windows of events to a receiver and wait for every acknowledgement.

The way is that of a Beat: windows number their events from 1, two of them are
on their way on one connection, and a receiver that is silent for too long has
failed. Nothing is sent a second time: who wants to know whether a receiver
works wants to hear of the first failure.
"""

import asyncio
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass

from beats_signer.cli.failure import explain
from beats_signer.cli.target import Target
from lumberjack.sender import Sender

__all__ = ["AckedWindow", "Tally", "deliver"]

_IN_FLIGHT = 2
"""Windows on their way on one connection, as in Filebeat (its ``pipelining``)."""

_READ_BYTES = 1 << 16
_CLOSE_SECONDS = 2.0
"""How long a receiver may take to answer our goodbye; nothing depends on it."""

Window = list[bytes]


@dataclass(frozen=True, slots=True)
class AckedWindow:
    """One window that the receiver has acknowledged."""

    connection: int
    """Number of the connection, from 1."""

    events: int
    wait_seconds: float
    """From handing the window to the connection to its acknowledgement."""


class Tally:
    """What has been sent and acknowledged so far, over all connections."""

    def __init__(self) -> None:
        self.sent_windows = 0
        self.sent_events = 0
        self.keepalives = 0
        self.acked: list[AckedWindow] = []

    @property
    def acked_events(self) -> int:
        """Return how many events the receiver answers for."""
        return sum(window.events for window in self.acked)

    def wait_seconds(self, share: float) -> float:
        """Return the time in which a share of the windows, up to 1, was acknowledged.

        There has to be one.
        """
        waits = sorted(window.wait_seconds for window in self.acked)
        return waits[min(int(share * len(waits)), len(waits) - 1)]


async def deliver(
    target: Target,
    windows: Iterable[Window],
    tally: Tally,
    *,
    connections: int = 1,
    version: int = 2,
    silence_seconds: float = 30.0,
    on_ack: Callable[[AckedWindow], None] = lambda window: None,
) -> None:
    """Send all windows and return when each of them is acknowledged.

    Args:
        target: The receiver.
        windows: Events, as JSON. They are drawn in a thread: drawing may block.
        tally: Filled in as things happen, and true also after an error.
        connections: How many to open; each takes the next window when it can.
        version: Of the protocol.
        silence_seconds: How long a receiver that owes an answer may send nothing.
        on_ack: Called for each acknowledged window.

    Raises:
        DeliveryError: A connection failed; the others are given up too.
    """
    feed = _Feed(windows)
    try:
        async with asyncio.TaskGroup() as tasks:
            for number in range(1, connections + 1):
                connection = _Connection(
                    number, feed, Sender(version=version), tally, on_ack
                )
                tasks.create_task(connection.run(target, silence_seconds))
    except ExceptionGroup as error:
        failure = explain(error, target, was_served=bool(tally.acked))
        if failure is None:
            raise
        raise failure from error


class _Feed:
    """Draws windows in a thread of its own, one for each request.

    The thread is a daemon: a source that blocks for ever, such as a terminal,
    cannot keep an interrupted program alive.
    """

    def __init__(self, windows: Iterable[Window]) -> None:
        self._loop = asyncio.get_running_loop()
        self._requests = queue.SimpleQueue[asyncio.Future[Window | None]]()
        threading.Thread(target=self._draw, args=(windows,), daemon=True).start()

    async def next_window(self) -> Window | None:
        """Return the next window, or ``None`` when there is none any more."""
        answer: asyncio.Future[Window | None] = self._loop.create_future()
        self._requests.put(answer)
        return await answer

    def _draw(self, windows: Iterable[Window]) -> None:
        drawn = iter(windows)
        with suppress(RuntimeError):  # the loop is closed: nobody asks any more
            while True:
                answer = self._requests.get()
                try:
                    window = next(drawn, None)
                except Exception as error:  # raised where the window is awaited
                    self._loop.call_soon_threadsafe(_fail, answer, error)
                else:
                    self._loop.call_soon_threadsafe(_fulfil, answer, window)


def _fulfil(answer: asyncio.Future[Window | None], window: Window | None) -> None:
    if not answer.cancelled():
        answer.set_result(window)


def _fail(answer: asyncio.Future[Window | None], error: Exception) -> None:
    if not answer.cancelled():
        answer.set_exception(error)


class _Connection:
    """One connection: a task that writes windows, and one that reads acks."""

    def __init__(
        self,
        number: int,
        feed: _Feed,
        sender: Sender,
        tally: Tally,
        on_ack: Callable[[AckedWindow], None],
    ) -> None:
        self._number = number
        self._feed = feed
        self._sender = sender
        self._tally = tally
        self._on_ack = on_ack
        self._slots = asyncio.Semaphore(_IN_FLIGHT)
        self._begun: deque[float] = deque()  # of the windows in flight, oldest first

    async def run(self, target: Target, silence_seconds: float) -> None:
        """Deliver windows until the feed has no more and all are acknowledged."""
        async with asyncio.timeout(silence_seconds) as self._deadline:
            self._silence_seconds = silence_seconds
            reader, writer = await asyncio.open_connection(
                target.address.host, target.address.port, ssl=target.context
            )
            self._expect_answer()
            try:
                async with asyncio.TaskGroup() as tasks:
                    reading = tasks.create_task(self._read(reader))
                    await self._write(writer)
                    reading.cancel()
            except BaseException:
                writer.transport.abort()
                raise
        await _say_goodbye(writer)

    async def _write(self, writer: asyncio.StreamWriter) -> None:
        while (window := await self._feed.next_window()) is not None:
            await self._slots.acquire()
            self._begun.append(time.monotonic())
            writer.write(self._sender.send(window))
            self._tally.sent_windows += 1
            self._tally.sent_events += len(window)
            self._expect_answer()
            with suppress(ConnectionError):  # the reader ends too, and knows why
                await writer.drain()
        for _ in range(_IN_FLIGHT):  # all slots are ours when all is acknowledged
            await self._slots.acquire()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        while data := await reader.read(_READ_BYTES):
            before = self._sender.keepalives
            self._sender.receive_data(data)
            while (ack := self._sender.next_ack()) is not None:
                wait = time.monotonic() - self._begun.popleft()
                acked = AckedWindow(self._number, ack.events, wait)
                self._tally.acked.append(acked)
                self._on_ack(acked)
                self._slots.release()
            self._tally.keepalives += self._sender.keepalives - before
            self._expect_answer()
        raise ConnectionResetError("end of stream")

    def _expect_answer(self) -> None:
        """Begin to count silence anew; none counts while no answer is owed."""
        now = asyncio.get_running_loop().time()
        owed = self._sender.in_flight
        self._deadline.reschedule(now + self._silence_seconds if owed else None)


async def _say_goodbye(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(_CLOSE_SECONDS):
            await writer.wait_closed()
