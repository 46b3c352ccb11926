"""Files of a listener and the allow-list change while senders are connected."""

import asyncio
import ssl
from hashlib import sha256
from pathlib import Path

import pytest

from beats_signer.config import SendersConfig
from beats_signer.errors import Problem
from beats_signer.receive.refusal import Refusal
from beats_signer.receive.watch import Watch
from tests.receive.issuing import DAY, NOW, Authority
from tests.receive.serving import Client, Desk, connect, serve
from tests.receive.world import World, window_of

ENDED = "the connection ended"
FAILED = "the TLS handshake failed"
DISMISSED = "the sender may not send any longer, its connection is closed"
KEPT = "changed files cannot be used, what was read before stays in use"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "tls")


@pytest.fixture
def allow_file(tmp_path: Path) -> Path:
    path = tmp_path / "senders.yml"
    rewrite(path, "- name: web-1\n- name: web-2\n")
    return path


def rewrite(path: Path, text: str) -> None:
    path.write_text(text)


async def is_acknowledged(client: Client) -> bool:
    client.send(b"{}")
    return await client.receive_acks(1) == [1]


async def shown_by(desk: Desk, context: ssl.SSLContext) -> str:
    """Return the fingerprint of the certificate that the listener shows."""
    async with connect(desk, context) as client:
        assert await is_acknowledged(client)
        tls = client.writer.get_extra_info("ssl_object")
        return sha256(tls.getpeercert(binary_form=True)).hexdigest()


# Certificate, key, authorities.


async def test_a_new_certificate_is_shown_and_nobody_is_disconnected(
    authority: Authority,
) -> None:
    context = authority.sender(authority.issue("web-1"))
    async with serve(authority.listener()) as desk, connect(desk, context) as early:
        assert await is_acknowledged(early)
        renewed = authority.issue("localhost", dns=["localhost"], file="server")
        before = await shown_by(desk, context)
        await desk.reread()

        assert before != renewed.fingerprint
        assert await shown_by(desk, context) == renewed.fingerprint
        assert await is_acknowledged(early)


async def test_a_new_authority_admits_its_senders_and_the_old_one_no_others(
    authority: Authority, tmp_path: Path
) -> None:
    other = Authority(tmp_path / "other")
    old = authority.sender(authority.issue("web-1"))
    new = other.sender(other.issue("web-2"), trusting=authority)
    listener = authority.listener()
    async with serve(listener) as desk, connect(desk, old) as early:
        assert await is_acknowledged(early)
        authority.path.write_bytes(other.path.read_bytes())
        await desk.reread()

        async with connect(desk, new) as client:
            assert await is_acknowledged(client)
        async with connect(desk, old) as client:
            client.send(b"{}")
            assert await client.read_all() == b""
        assert (await desk.wait_for(FAILED))["reason"] == "other_authority"
        assert await is_acknowledged(early)


