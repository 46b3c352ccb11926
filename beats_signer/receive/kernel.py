"""What is asked of the kernel about a connection, besides its bytes."""

import fcntl
import socket
import struct
import termios
from typing import Protocol

__all__ = ["Kernel", "KernelSocket"]

_QUICKACK: int | None = getattr(socket, "TCP_QUICKACK", None)
_COUNT = struct.Struct("@i")


class KernelSocket(Protocol):
    """The part of a socket that a transport gives away."""

    def fileno(self) -> int:
        """Return the descriptor."""

    def setsockopt(self, level: int, option: int, value: int, /) -> None:
        """Set an option."""


class Kernel:
    """Asks for one connection at a time; tests have a kernel of their own."""

    def confirm_quickly(self, connection: KernelSocket) -> None:
        """Have what arrived confirmed at once; it holds until the next read.

        Senders that write the 6 bytes of a window frame by themselves wait for
        that confirmation; the delayed one costs them 40 ms for each window.
        """
        if _QUICKACK is not None:
            connection.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)

    def unread_bytes(self, connection: KernelSocket) -> int:
        """Return how many bytes have arrived and wait for us to read them."""
        request = bytes(_COUNT.size)
        answer = fcntl.ioctl(connection.fileno(), termios.FIONREAD, request)
        count: int = _COUNT.unpack(answer)[0]
        return count
