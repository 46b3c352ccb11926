"""Senders behind a proxy, and those who only pretend."""

import asyncio
import ssl
from pathlib import Path

import pytest

from beats_signer.config import AllowedConfig, Network, SendersConfig
from beats_signer.receive.patience import Patience
from beats_signer.receive.refusal import Refusal
from tests.receive.issuing import Authority
from tests.receive.serving import PATIENCE_SECONDS, Client, Desk, connect, serve
from tests.receive.test_proxy_header import LINE, SIGNATURE, block
from tests.receive.world import window_of

FAILED = "the TLS handshake failed"
WRONG = "the PROXY header is wrong, the connection is closed"
VIOLATION = "the sender broke the protocol, its connection is closed"
LOCAL = SIGNATURE + b"\x20\x00\0\0"
HERE = [Network("127.0.0.0/8")]
ELSEWHERE = [Network("192.0.2.0/24")]


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "tls")


async def connect_behind(desk: Desk, header: bytes, context: ssl.SSLContext) -> Client:
    """Send a header and then a TLS handshake, as a proxy passes it on."""
    reader, writer = await asyncio.open_connection("127.0.0.1", desk.port)
    writer.write(header)
    async with asyncio.timeout(PATIENCE_SECONDS):
        await writer.start_tls(context, server_hostname="localhost")
    return Client(reader, writer)


@pytest.mark.parametrize(
    ("header", "address", "peer"),
    [
        (LINE, "203.0.113.7", "203.0.113.7:40000"),
        (block(), "203.0.113.7", "203.0.113.7:40000"),
        (block("2001:db8::7"), "2001:db8::7", "[2001:db8::7]:40000"),
    ],
    ids=["version 1", "version 2", "IPv6"],
)
async def test_a_sender_behind_a_proxy_is_known_by_certificate_and_own_address(
    authority: Authority, header: bytes, address: str, peer: str
) -> None:
    context = authority.sender(authority.issue("web-1"))
    async with serve(authority.listener(), proxies=HERE) as desk:
        client = await connect_behind(desk, header, context)
        client.send(b"1", b"2")
        assert await client.receive_acks(1) == [2]

        source = desk.signer.windows[0].source
        assert (source.sender, source.address, source.peer) == ("web-1", address, peer)
        client.writer.close()


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize("header", [LINE, block(more=b"\4\0\2ab")])
async def test_a_header_may_come_in_any_pieces_and_with_what_follows(
    header: bytes, size: int
) -> None:
    async with serve(proxies=HERE) as desk, connect(desk) as client:
        data = header + window_of(3)
        for start in range(0, len(data), size):
            client.writer.write(data[start : start + size])
            await asyncio.sleep(0)

        assert await client.read_exactly(6) == b"2A\0\0\0\3"
        assert desk.signer.windows[0].source.sender == "203.0.113.7"


async def test_a_proxy_that_speaks_for_itself_is_known_by_its_own_address() -> None:
    async with serve(proxies=HERE) as desk, connect(desk) as client:
        client.writer.write(LOCAL + window_of(1))

        assert await client.read_exactly(6) == b"2A\0\0\0\1"
        assert desk.signer.windows[0].source.address == "127.0.0.1"


async def test_the_list_of_senders_judges_the_address_behind_the_proxy() -> None:
    allowed = SendersConfig(allow=(AllowedConfig(address=Network("203.0.113.0/24")),))
    async with serve(proxies=HERE, senders=allowed) as desk:
        async with connect(desk) as client:
            client.writer.write(LINE + window_of(1))
            assert await client.read_exactly(6) == b"2A\0\0\0\1"
        async with connect(desk) as client:
            client.writer.write(block("198.51.100.1") + window_of(1))
            assert await client.read_all() == b""
        assert desk.reception.refusals[Refusal.NOT_LISTED] == 1


# Who is not believed.


@pytest.mark.parametrize("header", [LINE, block()])
async def test_a_header_of_somebody_else_is_not_believed(
    authority: Authority, header: bytes
) -> None:
    context = authority.sender(authority.issue("web-1"))
    async with serve(authority.listener(), proxies=ELSEWHERE) as desk:
        async with connect(desk) as client:
            client.writer.write(header)
            await client.read_all()
        line = await desk.wait_for(FAILED)
        assert line["peer"].startswith("127.0.0.1:")

        async with connect(desk, context) as client:
            client.send(b"{}")
            assert await client.receive_acks(1) == [1]
        assert desk.signer.windows[0].source.address == "127.0.0.1"


async def test_a_header_is_not_believed_where_no_proxy_is_trusted() -> None:
    async with serve() as desk:
        async with connect(desk) as client:
            client.writer.write(LINE + window_of(1))
            assert await client.read_all() == b""
        await desk.wait_for(VIOLATION)
        assert desk.signer.windows == []


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        (window_of(1), "the first bytes are no PROXY header: does the proxy send one?"),
        (
            b"\x16\3\1\0",
            "the first bytes are no PROXY header: does the proxy send one?",
        ),
        (b"PROXY " + b"x" * 200, "the first 107 bytes are not one line"),
        (SIGNATURE + b"\x21\x11\xff\xff", "65535 bytes exceed the limit of 4096"),
    ],
)
async def test_a_trusted_proxy_has_to_send_a_header(sent: bytes, error: str) -> None:
    async with serve(proxies=HERE) as desk:
        async with connect(desk) as client:
            client.writer.write(sent)
            assert await client.read_all() == b""
        line = await desk.wait_for(WRONG)
        assert (line["reason"], line["error"]) == ("proxy_header", error)
        assert line["peer"].startswith("127.0.0.1:")
        assert desk.reception.refusals[Refusal.PROXY_HEADER] == 1
        assert desk.reception.sessions == set()


async def test_a_header_has_to_come_in_time() -> None:
    patience = Patience(handshake_seconds=0.05)
    async with serve(None, patience, proxies=HERE) as desk, connect(desk) as client:
        client.writer.write(LINE[:-1])

        assert await client.read_all() == b""
        line = await desk.wait_for(WRONG)
        assert line["error"] == "the proxy did not send its header in time"


async def test_a_proxy_that_hangs_up_within_its_header_is_told() -> None:
    async with serve(proxies=HERE) as desk:
        async with connect(desk) as client:
            client.writer.write(LINE[:10])
        line = await desk.wait_for(WRONG)
        assert line["error"] == "the connection ended within the header"


async def test_a_health_check_of_a_proxy_is_a_debug_line() -> None:
    async with serve(proxies=HERE) as desk:
        async with connect(desk):
            pass
        line = await desk.wait_for("the proxy sent nothing")
        assert line["log_level"] == "debug"
        assert desk.reception.refusals[Refusal.PROXY_HEADER] == 0
