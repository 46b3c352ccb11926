"""A model of how a Beat sends: libbeat around the client go-lumber.

It is written from what they do, not with the project's own builders: version
2, numbers from 1 in every window, one window more on its way than *pipelining*
says, a read time-out that every ack starts anew, acks matched by order and
compared strictly, and on any error all windows without an ack sent again.
"""

import contextlib
import socket
import ssl
import struct
import time
import zlib
from collections import deque
from collections.abc import Sequence

from tests.senders.progress import Progress

__all__ = ["Beat", "BeatConnection", "cut_windows"]

_BULK_MAX_SIZE = 2048
_PIPELINING = 2
_TIMEOUT_SECONDS = 30.0
_BACKOFF_SECONDS = (0.05, 1.0)
"""First and largest pause before a reconnect; a Beat begins with a second."""


class BeatConnection:
    """One connection of a Beat."""

    def __init__(
        self,
        address: tuple[str, int],
        context: ssl.SSLContext | None = None,
        *,
        compression_level: int = 3,
        timeout_seconds: float = _TIMEOUT_SECONDS,
    ) -> None:
        self.keepalives = 0
        self.socket = socket.create_connection(address, timeout_seconds)
        if context is not None:
            self.socket = context.wrap_socket(self.socket, server_hostname=address[0])
        self._compression_level = compression_level

    def send(self, events: Sequence[bytes]) -> None:
        """Send one window from one buffer."""
        frames = b"".join(
            struct.pack(">2sII", b"2J", number, len(event)) + event
            for number, event in enumerate(events, 1)
        )
        if self._compression_level:
            stream = zlib.compress(frames, self._compression_level)
            frames = struct.pack(">2sI", b"2C", len(stream)) + stream
        self.socket.sendall(struct.pack(">2sI", b"2W", len(events)) + frames)

    def await_ack(self, count: int) -> None:
        """Wait until a window of so many events is acknowledged.

        Raises:
            OSError: The connection is of no more use.
            AssertionError: The ack is of more events than the window has: a
                Beat would then count events as delivered that were not.
        """
        acknowledged = 0
        while acknowledged < count:
            acknowledged = self._receive_ack()
            self.keepalives += not acknowledged
        assert acknowledged == count, f"ack of {acknowledged} instead of {count}"

    def receive_keepalive(self) -> None:
        """Wait for a sign that a window has arrived and is not stored yet."""
        assert self._receive_ack() == 0, "the window is acknowledged"

    def close(self) -> None:
        self.socket.close()

    def _receive_ack(self) -> int:
        ack = b""
        while len(ack) < 6:
            part = self.socket.recv(6 - len(ack))
            if not part:
                raise ConnectionError("EOF")
            ack += part
        assert ack[:2] == b"2A", "lumberjack protocol error"
        return int.from_bytes(ack[2:], "big")


class Beat:
    """Sends windows, several at a time, until all of them are acknowledged."""

    def __init__(
        self,
        address: tuple[str, int],
        context: ssl.SSLContext | None = None,
        *,
        compression_level: int = 3,
        pipelining: int = _PIPELINING,
        timeout_seconds: float = _TIMEOUT_SECONDS,
    ) -> None:
        self.progress = Progress()
        self.keepalives = 0
        self.errors: list[OSError] = []
        self._address = address
        self._context = context
        self._compression_level = compression_level
        self._in_flight = pipelining + 1
        self._timeout_seconds = timeout_seconds

    def publish(self, windows: Sequence[Sequence[bytes]]) -> None:
        """Send windows in their order, over as many connections as it takes."""
        left = deque(windows)
        pause, longest = _BACKOFF_SECONDS
        while left:
            before = len(left)
            try:
                self._publish_on_one_connection(left)
            except OSError as error:
                self.errors.append(error)
                pause = _BACKOFF_SECONDS[0] if len(left) < before else pause * 2
                time.sleep(min(pause, longest))

    def _publish_on_one_connection(self, left: deque[Sequence[bytes]]) -> None:
        """Take from the front of *left* what is acknowledged."""
        connection = BeatConnection(
            self._address,
            self._context,
            compression_level=self._compression_level,
            timeout_seconds=self._timeout_seconds,
        )
        with contextlib.closing(connection):
            sent = 0
            while left:
                for window in list(left)[sent : self._in_flight]:
                    connection.send(window)
                    sent += 1
                connection.await_ack(len(left[0]))
                self.progress.add(len(left.popleft()))
                sent -= 1
            self.keepalives += connection.keepalives


def cut_windows(
    events: Sequence[bytes], size: int = _BULK_MAX_SIZE
) -> list[Sequence[bytes]]:
    """Cut events into windows, as a Beat with this ``bulk_max_size`` does."""
    return [events[at : at + size] for at in range(0, len(events), size)]
