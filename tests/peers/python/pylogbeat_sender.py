"""Send events with pylogbeat, one window at a time, each until it is acknowledged.

The one argument is a JSON object, as for the Go sender. It prints "acked N"
after each window, N being all events so far, and "lost REASON" when it has to
send a window again.
"""

import json
import struct
import sys
import time
from pathlib import Path

from pylogbeat import (  # type: ignore[import-not-found]  # of its own environment
    ConnectionException,
    PyLogBeatClient,
)

_FAILURES = (ConnectionException, OSError, struct.error)
"""The last is what a connection leads to that ends within an ack."""


def main() -> None:
    """Carry out the order in the argument."""
    order = json.loads(sys.argv[1])
    host, port = order["address"].split(":")
    events = Path(order["events"]).read_bytes().splitlines()
    client = PyLogBeatClient(
        host,
        int(port),
        timeout=order.get("timeout_seconds", 30),
        ssl_enable="ca" in order,
        ca_certs=order.get("ca"),
        certfile=order.get("certificate"),
        keyfile=order.get("key"),
    )
    size, acked = order["window"], 0
    for at in range(0, len(events), size):
        _send(client, events[at : at + size])
        acked += len(events[at : at + size])
        print("acked", acked, flush=True)
    client.close()


def _send(client: PyLogBeatClient, window: list[bytes]) -> None:
    while True:
        try:
            client.send(window)
        except _FAILURES as error:
            print("lost", error, flush=True)
            client.close()
            time.sleep(0.05)
        else:
            return


main()
