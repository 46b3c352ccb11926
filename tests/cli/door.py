"""A TLS server that sends its alert before it closes, as Logstash does."""

import os
import socket
import ssl
import threading
from contextlib import suppress
from types import TracebackType

__all__ = ["Door"]


class Door:
    """Shakes hands on a free port of this host, in a thread, and does no more."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve)
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> "Door":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._thread.join(10)
        self._listener.close()

    def _serve(self) -> None:
        plain, _ = self._listener.accept()
        plain.settimeout(10)
        with self._context.wrap_socket(
            plain, server_side=True, do_handshake_on_connect=False
        ) as tls:
            try:
                tls.do_handshake()
            except ssl.SSLError:
                # Closing with unread bytes would take the alert back.
                with suppress(OSError):
                    tls.shutdown(socket.SHUT_WR)
                    while os.read(tls.fileno(), 1 << 16):
                        pass