@pytest.mark.parametrize("file", ["server.crt", "server.key", "authority.crt"])
async def test_a_half_written_file_keeps_the_old_ones_and_is_told_once(
    authority: Authority, file: str
) -> None:
    context = authority.sender(authority.issue("web-1"))
    listener = authority.listener()
    path = listener.certificate.with_name(file)
    whole = path.read_bytes()
    async with serve(listener) as desk:
        path.write_bytes(whole[: len(whole) // 2])
        for _ in range(3):
            await desk.reread()

        line = await desk.wait_for(KEPT)
        assert str(path) in line["error"]
        (problem,) = desk.watch.problems()
        assert str(path) in problem.symptom
        async with connect(desk, context) as client:
            assert await is_acknowledged(client)

        path.write_bytes(whole)
        await desk.reread()
        assert desk.watch.problems() == []
        async with connect(desk, context) as client:
            assert await is_acknowledged(client)


async def test_a_certificate_whose_key_is_not_there_yet_is_not_used(
    authority: Authority,
) -> None:
    context = authority.sender(authority.issue("web-1"))
    listener = authority.listener()
    async with serve(listener) as desk:
        renewed = authority.issue("localhost", dns=["localhost"], file="renewed")
        listener.certificate.write_bytes(renewed.certificate.read_bytes())
        await desk.reread()
        assert await shown_by(desk, context) != renewed.fingerprint

        listener.key.write_bytes(renewed.key.read_bytes())
        await desk.reread()
        assert await shown_by(desk, context) == renewed.fingerprint


async def test_no_handshake_fails_while_files_are_swapped(
    authority: Authority, tmp_path: Path
) -> None:
    context = authority.sender(authority.issue("web-1"))
    own = authority.path.read_bytes()
    bundles = own, Authority(tmp_path / "other").path.read_bytes() + own
    async with serve(authority.listener()) as desk:
        swapping = asyncio.Event()

        async def send() -> int:
            rounds = 0
            while not swapping.is_set() or not rounds:
                async with connect(desk, context) as client:
                    assert await is_acknowledged(client)
                rounds += 1
            return rounds

        senders = [asyncio.create_task(send()) for _ in range(3)]
        for number in range(50):
            authority.issue("localhost", dns=["localhost"], file="server")
            authority.path.write_bytes(bundles[number % 2])
            await desk.reread()
        swapping.set()
        rounds = await asyncio.gather(*senders)

        assert min(rounds) > 0
        assert desk.lines(FAILED) == []
        assert desk.lines(KEPT) == []


# The allow-list.


async def test_who_is_taken_off_the_list_is_disconnected_and_nobody_else(
    authority: Authority, allow_file: Path
) -> None:
    gone = authority.issue("web-1")
    config = SendersConfig(allow_file=allow_file)
    async with (
        serve(authority.listener(), senders=config) as desk,
        connect(desk, authority.sender(gone)) as first,
        connect(desk, authority.sender(authority.issue("web-2"))) as second,
    ):
        assert await is_acknowledged(first)
        assert await is_acknowledged(second)
        rewrite(allow_file, "- name: web-2\n")
        await desk.reread()

        assert await first.read_all() == b""
        line = await desk.wait_for(DISMISSED)
        assert (line["sender"], line["reason"]) == ("web-1", "not_listed")
        assert line["certificate"] == gone.fingerprint
        assert desk.reception.refusals[Refusal.NOT_LISTED] == 1
        assert await is_acknowledged(second)


async def test_who_is_disconnected_still_gets_the_acks_of_what_was_taken(
    authority: Authority, allow_file: Path
) -> None:
    context = authority.sender(authority.issue("web-1"))
    config = SendersConfig(allow_file=allow_file)
    async with (
        serve(authority.listener(), senders=config) as desk,
        connect(desk, context) as client,
    ):
        desk.signer.is_storing = False
        client.send(b"1", b"2")
        await desk.wait_for_windows(1)
        rewrite(allow_file, "[]\n")
        await desk.reread()
        await desk.wait_for(DISMISSED)
        client.send(b"3")
        desk.signer.store()

        assert await client.read_all() == b"2A\0\0\0\2"
        assert len(desk.signer.windows) == 1


async def test_who_is_put_on_the_list_may_send(
    authority: Authority, allow_file: Path
) -> None:
    context = authority.sender(authority.issue("web-3"))
    config = SendersConfig(allow_file=allow_file)
    async with serve(authority.listener(), senders=config) as desk:
        async with connect(desk, context) as client:
            assert await client.read_all() == b""
        rewrite(allow_file, "- {name: 'web-*', tenant: acme}\n")
        await desk.reread()

        async with connect(desk, context) as client:
            assert await is_acknowledged(client)
        assert desk.signer.windows[0].source.tenant == "acme"


@pytest.mark.parametrize("text", ["", "- name: web-1\n- nam", "- {name: web-1, x: 1}"])
async def test_a_list_that_cannot_be_used_disconnects_nobody(
    authority: Authority, allow_file: Path, text: str
) -> None:
    context = authority.sender(authority.issue("web-2"))
    config = SendersConfig(allow_file=allow_file)
    async with (
        serve(authority.listener(), senders=config) as desk,
        connect(desk, context) as client,
    ):
        assert await is_acknowledged(client)
        rewrite(allow_file, text)
        await desk.reread()

        assert str(allow_file) in (await desk.wait_for(KEPT))["error"]
        assert await is_acknowledged(client)
        async with connect(desk, context) as another:
            assert await is_acknowledged(another)


def test_a_dismissed_sender_does_not_wait_for_the_store_for_ever(
    world: World,
) -> None:
    peer = world.connect()
    peer.send(window_of(2))
    peer.session.dismiss()
    world.timers.advance(14)
    assert peer.network.calls == []

    world.timers.advance(2)
    assert peer.network.calls == ["abort"]
    world.signing.store_all()
    assert b"2A\0\0\0\2" not in peer.answers


def test_a_dismissed_sender_is_read_no_more_and_lingers(world: World) -> None:
    peer = world.connect()
    peer.session.dismiss()
    peer.send(window_of(2))

    assert world.signing.windows == []
    assert peer.network.calls == ["write_eof"]
    world.timers.advance(2)
    assert peer.network.calls == ["write_eof", "close"]


def test_nothing_is_taken_from_an_unwelcome_sender(world: World) -> None:
    world.unwelcome["192.0.2.9"] = Refusal.NOT_LISTED
    peer = world.connect("192.0.2.9")
    peer.send(window_of(2))

    assert peer.network.calls == ["close"]
    assert peer.answers == []
    assert world.refusals == [Refusal.NOT_LISTED]
    assert world.sessions == []


# What expires.


async def test_a_certificate_that_expires_soon_is_a_problem_and_is_told_once(
    authority: Authority,
) -> None:
    listener = authority.listener()
    authority.issue("localhost", dns=["localhost"], ends=NOW + 13 * DAY, file="server")
    async with serve(listener) as desk:
        (problem,) = desk.watch.problems()
        assert problem.symptom.startswith(f"the certificate {listener.certificate} of")
        await desk.reread()
        (line,) = desk.lines(problem.symptom)
        assert line["log_level"] == "warning"

        authority.issue("localhost", dns=["localhost"], file="server")
        await desk.reread()
        assert desk.watch.problems() == []


async def test_a_certificate_that_is_valid_for_long_is_no_problem(
    authority: Authority,
) -> None:
    async with serve(authority.listener()) as desk:
        assert desk.watch.problems() == []


async def test_what_a_judge_finds_is_told_once_and_stays_a_problem() -> None:
    found = [Problem("a key is open", "anybody reads it", "close it")]
    async with serve() as desk:
        watch = Watch(desk.reception, [desk.listener], judge=lambda: found)
        await watch.look()
        await watch.look()
        assert watch.problems() == list(found)
        assert len(desk.lines("a key is open")) == 1

        found.clear()
        await watch.look()
        assert watch.problems() == []
