"""Log lines through the handler of python-logstash-async, and wait for the last.

The one argument is a JSON object, as for the Go sender. It prints "acked N"
after each flush, N being all events so far, and "lost REASON" when a flush
failed; the handler then sends all of its events again. What was acknowledged is
kept beside the events, because the handler does not keep their order.
"""

import json
import logging
import sys
import time
from pathlib import Path
from typing import Any

from logstash_async.constants import (  # type: ignore[import-not-found]
    constants,
)
from logstash_async.handler import (  # type: ignore[import-not-found]
    AsynchronousLogstashHandler,
)
from logstash_async.transport import (  # type: ignore[import-not-found]
    BeatsTransport,
)


class Transport(BeatsTransport):  # type: ignore[misc]
    """The handler's own transport, which also says how far it has come."""

    acked = 0

    def __init__(self, sent: Path, **arguments: object) -> None:
        super().__init__(**arguments)
        self._sent = sent

    def send(self, events: list[bytes], use_logging: bool = False) -> None:
        """Send one flush."""
        try:
            super().send(events, use_logging=use_logging)
        except Exception as error:
            print("lost", error, flush=True)
            raise
        with self._sent.open("ab") as sent:
            sent.writelines(events)  # each ends in a newline
        self.acked += len(events)
        print("acked", self.acked, flush=True)


def main() -> None:
    """Carry out the order in the argument."""
    order: dict[str, Any] = json.loads(sys.argv[1])
    constants.QUEUE_CHECK_INTERVAL = 0.05
    constants.QUEUED_EVENTS_FLUSH_INTERVAL = 0.2
    host, port = order["address"].split(":")
    transport = Transport(
        Path(order["events"]).with_suffix(".sent"),
        host=host,
        port=int(port),
        timeout=order.get("timeout_seconds", 30),
        ssl_enable="ca" in order,
        ssl_verify=True,
        ssl_verify_flags=None,
        ca_certs=order.get("ca"),
        certfile=order.get("certificate"),
        keyfile=order.get("key"),
    )
    handler = AsynchronousLogstashHandler(
        host, int(port), database_path=None, transport=transport
    )
    logger = logging.getLogger("peers")
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    lines = Path(order["events"]).read_text().splitlines()
    for number, line in enumerate(lines):
        logger.info(line, extra={"number": number})
    while transport.acked < len(lines):
        time.sleep(0.01)
    handler.close()


main()
