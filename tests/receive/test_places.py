"""Who finds no place is turned away with a reason; a place is given back once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from beats_signer.config import Network
from beats_signer.errors import Problem
from beats_signer.receive.patience import Patience
from beats_signer.receive.places import Caps, Places, party_of
from beats_signer.receive.refusal import Refusal, UnwelcomeError
from beats_signer.sign.window import Source
from lumberjack import Limits
from tests.receive.certificates import Certificates
from tests.receive.issuing import Authority
from tests.receive.serving import Client, Desk, connect, serve

TURNED_AWAY = "a connection is turned away"
NOT_WELCOME = "the sender may not send, its connection is closed"
LOOPBACK = Network("127.0.0.0/8")


@asynccontextmanager
async def connected(desk: Desk, count: int) -> AsyncIterator[list[Client]]:
    """Connect that many senders, each of which has an ack."""
    async with AsyncExitStack() as stack:
        clients = []
        for _ in range(count):
            clients.append(await stack.enter_async_context(connect(desk)))
            clients[-1].send(b"{}")
            assert await clients[-1].receive_acks(1) == [1]
        yield clients


def source_of(address: str, certificate: str | None = None, name: str = "") -> Source:
    return Source(name or address, certificate, address, f"{address}:1", "c-1", 1)


# In all.


async def test_one_above_the_most_is_turned_away_and_the_others_go_on() -> None:
    async with serve(caps=Caps(connections=3)) as desk, connected(desk, 3) as clients:
        async with connect(desk) as excess:
            assert await excess.read_all() == b""
        line = await desk.wait_for(TURNED_AWAY)

        assert (line["log_level"], line["reason"]) == ("warning", "connections")
        assert line["peer"].startswith("127.0.0.1:")
        assert line["error"] == (
            "there are 3 connections already, which is the limit: see "
            "limits.connections"
        )
        assert desk.reception.refusals[Refusal.CONNECTIONS] == 1
        for client in clients:
            client.send(b"{}")
            assert await client.receive_acks(1) == [1]


async def test_a_place_that_is_given_back_is_taken_by_the_next() -> None:
    async with serve(caps=Caps(connections=1)) as desk:
        for _ in range(3):
            async with connected(desk, 1):
                pass
            await desk.wait_until_all_left()

        assert desk.reception.refusals[Refusal.CONNECTIONS] == 0


@pytest.mark.parametrize("proxies", [(), (LOOPBACK,)], ids=["direct", "proxied"])
@pytest.mark.parametrize("is_encrypted", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\n\r\n"], ids=["-", "http"])
async def test_every_end_of_a_connection_gives_its_place_back(
    certificates: Certificates,
    sent: bytes,
    is_encrypted: bool,
    proxies: tuple[Network, ...],
) -> None:
    tls = certificates.listener() if is_encrypted else None
    caps = Caps(connections=1, handshakes_per_second=1)
    async with serve(tls, caps=caps, proxies=proxies) as desk:
        for _ in range(3):
            async with connect(desk) as client:
                client.writer.write(sent)
                await client.writer.drain()
            await desk.wait_until_all_left()

        assert desk.reception.refusals[Refusal.CONNECTIONS] == 0


async def test_a_connection_without_a_word_has_a_place_too(
    certificates: Certificates,
) -> None:
    async with serve(certificates.listener(), caps=Caps(connections=1)) as desk:
        async with connect(desk), connect(desk) as excess:
            assert await excess.read_all() == b""

        assert desk.reception.refusals[Refusal.CONNECTIONS] == 1


async def test_a_full_house_is_a_problem_while_it_lasts() -> None:
    async with serve(caps=Caps(connections=1)) as desk:
        async with connected(desk, 1):
            assert list(desk.reception.problems()) == [
                Problem(
                    "all 1 connections are taken",
                    "Senders that connect now are turned away; they try again.",
                    "Raise limits.connections, or see under senders who has so many.",
                )
            ]
        await desk.wait_until_all_left()

        assert list(desk.reception.problems()) == []


# Of one sender.


async def test_one_sender_cannot_take_all_places() -> None:
    caps = Caps(connections_per_sender=2)
    async with serve(caps=caps) as desk, connected(desk, 2):
        async with connect(desk) as excess:
            assert await excess.read_all() == b""
        line = await desk.wait_for(NOT_WELCOME)

        assert (line["reason"], line["sender"]) == ("sender_connections", "127.0.0.1")
        assert line["error"] == (
            "it has 2 connections already, which is the limit: see "
            "limits.connections_per_sender"
        )
        assert desk.reception.refusals[Refusal.SENDER_CONNECTIONS] == 1


async def test_certificates_of_one_name_share_their_places(
    certificates: Certificates,
) -> None:
    tls, caps = certificates.listener(), Caps(connections_per_sender=1)
    async with (
        serve(tls, caps=caps) as desk,
        connect(desk, certificates.sender()) as first,
    ):
        first.send(b"{}")
        assert await first.receive_acks(1) == [1]
        async with connect(desk, certificates.sender()) as second:
            assert await second.read_all() == b""
        line = await desk.wait_for(NOT_WELCOME)

        assert (line["reason"], line["sender"]) == ("sender_connections", "web-1")


async def test_a_place_of_a_sender_is_given_back_with_its_connection() -> None:
    async with serve(caps=Caps(connections_per_sender=1)) as desk:
        for _ in range(3):
            async with connected(desk, 1):
                pass
            await desk.wait_until_all_ended()

        assert desk.reception.refusals[Refusal.SENDER_CONNECTIONS] == 0


def test_a_name_that_looks_like_an_address_is_another_party() -> None:
    by_address = source_of("192.0.2.7")
    by_name = source_of("192.0.2.1", certificate="ab" * 32, name="192.0.2.7")

    assert party_of(by_address) != party_of(by_name)


@pytest.mark.parametrize(
    ("one", "other", "are_same"),
    [
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("fe80::1%eth0", "fe80::2%eth0", True),
    ],
)
def test_all_addresses_that_one_host_has_are_one_party(
    one: str, other: str, are_same: bool
) -> None:
    parties = {party_of(source_of(one)), party_of(source_of(other))}

    assert (len(parties) == 1) is are_same


def test_what_left_is_not_remembered() -> None:
    places = Places(Caps(connections_per_sender=1))
    places.take_for("a")
    places.give_back_for("a")

    places.take_for("a")
    with pytest.raises(UnwelcomeError, match="it has 1 connections already"):
        places.take_for("a")


# Handshakes.


async def test_handshakes_of_one_address_are_limited(
    certificates: Certificates,
) -> None:
    caps = Caps(handshakes_per_second=1)
    async with serve(certificates.listener(), caps=caps) as desk:
        for _ in range(10):
            async with connect(desk, certificates.sender()) as client:
                client.send(b"{}")
                assert await client.receive_acks(1) == [1]
        async with connect(desk) as excess:
            assert await excess.read_all() == b""
        line = await desk.wait_for(TURNED_AWAY)

        assert (line["log_level"], line["reason"]) == ("warning", "handshakes")
        assert line["error"] == (
            "its address begins more than 1 TLS handshakes a second: see "
            "limits.handshakes_per_second"
        )
        assert desk.reception.refusals[Refusal.HANDSHAKES] == 1


async def test_handshakes_behind_a_proxy_count_for_the_address_behind_it(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    tls = Authority(tmp_path_factory.mktemp("tls")).listener()
    caps = Caps(handshakes_per_second=1)
    async with serve(tls, caps=caps, proxies=[LOOPBACK]) as desk:
        for last in [1] * 11 + [2]:
            async with connect(desk) as client:
                header = f"PROXY TCP4 192.0.2.{last} 192.0.2.9 4000 5044\r\n"
                client.writer.write(header.encode())
                client.writer.write_eof()
                assert await client.read_all() == b""
        (line,) = desk.lines(TURNED_AWAY)

        assert (line["reason"], line["peer"]) == ("handshakes", "192.0.2.1:4000")


async def test_connections_without_tls_are_no_handshakes() -> None:
    caps = Caps(handshakes_per_second=1)
    async with serve(caps=caps) as desk, connected(desk, 15):
        assert desk.reception.refusals[Refusal.HANDSHAKES] == 0


# Changes.


async def test_new_caps_count_at_once_and_nobody_loses_its_place() -> None:
    async with serve() as desk, connected(desk, 2) as clients:
        reception = desk.reception
        caps = Caps(connections=1)
        reception.change(Patience(), Limits(), reception.admission, caps)
        async with connect(desk) as excess:
            assert await excess.read_all() == b""

        assert reception.refusals[Refusal.CONNECTIONS] == 1
        acks = [client.receive_acks(1) for client in clients]
        for client in clients:
            client.send(b"{}")
        assert await asyncio.gather(*acks) == [[1], [1]]
