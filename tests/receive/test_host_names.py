"""Whether events name the host that their sender's certificate names."""

from pathlib import Path
from typing import Literal

import pytest

from beats_signer.config import SendersConfig
from beats_signer.receive.host_names import HostNames, Mismatch
from beats_signer.receive.refusal import Refusal
from lumberjack import Batch
from tests.receive.issuing import Authority
from tests.receive.serving import connect, serve
from tests.receive.world import World, window_of

REFUSED = "the sender may not send, its connection is closed"
NOTICED = "events name another host than their sender"
OWN = b'{"host":{"name":"web-1"},"agent":{"name":"web-1"}}'
OTHER = b'{"host":{"name":"db-1"},"agent":{"name":"web-1"}}'


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "tls")


def compare(sender: str, *payloads: bytes, form: bytes = b"J") -> Mismatch | None:
    size = len(payloads)
    batch = Batch(2, size, size, form * size, payloads, sum(map(len, payloads)))
    return HostNames().compare(sender, batch)


def named(name: str) -> bytes:
    return b'{"host":{"name":"%s"}}' % name.encode()


@pytest.mark.parametrize(
    ("sender", "name"),
    [
        ("web-1", "web-1"),
        ("web-1", "WEB-1"),
        ("Web-1.example.com", "web-1.EXAMPLE.com"),
        ("web-1.example.com", "web-1"),
        ("web-1", "web-1.example.com"),
        ("spiffe://example.com/ns/web-1", "web-1"),
        ("spiffe://example.com/ns/web-1/", "web-1.example.com"),
    ],
)
def test_the_name_of_the_sender_agrees(sender: str, name: str) -> None:
    assert compare(sender, named(name)) is None


@pytest.mark.parametrize(
    ("sender", "name"),
    [
        ("web-1", "web-10"),
        ("web-1", ""),
        ("web-1.example.com", "web-1.example.org"),
        ("web-1.example.com", "example.com"),
        ("spiffe://web-1/ns/db-1", "web-1"),
        ("sha256:ab", "web-1"),
    ],
)
def test_any_other_name_does_not(sender: str, name: str) -> None:
    assert compare(sender, named(name)) == Mismatch(1, "host.name", name)


@pytest.mark.parametrize(
    "payload",
    [
        b"{}",
        b"not JSON",
        b'{"host":"elsewhere"}',
        b'{"host":{"name":null}}',
        b'{"host":{"name":{"a":1}}}',
    ],
)
def test_an_event_that_names_no_host_agrees(payload: bytes) -> None:
    assert compare("web-1", payload) is None


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        (OTHER, "host.name"),
        (b'{"agent":{"name":"db-1"}}', "agent.name"),
        (b'{"host.name":"db-1"}', "host.name"),
        (b'{"host":{"name":["web-1","db-1"]}}', "host.name"),
    ],
)
def test_each_of_the_fields_has_to_agree(payload: bytes, field: str) -> None:
    assert compare("web-1", payload) == Mismatch(1, field, "db-1")


def test_the_first_of_several_is_shown_and_all_are_counted() -> None:
    found = compare("web-1", OWN, named("a"), OWN, named("b"), named("a"))

    assert found == Mismatch(3, "host.name", "a")
    assert str(found) == "host.name is 'a'"


def test_what_is_shown_is_short_and_cannot_break_a_line() -> None:
    found = compare("web-1", named("\\n" + "x" * 500))

    assert found is not None
    assert str(found) == "host.name is '\\n" + "x" * 63 + "'"


@pytest.mark.parametrize("policy", ["ignore", "warn"])
async def test_events_that_name_another_host_are_counted_where_that_is_asked_for(
    authority: Authority, policy: Literal["ignore", "warn"]
) -> None:
    context = authority.sender(authority.issue("web-1"))
    config = SendersConfig(host_names=policy)
    async with (
        serve(authority.listener(), senders=config) as desk,
        connect(desk, context) as client,
    ):
        client.send(OWN, OTHER, OTHER)
        client.send(OTHER)
        assert await client.receive_acks(2) == [3, 1]

        assert len(desk.signer.windows) == 2
        is_told = policy == "warn"
        assert desk.reception.mismatched_events == (3 if is_told else 0)
        lines = [(line["error"], line["sender"]) for line in desk.lines(NOTICED)]
        assert lines == [("host.name is 'db-1'", "web-1")] * is_told


async def test_a_window_that_names_another_host_is_refused_where_that_is_asked_for(
    authority: Authority,
) -> None:
    context = authority.sender(authority.issue("web-1"))
    config = SendersConfig(host_names="refuse")
    async with serve(authority.listener(), senders=config) as desk:
        async with connect(desk, context) as client:
            client.send(OWN)
            client.send(OWN, OTHER)
            client.send(OWN)
            assert await client.read_all() == b"2A\0\0\0\1"
        line = await desk.wait_for(REFUSED)

        assert line["reason"] == "host_name"
        assert line["sender"] == "web-1"
        assert line["error"].startswith("host.name is 'db-1' in an event: correct")
        assert [len(window.payloads) for window in desk.signer.windows] == [1]
        assert desk.reception.refusals[Refusal.HOST_NAME] == 1


async def test_a_sender_without_a_certificate_may_name_any_host() -> None:
    config = SendersConfig(host_names="refuse")
    async with serve(senders=config) as desk, connect(desk) as client:
        client.send(OTHER)

        assert await client.receive_acks(1) == [1]


def test_windows_before_a_refused_one_still_get_their_acks(world: World) -> None:
    peer = world.connect()
    peer.send(window_of(2))
    world.distrusted.add("192.0.2.1")
    peer.send(window_of(3))
    assert peer.network.calls == []
    world.signing.store_all()

    assert peer.answers == [b"2A\0\0\0\2"]
    assert peer.network.calls == ["write_eof"]
    assert world.budget.used_bytes == 0
