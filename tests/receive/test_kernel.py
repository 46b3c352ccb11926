"""What the kernel says about a real connection."""

import socket
from collections.abc import Iterator

import pytest

from beats_signer.receive.kernel import Kernel


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Return both ends of a TCP connection."""
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as one,
        server.accept()[0] as other,
    ):
        yield one, other


def test_what_was_not_read_is_counted(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    sender, receiver = ends
    assert Kernel().unread_bytes(receiver) == 0

    sender.sendall(bytes(1000))
    receiver.recv(300)
    assert Kernel().unread_bytes(receiver) == 700


def test_quick_confirmation_can_be_asked_for_at_any_time(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    sender, receiver = ends
    Kernel().confirm_quickly(receiver)
    sender.close()
    assert receiver.recv(10) == b""

    Kernel().confirm_quickly(receiver)
