"""A process that floods a listener with handshakes of a certificate it refuses."""

import socket
import ssl
import sys
import time
from contextlib import suppress
from pathlib import Path

__all__ = ["flood"]

_HOST = "127.0.0.1"


def flood(port: int, folder: Path, rate: int, seconds: int, *, is_spread: bool) -> int:
    """Try so many handshakes a second, if possible; return how many there were.

    They come from one address, or each from one of its own.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.load_cert_chain(folder / "stranger.crt", folder / "stranger.key")
    began, tried = time.monotonic(), 0
    while (passed := time.monotonic() - began) < seconds:
        if tried >= passed * rate:
            time.sleep(0.001)
            continue
        number, tried = tried, tried + 1
        source = f"127.1.{number // 250 % 250}.{number % 250 + 1}" if is_spread else ""
        with (
            suppress(OSError),
            socket.create_connection((_HOST, port), 5, (source, 0)) as plain,
            context.wrap_socket(plain) as tls,
        ):
            tls.recv(1)
    return tried


if __name__ == "__main__":
    port, folder, rate, seconds, spread = sys.argv[1:]
    is_spread = spread == "1"
    print(flood(int(port), Path(folder), int(rate), int(seconds), is_spread=is_spread))
