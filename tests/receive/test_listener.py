"""Listeners on real sockets: who gets in, who does not, and that all others live."""

import asyncio
import os
import resource
import select
import socket
import ssl
import struct
from contextlib import AsyncExitStack, suppress
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from beats_signer.config import Address, ListenerConfig
from beats_signer.errors import ConfigError
from beats_signer.receive.clocks import Clock
from beats_signer.receive.descriptors import RESERVED
from beats_signer.receive.listener import Listener
from beats_signer.receive.patience import Patience
from tests.receive.certificates import Authentication, Certificates, Version
from tests.receive.issuing import Authority
from tests.receive.serving import PATIENCE_SECONDS, Desk, connect, serve
from tests.receive.world import window_of

FAILED = "the TLS handshake failed"
VIOLATION = "the sender broke the protocol, its connection is closed"
ENDED = "the connection ended"
NOT_TLS = "what came is not TLS: does the sender speak plain text?"
RESET = struct.pack("ii", 1, 0)


async def check_alive(desk: Desk, context: ssl.SSLContext | None = None) -> None:
    """Send a window and have it acknowledged."""
    async with connect(desk, context) as client:
        client.send(b"{}")
        assert await client.receive_acks(1) == [1]


def other_end(client: socket.socket) -> socket.socket:
    """Return the accepted end of a connection within this process."""
    for name in os.listdir("/proc/self/fd"):
        with suppress(OSError), socket.socket(fileno=os.dup(int(name))) as found:
            if found.getpeername() == client.getsockname():
                # Its own ``dup`` would make both block.
                return socket.socket(fileno=os.dup(found.fileno()))
    raise AssertionError("the connection is not accepted yet")


def fill(sender: socket.socket) -> None:
    """Send until the buffers of both kernels are full, as after years of acks."""
    with suppress(BlockingIOError):
        while True:
            sender.send(bytes(1 << 20))
    refused = 0
    while refused < 20:
        try:
            sender.send(b"x")
            refused = 0
        except BlockingIOError:
            refused += 1
            select.select([], [sender], [], 0.01)


# Who gets in.


async def test_a_plain_sender_is_acknowledged() -> None:
    async with serve() as desk, connect(desk) as client:
        client.send(b"1", b"2", b"3")
        client.send(b"4", b"5")

        assert await client.receive_acks(2) == [3, 2]
        source = desk.signer.windows[0].source
        assert (source.sender, source.certificate) == ("127.0.0.1", None)


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
async def test_a_tls_sender_is_known_by_its_certificate(
    certificates: Certificates, version: Version
) -> None:
    async with (
        serve(certificates.listener("required", version)) as desk,
        connect(desk, certificates.sender()) as client,
    ):
        client.send(b"1", b"2")
        assert await client.receive_acks(1) == [2]

        source = desk.signer.windows[0].source
        pem = certificates.authority.with_name("client.crt").read_bytes()
        der = x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)
        assert source.sender == "web-1"
        assert source.certificate == sha256(der).hexdigest()
        assert source.address == "127.0.0.1"
        assert source.peer.startswith("127.0.0.1:")


@pytest.mark.parametrize("authentication", ["none", "optional"])
async def test_a_sender_without_a_certificate_is_known_by_its_address(
    certificates: Certificates, authentication: Authentication
) -> None:
    context = certificates.sender(certificate=False)
    async with serve(certificates.listener(authentication)) as desk:
        await check_alive(desk, context)

        source = desk.signer.windows[0].source
        assert (source.sender, source.certificate) == ("127.0.0.1", None)


async def test_five_senders_at_once_are_all_acknowledged(
    certificates: Certificates,
) -> None:
    async with serve(certificates.listener()) as desk, AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(connect(desk, certificates.sender()))
            for _ in range(5)
        ]
        for client in clients:
            for _ in range(10):
                client.send(*[b'{"message":"x"}'] * 100)
        acks = await asyncio.gather(*(client.receive_acks(10) for client in clients))

        assert acks == [[100] * 10] * 5
        connections = {window.source.connection for window in desk.signer.windows}
        assert len(connections) == 5


