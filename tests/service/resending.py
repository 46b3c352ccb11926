"""Senders as Beats are: what is not acknowledged is sent again, unchanged."""

import random
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from lumberjack import AckError, Sender

__all__ = ["Load", "Manner"]

_PIPELINED = 3
"""Windows on their way at once: one more than Filebeat's setting of 2."""

_ANSWER_SECONDS = 30.0
"""After so much silence a Beat gives up its connection."""

_PAUSE_SECONDS = 0.01
"""Between two attempts to connect."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How one sender speaks."""

    port: int
    version: int = 2
    compression_level: int = 3
    tls: Callable[[], ssl.SSLContext] | None = None


@dataclass
class Load:
    """Some senders, and how far they have come together."""

    manners: list[Manner]
    seed: int
    acked: list[bytes] = field(default_factory=list)
    """Payload of every acknowledged event."""
    errors: list[Exception] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._changed = threading.Condition()
        self._is_ending = False
        self._senders = [
            _Sender(self, number, manner) for number, manner in enumerate(self.manners)
        ]

    @property
    def connections(self) -> int:
        """Return how many connections were made."""
        return sum(sender.connections for sender in self._senders)

    @property
    def is_ending(self) -> bool:
        """Tell whether no new window is to be sent."""
        return self._is_ending

    def start(self) -> None:
        for sender in self._senders:
            sender.start()

    def wait_for_more(self, events: int, seconds: float) -> None:
        """Wait until so many more events are acknowledged."""
        with self._changed:
            wanted = len(self.acked) + events
            reached = self._changed.wait_for(
                lambda: len(self.acked) >= wanted or bool(self.errors), seconds
            )
        assert reached and not self.errors, self.errors

    def end(self, seconds: float) -> None:
        """Send nothing new, and wait until everything is acknowledged."""
        self._is_ending = True
        for sender in self._senders:
            sender.join(seconds)
            assert not sender.is_alive(), f"sender {sender.number} waits for its acks"
        assert self.errors == []

    def add(self, payloads: list[bytes]) -> None:
        with self._changed:
            self.acked += payloads
            self._changed.notify_all()

    def fail(self, error: Exception) -> None:
        with self._changed:
            self.errors.append(error)
            self._changed.notify_all()


class _Sender(threading.Thread):
    """One sender: its windows, in order, until each is acknowledged."""

    def __init__(self, load: Load, number: int, manner: Manner) -> None:
        super().__init__(daemon=True)
        self.number = number
        self.connections = 0
        self._load = load
        self._manner = manner
        self._random = random.Random(f"{load.seed}/{number}")
        self._events = 0
        self._unacked: deque[list[bytes]] = deque()

    def run(self) -> None:
        try:
            while not (self._load.is_ending and not self._unacked):
                # A signer that was killed, and one that is not there yet.
                with suppress(ConnectionError, TimeoutError, ssl.SSLError):
                    self._use_one_connection()
                time.sleep(_PAUSE_SECONDS)
        except Exception as error:
            self._load.fail(error)

    def _use_one_connection(self) -> None:
        sender = Sender(
            version=self._manner.version,
            compression_level=self._manner.compression_level,
        )
        with self._connect() as connection:
            self.connections += 1
            for window in self._unacked:
                connection.sendall(self._build(sender, window))
            while True:
                while len(self._unacked) < _PIPELINED and not self._load.is_ending:
                    self._unacked.append(self._next_window())
                    connection.sendall(self._build(sender, self._unacked[-1]))
                if not self._unacked:
                    return
                self._take_acks(sender, connection)

    def _take_acks(self, sender: Sender, connection: socket.socket) -> None:
        data = connection.recv(4096)
        if not data:
            raise ConnectionResetError("the signer has closed the connection")
        sender.receive_data(data)
        try:
            acks = list(iter(sender.next_ack, None))
        except AckError as error:
            raise AssertionError(f"sender {self.number}: {error}") from error
        for _ in acks:
            self._load.add(self._unacked.popleft())

    def _connect(self) -> socket.socket:
        plain = socket.create_connection(
            ("127.0.0.1", self._manner.port), _ANSWER_SECONDS
        )
        if self._manner.tls is None:
            return plain
        return self._manner.tls().wrap_socket(plain, server_hostname="localhost")

    def _build(self, sender: Sender, window: list[bytes]) -> bytes:
        return sender.send(window, "J" if self._manner.version == 2 else "L")

    def _next_window(self) -> list[bytes]:
        """Return events that nobody has sent before."""
        first = self._events
        self._events += self._random.randint(1, 300)
        filler = "x" * self._random.randint(0, 400)
        return [
            b'{"sender":%d,"event":%d,"filler":"%s"}'
            % (self.number, number, filler.encode())
            for number in range(first, self._events)
        ]
