"""Many senders at once, and what they cost the process of a signer."""

import os
import selectors
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from lumberjack import Sender
from tests.senders.output import PATIENCE_SECONDS
from tests.senders.running import HOST, RunningSigner

__all__ = [
    "EVENT",
    "WINDOW",
    "Honest",
    "Usage",
    "connect_many",
    "listen_to_all",
    "record",
]

EVENT = b'{"@timestamp":"2026-11-25T12:00:00.000Z","message":"%s"}' % (b"x" * 550)
WINDOW = [EVENT] * 2048
"""What Filebeat sends at once, at most."""

_TICKS = os.sysconf("SC_CLK_TCK")


class Usage:
    """What a process takes; ask it twice for what something costs."""

    def __init__(self, signer: RunningSigner) -> None:
        self._folder = Path(f"/proc/{signer.pid}")

    @property
    def cpu_seconds(self) -> float:
        """Return the time that it has computed until now, in all threads."""
        fields = (self._folder / "stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    @property
    def resident_bytes(self) -> int:
        """Return what it has in memory."""
        return self._read("VmRSS")

    @property
    def peak_bytes(self) -> int:
        """Return the most that it had in memory since ``forget_peak``."""
        return self._read("VmHWM")

    def forget_peak(self) -> None:
        """Let the peak begin at what it has now."""
        (self._folder / "clear_refs").write_text("5")

    def _read(self, name: str) -> int:
        lines = (self._folder / "status").read_text().splitlines()
        (line,) = [line for line in lines if line.startswith(f"{name}:")]
        return int(line.split()[1]) << 10


class Honest:
    """A sender that sends window after window, each when the last is acknowledged."""

    def __init__(self, connection: socket.socket, window: Sequence[bytes]) -> None:
        self._connection = connection
        self._window = window
        self._sender = Sender(compression_level=3)
        self.seconds: list[float] = []
        """How long each window waited for its ack."""

    def publish(self) -> None:
        """Send one window and wait for its ack."""
        began = time.monotonic()
        self._connection.sendall(self._sender.send(self._window))
        while not self._sender.next_ack():
            waited = time.monotonic() - began
            assert waited < PATIENCE_SECONDS, "signs of life, and no acknowledgement"
            data = self._connection.recv(4096)
            assert data, "the connection was closed without an acknowledgement"
            self._sender.receive_data(data)
        self.seconds.append(time.monotonic() - began)

    def publish_for(self, seconds: float) -> int:
        """Send for some time; return how many windows were acknowledged."""
        before, end = len(self.seconds), time.monotonic() + seconds
        while time.monotonic() < end:
            self.publish()
        return len(self.seconds) - before


@contextmanager
def connect_many(port: int, count: int) -> Iterator[list[socket.socket]]:
    """Connect so many times, and close all in the end."""
    with ExitStack() as stack:
        yield [
            stack.enter_context(socket.create_connection((HOST, port), 60))
            for _ in range(count)
        ]


def listen_to_all(
    connections: Sequence[socket.socket], seconds: float
) -> list[list[tuple[float, bytes]]]:
    """Return what each was answered in that time, and when."""
    heard: list[list[tuple[float, bytes]]] = [[] for _ in connections]
    with selectors.DefaultSelector() as selector:
        for number, connection in enumerate(connections):
            connection.setblocking(False)
            selector.register(connection, selectors.EVENT_READ, number)
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            for key, _ in selector.select(left):
                with suppress(BlockingIOError):
                    data = connections[key.data].recv(4096)
                    heard[key.data].append((time.monotonic(), data))
                    if not data:
                        selector.unregister(key.fileobj)
    return heard


def record(name: str, **figures: object) -> None:
    """Show what was measured; pytest -s lets it through."""
    shown = ", ".join(f"{what} {figure}" for what, figure in figures.items())
    print(f"\n{name}: {shown}")