async def test_the_log_says_where_it_listens() -> None:
    async with serve() as desk:
        (line,) = desk.lines("listening")
        assert (line["address"], line["tls"]) == (desk.listener.address, False)


# Who does not.


async def test_a_sender_without_a_required_certificate_is_refused(
    certificates: Certificates,
) -> None:
    async with serve(certificates.listener()) as desk:
        async with connect(desk, certificates.sender(certificate=False)) as client:
            client.send(b"{}")
            assert await client.read_all() == b""
        line = await desk.wait_for(FAILED)
        assert line["error"] == "the sender showed no certificate"
        assert line["peer"].startswith("127.0.0.1:")

        await check_alive(desk, certificates.sender())
        assert len(desk.signer.windows) == 1


async def test_a_sender_of_another_authority_is_refused(
    certificates: Certificates, strangers: Certificates
) -> None:
    async with serve(certificates.listener()) as desk:
        context = strangers.sender(trusting=certificates)
        async with connect(desk, context) as client:
            client.send(b"{}")
            assert await client.read_all() == b""
        line = await desk.wait_for(FAILED)
        assert "refused" in line["error"]

        await check_alive(desk, certificates.sender())
        assert len(desk.signer.windows) == 1


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (window_of(2), NOT_TLS),
        (b"GET / HTTP/1.1\r\n\r\n", "what came is an HTTP request, not TLS"),
    ],
)
async def test_what_is_not_tls_is_refused_on_a_tls_port(
    certificates: Certificates, sent: bytes, reason: str
) -> None:
    async with serve(certificates.listener()) as desk:
        async with connect(desk) as client:
            client.writer.write(sent)
            await client.read_all()
        line = await desk.wait_for(FAILED)
        assert line["error"] == reason

        await check_alive(desk, certificates.sender())


async def test_tls_is_refused_on_a_plain_port(certificates: Certificates) -> None:
    async with serve() as desk:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            async with connect(desk, certificates.sender()):
                pass
        line = await desk.wait_for(VIOLATION)
        assert line["reason"] == "tls-on-plain"

        await check_alive(desk)


async def test_http_is_refused_on_a_plain_port() -> None:
    async with serve() as desk:
        async with connect(desk) as client:
            client.writer.write(b"GET /status HTTP/1.1\r\nHost: x\r\n\r\n")
            assert await client.read_all() == b""
        line = await desk.wait_for(VIOLATION)
        assert line["reason"] == "http"

        await check_alive(desk)


async def test_a_silent_sender_does_not_finish_its_handshake_in_time(
    certificates: Certificates,
) -> None:
    patience = Patience(handshake_seconds=0.05)
    async with serve(certificates.listener(), patience) as desk, connect(desk) as one:
        assert await one.read_all() == b""
        line = await desk.wait_for(FAILED)
        assert line["error"] == "the sender did not finish in time"


async def test_a_listener_may_have_a_time_of_its_own_for_handshakes(
    tmp_path: Path,
) -> None:
    # Bounds are those of the configuration; a declaration takes what it is given.
    tls = Authority(tmp_path / "tls").listener(handshake_timeout=0.05)
    async with serve(tls) as desk, connect(desk) as one:
        assert await one.read_all() == b""
        line = await desk.wait_for(FAILED)
        assert line["error"] == "the sender did not finish in time"


async def test_a_health_check_is_a_debug_line(certificates: Certificates) -> None:
    async with serve() as plain, serve(certificates.listener()) as tls:
        for desk, event in ((plain, ENDED), (tls, "the sender sent nothing")):
            async with connect(desk):
                pass
            line = await desk.wait_for(event)
            assert line["log_level"] == "debug"


# Ends.


@pytest.mark.parametrize("windows", [1, 10])
async def test_a_plain_sender_that_closed_its_side_reads_all_its_acks(
    windows: int,
) -> None:
    async with serve() as desk, connect(desk) as client:
        desk.signer.is_storing = False
        client.writer.write(window_of(3) * windows)
        client.writer.write_eof()
        await desk.wait_for_windows(min(windows, 4))
        desk.signer.is_storing = True
        desk.signer.store()

        assert await client.read_all() == b"2A\0\0\0\3" * windows
        await desk.wait_until_all_ended()


