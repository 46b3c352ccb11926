"""A model of the client inside the Logstash output ``lumberjack``.

It is written from what that client does, not with the project's own builders:
version 1, one ``D`` frame with the one key ``line`` for each event, numbers
that run on, and any acknowledgement taken as success. It never times out.
"""

import contextlib
import socket
import ssl
import struct
import time
import zlib
from collections.abc import Sequence

from tests.senders.progress import Progress

__all__ = ["JlsClient", "LogstashOutput"]

_MAX_NUMBER = 0xFFFF_FFFF
_PAUSE_SECONDS = 0.5


class JlsClient:
    """One connection. The peer's name is not checked, only its certificate."""

    def __init__(
        self,
        address: tuple[str, int],
        context: ssl.SSLContext | None = None,
        *,
        first_sequence: int = 1,
    ) -> None:
        self.socket = socket.create_connection(address)
        if context is not None:
            context.check_hostname = False
            self.socket = context.wrap_socket(self.socket)
        self._next = first_sequence

    def write(self, lines: Sequence[bytes]) -> bytes:
        """Send one window and return the ack that came, whatever it says."""
        self.send(lines)
        return self.read_ack()

    def send(self, lines: Sequence[bytes]) -> None:
        """Send one window: its head in a write of its own, then a ``C`` frame."""
        self.announce(len(lines))
        stream = zlib.compress(b"".join(self._data_frame(line) for line in lines))
        self.socket.sendall(struct.pack(">2sI", b"1C", len(stream)))
        self.socket.sendall(stream)

    def announce(self, count: int) -> None:
        """Send the head of a window."""
        self.socket.sendall(struct.pack(">2sI", b"1W", count))

    def read_ack(self) -> bytes:
        """Wait for six bytes, for ever, and look at the type alone."""
        ack = b""
        while len(ack) < 6:
            part = self.socket.recv(6 - len(ack))
            if not part:
                raise ConnectionError("the receiver closed the connection")
            ack += part
        if ack[1:2] != b"A":
            raise ConnectionError(f"0x{ack[:2].hex()} begins no ack")
        return ack

    def close(self) -> None:
        self.socket.close()

    def _data_frame(self, line: bytes) -> bytes:
        number, self._next = self._next, self._next % _MAX_NUMBER + 1
        head = struct.pack(">2sIII4sI", b"1D", number, 1, 4, b"line", len(line))
        return head + line


class LogstashOutput:
    """Sends batches over one client after the other, each until it succeeds."""

    def __init__(
        self, address: tuple[str, int], context: ssl.SSLContext | None = None
    ) -> None:
        self.progress = Progress()
        self.errors: list[OSError] = []
        self._address = address
        self._context = context
        self._client: JlsClient | None = None

    def publish(self, batches: Sequence[Sequence[bytes]]) -> None:
        """Send batches one after the other, each until it succeeds."""
        for batch in batches:
            self.flush(batch)

    def flush(self, lines: Sequence[bytes]) -> None:
        """Send one batch again and again until an ack came."""
        while True:
            try:
                if self._client is None:
                    self._client = JlsClient(self._address, self._context)
                self._client.write(lines)
            except OSError as error:
                self.errors.append(error)
                self.close()
                time.sleep(_PAUSE_SECONDS)
            else:
                self.progress.add(len(lines))
                return

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._client is not None:
            with contextlib.suppress(OSError):
                self._client.close()
            self._client = None
