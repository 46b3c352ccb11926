"""The memory of a real process, while many senders try to fill it."""

import json
import socket
import ssl
import time
from contextlib import ExitStack, closing, suppress
from pathlib import Path

import pytest

from beats_signer.sign.lock import StateLock
from lumberjack import Sender, build_window
from tests.senders.output import PATIENCE_SECONDS
from tests.senders.running import HOST, RunningSigner
from tests.service.crowd import WINDOW as EVENTS
from tests.service.crowd import Usage, record

MIB = 1 << 20
BUDGET = 32 * MIB
WINDOW = 16 * MIB
CONNECTION = MIB // 16
"""What a connection may cost besides what the budget counts."""


@pytest.fixture
def frugal(signer: RunningSigner) -> RunningSigner:
    """Return a running signer with little memory."""
    path = signer.folder / "test.yml"
    settings = json.loads(path.read_text())
    settings["limits"] |= {"memory_bytes": BUDGET, "window_bytes": WINDOW}
    path.write_text(json.dumps(settings))
    signer.start()
    return signer


def resident_bytes(signer: RunningSigner, kind: str) -> int:
    """Return what the process has in memory (RSS), or had at its peak (HWM)."""
    process = StateLock.read(signer.folder / "state")["pid"]
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    (line,) = [line for line in lines if line.startswith(f"Vm{kind}:")]
    return int(line.split()[1]) << 10


def acknowledge_one(connection: socket.socket) -> None:
    """Send a window and wait until it is acknowledged."""
    sender, end = Sender(), time.monotonic() + PATIENCE_SECONDS
    connection.sendall(sender.send([b"{}"] * 2048))
    while not sender.next_ack():
        assert time.monotonic() < end, "signs of life, and no acknowledgement"
        data = connection.recv(4096)
        assert data, "the connection was closed without an acknowledgement"
        sender.receive_data(data)


def stall(port: int, context: ssl.SSLContext | None, stack: ExitStack) -> None:
    """Begin a window, as far as it is taken, and do not go on."""
    connection = stack.enter_context(socket.create_connection((HOST, port), 20))
    connection.settimeout(0.02)
    window = build_window([bytes(2 * MIB)], compression_level=0)[:MIB]
    with suppress(TimeoutError, OSError):
        if context is not None:
            connection = stack.enter_context(
                context.wrap_socket(connection, server_hostname="localhost")
            )
        connection.sendall(window)


@pytest.mark.parametrize("is_encrypted", [False, True])
def test_two_hundred_stalled_senders_do_not_exceed_it(
    frugal: RunningSigner, is_encrypted: bool
) -> None:
    port = frugal.tls_port if is_encrypted else frugal.plain_port
    context = frugal.client_context() if is_encrypted else None
    with ExitStack() as stack:
        # Without a certificate a sender is an address: this is another one.
        honest = stack.enter_context(
            socket.create_connection(
                (HOST, frugal.plain_port), 60, source_address=("127.0.0.2", 0)
            )
        )
        acknowledge_one(honest)
        before = resident_bytes(frugal, "RSS")
        for _ in range(200):
            stall(port, context, stack)
        acknowledge_one(honest)

        grown = resident_bytes(frugal, "HWM") - before
        assert grown < BUDGET + WINDOW + 200 * CONNECTION
    assert frugal.end() == 0


@pytest.mark.slow
@pytest.mark.parametrize("is_complete", [False, True], ids=["unfinished", "unstored"])
@pytest.mark.parametrize("is_encrypted", [False, True], ids=["plain", "tls"])
def test_two_hundred_stalled_senders_stay_below_512_mib(
    serving: RunningSigner, is_encrypted: bool, is_complete: bool
) -> None:
    window = build_window(EVENTS, compression_level=0)
    sent = window * 5 if is_complete else window[:-1]
    usage = Usage(serving)
    before = usage.resident_bytes
    with ExitStack() as stack:
        crowd = [
            stack.enter_context(closing(connect(serving, is_encrypted)))
            for _ in range(200)
        ]
        if is_complete:
            stack.enter_context(serving.store_waiting())
        for connection in crowd:
            connection.settimeout(0.1)
            with suppress(TimeoutError):
                connection.sendall(sent)
        time.sleep(5)
        status = serving.status()
        after, peak = usage.resident_bytes, usage.peak_bytes
        assert status["connections"] == 200 or not is_complete

    record(
        "200 stalled",
        encrypted=is_encrypted,
        complete=is_complete,
        before_mib=before // MIB,
        after_mib=after // MIB,
        peak_mib=peak // MIB,
        counted_mib=status["memory_bytes"] // MIB,
        connections=status["connections"],
    )
    assert peak < 512 * MIB


def connect(signer: RunningSigner, is_encrypted: bool) -> socket.socket:
    port = signer.tls_port if is_encrypted else signer.plain_port
    plain = socket.create_connection((HOST, port), 60)
    if not is_encrypted:
        return plain
    return signer.client_context().wrap_socket(plain, server_hostname="localhost")
