"""Sessions whose senders, network, clock and signer are in the hands of a test."""

import asyncio
import itertools
from collections.abc import Mapping
from typing import Any, cast

import structlog
from structlog.testing import LogCapture
from structlog.typing import FilteringBoundLogger

from beats_signer.receive.budget import Budget
from beats_signer.receive.kernel import Kernel, KernelSocket
from beats_signer.receive.patience import Patience
from beats_signer.receive.refusal import Refusal, UnwelcomeError
from beats_signer.receive.session import Session
from beats_signer.receive.shares import Shares
from beats_signer.receive.state import SessionState
from beats_signer.receive.terms import Terms
from beats_signer.receive.turns import Turns
from beats_signer.sign.window import Receipt, Source, Window
from lumberjack import Batch, Limits, build_window
from tests.receive.timers import ManualTimers

__all__ = ["Network", "Peer", "World", "json_events", "window_of"]

_READ_BYTES = 256_000
"""What uvloop reads at once, at most."""


def json_events(count: int, *, size: int = 12) -> list[bytes]:
    """Return events of one size that differ."""
    return [b"%0*d" % (size, number) for number in range(count)]


def window_of(count: int, *, version: int = 2, size: int = 12, level: int = 0) -> bytes:
    """Return the bytes of one window."""
    forms = "J" if version == 2 else "L"
    events = json_events(count, size=size)
    return build_window(events, version=version, compression_level=level, forms=forms)


class Signing:
    """The signer: it stores what a test tells it to."""

    def __init__(self, timers: ManualTimers) -> None:
        self._timers = timers
        self.windows: list[Window] = []
        self.receipts: list[Receipt] = []
        self.acknowledged_windows: list[tuple[str, int]] = []
        self.lost_connections: list[str] = []
        self.error: Exception | None = None

    def append(self, window: Window) -> Receipt:
        if self.error is not None:
            raise self.error
        loop = cast(asyncio.AbstractEventLoop, self._timers)
        receipt: Receipt = asyncio.Future(loop=loop)
        self.windows.append(window)
        self.receipts.append(receipt)
        return receipt

    def acknowledged(self, connection: str, number: int) -> None:
        self.acknowledged_windows.append((connection, number))

    def lost(self, connection: str) -> None:
        self.lost_connections.append(connection)

    def store(self, *places: int) -> None:
        """Store the windows at these places of the order in which they came."""
        for place in places:
            self.receipts[place].set_result(None)
        self._timers.run()

    def store_all(self) -> int:
        """Store everything, also what comes because of that; return how much."""
        before = sum(receipt.done() for receipt in self.receipts)
        while open_receipts := [one for one in self.receipts if not one.done()]:
            for receipt in open_receipts:
                receipt.set_result(None)
            self._timers.run()
        return len(self.receipts) - before


class Connected:
    """The socket of a network, as far as a transport gives it away."""

    def __init__(self, network: "Network") -> None:
        self.network = network
        self.confirmed = 0
        """How often the kernel was asked to confirm quickly."""

    def fileno(self) -> int:
        raise AssertionError("there is no descriptor here")

    def setsockopt(self, level: int, option: int, value: int, /) -> None:
        raise AssertionError("there is no option here")


class ManualKernel(Kernel):
    """A kernel that knows the networks of a test."""

    def confirm_quickly(self, connection: KernelSocket) -> None:
        assert isinstance(connection, Connected)
        connection.confirmed += 1

    def unread_bytes(self, connection: KernelSocket) -> int:
        assert isinstance(connection, Connected)
        return len(connection.network.unread)


class Network(asyncio.Transport):
    """The transport of a session, with the buffers of both kernels behind it."""

    def __init__(self, timers: ManualTimers, protocol: asyncio.Protocol) -> None:
        super().__init__()
        self._timers = timers
        self._protocol = protocol
        self._is_reading = True
        self._is_closing = False
        self.is_full = False
        """The peer reads nothing and its buffers are full: writes wait."""
        self.socket = Connected(self)
        self.peer: tuple[str, int] | None = ("192.0.2.1", 40_000)
        self.unread = bytearray()
        self.read_bytes = _READ_BYTES
        self.has_ended = False
        """The peer has sent its last byte."""
        self.written: list[bytes] = []
        self.calls: list[str] = []
        """Of ``write_eof``, ``close`` and ``abort``, those that were made."""
        self.is_lost = False

    # What the peer does.

    def arrive(self, data: bytes) -> None:
        self.unread += data
        self._deliver()

    def end(self) -> None:
        self.has_ended = True
        self._deliver()

    def reset(self) -> None:
        self._lose(ConnectionResetError("Connection reset by peer"))

    def make_room(self) -> None:
        self.is_full = False
        self._protocol.resume_writing()

    def _deliver(self) -> None:
        while self._is_reading and not self._is_closing and self.unread:
            data = bytes(self.unread[: self.read_bytes])
            del self.unread[: self.read_bytes]
            try:
                self._protocol.data_received(data)
            except Exception as error:
                # As uvloop does.
                self._timers.errors.append(error)
                self._lose(error)
        if self._is_reading and not self._is_closing and self.has_ended:
            self._is_reading = False
            if not self._protocol.eof_received():
                self.close()

    def _lose(self, error: Exception | None) -> None:
        self._is_closing = True
        if not self.is_lost:
            self.is_lost = True
            self._timers.call_soon(self._protocol.connection_lost, error)

    # What the session does.

    @property
    def is_paused(self) -> bool:
        return not self._is_reading

    def get_extra_info(self, name: str, default: object = None) -> object:
        facts = {"socket": self.socket, "peername": self.peer}
        return facts.get(name, default)

    def is_closing(self) -> bool:
        return self._is_closing

    def pause_reading(self) -> None:
        self._is_reading = False

    def resume_reading(self) -> None:
        self._is_reading = True
        self._timers.call_soon(self._deliver)

    def set_write_buffer_limits(
        self, high: int | None = None, low: int | None = None
    ) -> None:
        assert high == 0, "every byte that the kernel has not taken has to count"

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert "write_eof" not in self.calls, "nothing can follow the end"
        if self._is_closing:
            return
        self.written.append(bytes(data))
        if self.is_full:
            self._protocol.pause_writing()

    def write_eof(self) -> None:
        self.calls.append("write_eof")

    def close(self) -> None:
        if not self._is_closing:
            self.calls.append("close")
            self._is_closing = True
            if not self.is_full:
                self._lose(None)

    def abort(self) -> None:
        self.calls.append("abort")
        self._lose(None)