async def test_a_tls_sender_that_closes_leaves_nothing_behind(
    certificates: Certificates,
) -> None:
    async with serve(certificates.listener()) as desk:
        await check_alive(desk, certificates.sender())

        await desk.wait_until_all_ended()
        (line,) = desk.lines(ENDED)
        assert (line["windows"], line["unacknowledged_windows"]) == (1, 0)


@pytest.mark.parametrize("is_encrypted", [True, False])
async def test_a_reset_within_a_window_ends_that_connection_only(
    certificates: Certificates, is_encrypted: bool
) -> None:
    tls = certificates.listener() if is_encrypted else None
    context = certificates.sender() if is_encrypted else None
    async with serve(tls) as desk:
        async with connect(desk, context) as client:
            client.send(b"{}")
            await client.receive_acks(1)
            client.writer.write(window_of(3)[:-1])
            await client.writer.drain()
            client.writer.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, RESET
            )
            client.writer.transport.abort()
        await desk.wait_until_all_ended()

        await check_alive(desk, context)


async def test_a_sender_that_vanished_before_it_was_accepted_is_no_session() -> None:
    async with serve() as desk:
        with socket.create_connection(("127.0.0.1", desk.port)) as gone:
            gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)

        await check_alive(desk)
        await desk.wait_until_all_ended()


async def test_a_sender_that_never_reads_its_acks_is_cut_off() -> None:
    async with serve(patience=Patience(write_seconds=0.1)) as desk:
        with socket.create_connection(("127.0.0.1", desk.port)) as deaf:
            deaf.sendall(window_of(1))
            await desk.wait_for_windows(1)
            with other_end(deaf) as accepted:
                fill(accepted)
            deaf.sendall(window_of(1))

            line = await desk.wait_for(Clock.WRITE.value)
            assert line["log_level"] == "warning"
            await desk.wait_until_all_ended()


async def test_nobody_new_is_accepted_while_the_memory_is_spent() -> None:
    async with serve(memory_bytes=1 << 20) as desk, AsyncExitStack() as stack:
        desk.signer.is_storing = False
        first = await stack.enter_async_context(connect(desk))
        first.send(bytes(1 << 20))
        await desk.wait_for_windows(1)
        others = [await stack.enter_async_context(connect(desk)) for _ in range(5)]
        for other in others:
            other.send(b"{}")
        for _ in range(100):
            await asyncio.sleep(0)
        # One was being waited for when the memory was spent.
        assert len(desk.reception.sessions) <= 2

        desk.signer.is_storing = True
        desk.signer.store()
        for client in (first, *others):
            assert await client.receive_acks(1) == [1]


async def test_a_drain_acknowledges_what_is_complete_and_then_closes() -> None:
    async with serve() as desk, connect(desk) as client, connect(desk) as idle:
        desk.signer.is_storing = False
        client.writer.write(window_of(3) + window_of(2)[:-1])
        await desk.wait_for_windows(1)
        desk.listener.close()
        draining = asyncio.create_task(desk.reception.drain())
        assert await idle.read_all() == b""
        desk.signer.store()

        assert await client.read_all() == b"2A\0\0\0\3"
        await asyncio.wait_for(draining, PATIENCE_SECONDS)


async def test_a_connection_is_not_lost_when_its_listener_closes() -> None:
    async with serve() as desk, connect(desk) as client:
        client.send(b"{}")
        await desk.wait_for_windows(1)
        desk.listener.close()

        assert await client.receive_acks(1) == [1]
        await asyncio.wait_for(desk.reception.drain(), PATIENCE_SECONDS)


