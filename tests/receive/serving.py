"""A real listener on loopback, whose signer is in the hands of a test."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, NoReturn, cast

import structlog
from structlog.testing import LogCapture
from structlog.typing import EventDict, FilteringBoundLogger, WrappedLogger

from beats_signer.config import (
    Address,
    ListenerConfig,
    Network,
    ProxyProtocolConfig,
    SendersConfig,
    TlsConfig,
)
from beats_signer.receive.admission import Admission
from beats_signer.receive.budget import Budget
from beats_signer.receive.listener import Listener
from beats_signer.receive.patience import Patience
from beats_signer.receive.places import Caps
from beats_signer.receive.reception import Reception
from beats_signer.receive.watch import Watch
from beats_signer.sign.window import Receipt, Window
from lumberjack import Limits, Sender

__all__ = ["PATIENCE_SECONDS", "Client", "Desk", "connect", "serve"]

PATIENCE_SECONDS = 20.0
"""How long a test waits for what has to happen; nothing depends on it."""


class StoringSigner:
    """Stores every window at once, unless it is told to wait."""

    def __init__(self, changed: asyncio.Event) -> None:
        self.windows: list[Window] = []
        self.is_storing = True
        self._changed = changed
        self._receipts: list[Receipt] = []

    def append(self, window: Window) -> Receipt:
        self.windows.append(window)
        self._changed.set()
        receipt: Receipt = asyncio.get_running_loop().create_future()
        self._receipts.append(receipt)
        if self.is_storing:
            self.store()
        return receipt

    def store(self) -> None:
        for receipt in self._receipts:
            receipt.set_result(None)
        self._receipts.clear()

    def acknowledged(self, connection: str, number: int) -> None:
        pass

    def lost(self, connection: str) -> None:
        pass


class _Noticed(LogCapture):
    """A log that sets an event with each line."""

    def __init__(self, changed: asyncio.Event) -> None:
        super().__init__()
        self._changed = changed

    def __call__(
        self, logger: WrappedLogger, method_name: str, event_dict: EventDict
    ) -> NoReturn:
        self._changed.set()
        super().__call__(logger, method_name, event_dict)


class Desk:
    """What a test looks at."""

    def __init__(
        self,
        patience: Patience,
        memory_bytes: int = 1 << 28,
        senders: SendersConfig | None = None,
        caps: Caps | None = None,
    ) -> None:
        self._changed = asyncio.Event()
        self.signer = StoringSigner(self._changed)
        self._log = _Noticed(self._changed)
        logger = structlog.wrap_logger(
            None,
            processors=[self._log],
            wrapper_class=structlog.make_filtering_bound_logger("debug"),
        )
        self.reception = Reception(
            self.signer,
            Budget(memory_bytes),
            patience,
            Limits(),
            cast(FilteringBoundLogger, logger),
            admission=Admission(senders),
            caps=caps,
        )
        self.listener: Listener
        self.watch: Watch
        self.faults: list[dict[str, Any]] = []

    @property
    def port(self) -> int:
        return int(self.listener.address.rpartition(":")[2])

    def lines(self, event: str) -> Sequence[Mapping[str, Any]]:
        return [line for line in self._log.entries if line["event"] == event]

    async def reread(self) -> None:
        """Look at all files as often as it takes to see a change."""
        await self.watch.look()
        await self.watch.look()

    async def until(self, is_true: Callable[[], bool]) -> None:
        """Wait until something is true; looked at whenever anything has happened."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not is_true():
                self._changed.clear()
                await self._changed.wait()

    async def wait_for(self, event: str) -> Mapping[str, Any]:
        """Return the one log line with a text, as soon as there is one."""
        await self.until(lambda: bool(self.lines(event)))
        (line,) = self.lines(event)
        return line

    async def wait_for_windows(self, count: int) -> None:
        """Wait until the signer has been handed that many windows."""
        await self.until(lambda: len(self.signer.windows) >= count)

    async def wait_until_all_left(self) -> None:
        """Wait until there is no connection, whether it had a session or not."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            # Who never had a session says nothing when it is gone.
            while self.reception.places.taken:  # noqa: ASYNC110
                await asyncio.sleep(0.001)

    async def wait_until_all_ended(self) -> None:
        """Wait until no session is left."""
        await self.until(lambda: not self.reception.sessions)


@asynccontextmanager
async def serve(
    tls: TlsConfig | None = None,
    patience: Patience | None = None,
    *,
    memory_bytes: int = 1 << 28,
    senders: SendersConfig | None = None,
    caps: Caps | None = None,
    proxies: Sequence[Network] = (),
) -> AsyncIterator[Desk]:
    """Listen on a free port; at the end nothing may be left, and no fault."""
    desk = Desk(patience or Patience(), memory_bytes, senders, caps)
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: desk.faults.append(context))
    config = ListenerConfig(
        address=Address("127.0.0.1:0"),
        ssl=tls,
        proxy_protocol=ProxyProtocolConfig(tuple(proxies)) if proxies else None,
    )
    desk.listener = Listener.bind(config)
    desk.watch = Watch(desk.reception, [desk.listener])
    desk.listener.serve(desk.reception)
    try:
        yield desk
    finally:
        desk.listener.close()
        desk.reception.abort()
        await desk.wait_until_all_left()
    assert desk.faults == []


class Client:
    """A sender: a Beat, or whatever a test makes of it."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._reader = reader
        self.writer = writer
        self.sender = Sender()

    def send(self, *payloads: bytes) -> None:
        self.writer.write(self.sender.send(payloads))

    async def receive_acks(self, windows: int) -> list[int]:
        """Return the sequences of the next acks."""
        acks: list[int] = []
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(acks) < windows:
                data = await self._reader.read(4096)
                assert data, f"closed after {len(acks)} of {windows} acks"
                self.sender.receive_data(data)
                acks += [ack.sequence for ack in iter(self.sender.next_ack, None)]
        return acks

    async def read_exactly(self, size: int) -> bytes:
        """Return that many bytes."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self._reader.readexactly(size)

    async def read_all(self) -> bytes:
        """Return everything up to the end, however that comes."""
        answer = b""
        async with asyncio.timeout(PATIENCE_SECONDS):
            with suppress(ConnectionError, ssl.SSLError):
                while data := await self._reader.read(4096):
                    answer += data
        return answer


@asynccontextmanager
async def connect(
    desk: Desk, context: ssl.SSLContext | None = None
) -> AsyncIterator[Client]:
    """Connect, and close in the end."""
    name = "localhost" if context else None
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", desk.port, ssl=context, server_hostname=name
    )
    try:
        yield Client(reader, writer)
    finally:
        writer.close()
        with suppress(ConnectionError, ssl.SSLError, TimeoutError):
            await writer.wait_closed()