class Peer:
    """One sender, its connection and the session at the other end."""

    def __init__(self, world: "World", host: str) -> None:
        self._timers = world.timers
        self.session = Session(world.terms, world)
        self.network = Network(world.timers, self.session)
        self.network.peer = (host, 40_000)
        self.session.connection_made(self.network)
        self._timers.run()

    def send(self, *parts: bytes) -> None:
        """Send each part in a packet of its own."""
        for part in parts:
            self.network.arrive(part)
            self._timers.run()

    def end(self) -> None:
        """Close our side of the connection, in order."""
        self.network.end()
        self._timers.run()

    def reset(self) -> None:
        """Vanish."""
        self.network.reset()
        self._timers.run()

    @property
    def answers(self) -> list[bytes]:
        """Return what was written, write by write."""
        return self.network.written

    @property
    def state(self) -> SessionState:
        return self.session.state

    @property
    def is_read(self) -> bool:
        """Tell whether what the peer sends now is read."""
        return not self.network.is_paused and not self.network.is_closing()


class World:
    """Everything around sessions."""

    def __init__(
        self,
        patience: Patience | None = None,
        *,
        memory_bytes: int = 1 << 30,
        is_shared: bool = False,
        limits: Limits | None = None,
    ) -> None:
        self.timers = ManualTimers()
        self.signing = Signing(self.timers)
        self.budget = Budget(memory_bytes)
        self._log = LogCapture()
        logger = structlog.wrap_logger(
            None,
            processors=[self._log],
            wrapper_class=structlog.make_filtering_bound_logger("debug"),
        )
        self.terms = Terms(
            signing=self.signing,
            budget=self.budget,
            shares=Shares(memory_bytes if is_shared else 1 << 40, self.timers.time),
            patience=patience or Patience(),
            limits=limits or Limits(),
            log=cast(FilteringBoundLogger, logger),
            timers=self.timers,
            turns=Turns(self.timers, self.timers.time),
            kernel=ManualKernel(),
            clock=lambda: 1_795_424_400_000_000_000,
        )
        self.sessions: list[Session] = []
        self.refusals: list[Refusal] = []
        self.unwelcome: dict[str, Refusal] = {}
        """Hosts that may not send."""
        self.distrusted: set[str] = set()
        """Hosts whose windows are not taken."""
        self.left_connections = 0
        self._arrivals = itertools.count(1)

    def connect(self, host: str = "192.0.2.1") -> Peer:
        return Peer(self, host)

    def connect_gone(self) -> None:
        """Let a sender connect that has vanished before anybody looks."""
        session = Session(self.terms, self)
        network = Network(self.timers, session)
        network.peer = None
        session.connection_made(network)
        self.timers.run()

    def lines(self, level: str | None = None) -> list[Mapping[str, Any]]:
        """Return what was logged, from one level or from all."""
        return [one for one in self._log.entries if level in (None, one["log_level"])]

    # The reception's side, for sessions.

    def identify(self, transport: asyncio.Transport) -> Source | None:
        peer = transport.get_extra_info("peername")
        if peer is None:
            return None
        host, port = peer
        if host in self.unwelcome:
            raise UnwelcomeError(self.unwelcome[host], "not here", peer=host)
        opened = self.next_arrival()
        return Source(host, None, host, f"{host}:{port}", f"c-{opened}", opened)

    def refuse(self, error: UnwelcomeError) -> None:
        self.refusals.append(error.refusal)

    def examine(self, source: Source, batch: Batch) -> None:
        if source.address in self.distrusted:
            raise UnwelcomeError(Refusal.HOST_NAME, "not so")

    def next_arrival(self) -> int:
        return next(self._arrivals)

    def began(self, session: Session) -> None:
        self.sessions.append(session)

    def ended(self, session: Session) -> None:
        self.sessions.remove(session)

    def left(self) -> None:
        self.left_connections += 1