async def test_a_connection_that_begins_within_a_drain_brings_nothing() -> None:
    async with serve() as desk, connect(desk) as first:
        desk.signer.is_storing = False
        first.send(b"{}")
        await desk.wait_for_windows(1)
        draining = asyncio.create_task(desk.reception.drain())
        await asyncio.sleep(0)
        async with connect(desk) as late:
            late.send(b"{}")
            assert await late.read_all() == b""
        desk.signer.store()
        await asyncio.wait_for(draining, PATIENCE_SECONDS)

        assert len(desk.signer.windows) == 1


# Addresses.


def bound(address: str) -> Listener:
    return Listener.bind(ListenerConfig(address=Address(address)))


def test_a_taken_port_is_an_error_of_the_configuration() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"127.0.0.1:{other.getsockname()[1]}"
        with pytest.raises(ConfigError, match=f"cannot listen on {address}: Address"):
            bound(address)


def test_an_unknown_host_is_an_error_of_the_configuration() -> None:
    with pytest.raises(ConfigError, match=r"cannot listen on no-such\.invalid:5044"):
        bound("no-such.invalid:5044")


async def test_a_port_that_was_taken_meanwhile_is_an_error_too() -> None:
    desk = Desk(Patience())
    one, other = bound("127.0.0.1:0"), None
    try:
        other = bound(one.address)
        one.serve(desk.reception)
        with pytest.raises(ConfigError, match=f"cannot listen on {one.address}"):
            other.serve(desk.reception)
    finally:
        one.close()
        if other:
            other.close()


def test_nobody_can_connect_before_it_serves() -> None:
    listener = bound("127.0.0.1:0")
    host, _, port = listener.address.rpartition(":")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)))
    listener.close()


async def test_a_want_of_descriptors_only_delays_who_connects() -> None:
    async with serve() as desk:
        # So that it waits for the next one already.
        await check_alive(desk)
        await desk.wait_until_all_left()
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        spare = os.open(os.devnull, os.O_RDONLY)
        resource.setrlimit(resource.RLIMIT_NOFILE, (spare + RESERVED + 20, hard))
        taken = [spare]
        try:
            with socket.socket() as late:
                with pytest.raises(OSError, match="Too many open files"):
                    while True:
                        taken.append(os.dup(spare))
                late.setblocking(False)
                loop = asyncio.get_running_loop()
                await loop.sock_connect(late, ("127.0.0.1", desk.port))
                await desk.wait_for("cannot accept connections")
                for descriptor in taken:
                    os.close(descriptor)
                taken.clear()
                await loop.sock_sendall(late, window_of(3))
                assert await loop.sock_recv(late, 6) == b"2A\0\0\0\3"
        finally:
            for descriptor in taken:
                os.close(descriptor)
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_a_dead_sender_is_found_out_by_the_kernel() -> None:
    async with serve() as desk:
        with socket.create_connection(("127.0.0.1", desk.port)) as client:
            client.sendall(window_of(1))
            await desk.wait_for_windows(1)
            with other_end(client) as accepted:
                option = accepted.getsockopt
                assert option(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
                idle = option(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE)
                pause = option(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL)
                assert (
                    idle + pause * option(socket.IPPROTO_TCP, socket.TCP_KEEPCNT) <= 120
                )


# What real clients sent.

CAPTURES = Path(__file__).parents[2] / "fixtures" / "captures"
CLIENTS = sorted(path.name.split(".")[0] for path in CAPTURES.glob("*.sent.bin"))
FOR_EVER = "npm-lumberjack-protocol"
"""The receiver of the recording answered its first window only; see tests/senders."""


@pytest.mark.parametrize("is_encrypted", [True, False])
@pytest.mark.parametrize("client", [one for one in CLIENTS if one != FOR_EVER])
async def test_recorded_clients_get_the_recorded_acks(
    certificates: Certificates, client: str, is_encrypted: bool
) -> None:
    tls = certificates.listener() if is_encrypted else None
    context = certificates.sender() if is_encrypted else None
    expected = (CAPTURES / f"{client}.acks.bin").read_bytes()
    async with serve(tls) as desk, connect(desk, context) as replay:
        replay.writer.write((CAPTURES / f"{client}.sent.bin").read_bytes())

        assert await replay.read_exactly(len(expected)) == expected
