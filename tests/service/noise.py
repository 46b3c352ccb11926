"""A process that sends all it can on fifty connections, from an address of its own."""

import selectors
import socket
import sys
from itertools import count

from lumberjack import build_window
from tests.service.crowd import WINDOW

__all__ = ["make_noise"]

_HOST, _OWN = "127.0.0.1", "127.0.0.2"


def make_noise(port: int) -> None:
    """Send the same window again and again, until the end of the process."""
    sent = build_window(WINDOW, compression_level=3)
    done: dict[socket.socket, int] = {}
    selector = selectors.DefaultSelector()
    for _ in range(50):
        one = socket.create_connection((_HOST, port), 60, (_OWN, 0))
        one.setblocking(False)
        selector.register(one, selectors.EVENT_READ | selectors.EVENT_WRITE, one)
        done[one] = 0
    print("ready", flush=True)
    for _ in count():
        for key, events in selector.select():
            if events & selectors.EVENT_READ and not key.data.recv(65536):
                sys.exit("a connection was closed")
            if events & selectors.EVENT_WRITE:
                done[key.data] += key.data.send(sent[done[key.data] :])
                done[key.data] %= len(sent)


if __name__ == "__main__":
    make_noise(int(sys.argv[1]))
