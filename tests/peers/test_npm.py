"""The two clients for Node.js: neither waits for an ack."""

from contextlib import closing

import pytest

from beats_signer.cli.sample import sample_events
from lumberjack import build_pairs
from tests.peers.peer import Client, Link, Peer
from tests.senders.libbeat import BeatConnection
from tests.senders.running import HOST, RunningSigner
from tests.senders.sealed import check_all, payloads_of, read_arrivals

EVENTS = sample_events(2300, host="web-1", seed=1)
PAIRS = [build_pairs([(b"line", line), (b"host", b"node-1")]) for line in EVENTS]


@pytest.mark.parametrize("link", Link)
def test_a_client_that_reads_no_ack_has_every_event_sealed(
    signer: RunningSigner, link: Link
) -> None:
    events = EVENTS[:200]

    with Peer(Client.NPM_CLIENT, signer, link, events, {"window": 3}) as peer:
        signer.wait_for("the connection ended")
        peer.let_go()
        peer.finish()
    assert signer.end() == 0

    arrivals = read_arrivals(signer.archive)
    assert [one.window.size for one in arrivals] == [3] + [1] * 197
    assert {one.window.version for one in arrivals} == {2}
    assert {one.window.sender for one in arrivals} == {link.sender}
    assert payloads_of(signer.archive) == events
    check_all(signer.archive, signer.trust)


@pytest.mark.parametrize("link", [Link.TLS, Link.MUTUAL_TLS])
def test_a_window_that_is_never_filled_is_taken_at_the_clean_end_of_its_sender(
    signer: RunningSigner, link: Link
) -> None:
    with Peer(Client.NPM_PROTOCOL, signer, link, EVENTS, {"end": "close"}) as peer:
        signer.wait_for("the connection ended")
        peer.finish()
    assert signer.end() == 0

    arrivals = read_arrivals(signer.archive)
    told = [one.get("signer", {}) for one in signer.facts]
    assert [(one.window.size, len(one.payloads)) for one in arrivals] == [
        (1000, 1000),
        (1000, 1000),
        (1000, 300),
    ]
    assert [one["events"] for one in told if one.get("announced") == 1000] == [300]
    assert {one.window.version for one in arrivals} == {1}
    assert {one.window.sender for one in arrivals} == {link.sender}
    assert {form for one in arrivals for form in one.forms} == {"D"}
    assert payloads_of(signer.archive) == PAIRS
    check_all(signer.archive, signer.trust)


def test_an_end_that_anybody_could_have_forged_leaves_the_full_windows(
    signer: RunningSigner,
) -> None:
    with closing(BeatConnection((HOST, signer.plain_port))) as beat:
        beat.send(EVENTS[:1])  # What follows finds its chain founded.
        beat.await_ack(1)
    with Peer(Client.NPM_PROTOCOL, signer, Link.TLS, EVENTS, {"end": "exit"}) as peer:
        signer.wait_for("the connection ended", times=2)
        peer.finish()
    assert signer.end() == 0

    assert payloads_of(signer.archive) == EVENTS[:1] + PAIRS[:2000]


def test_a_client_that_announces_once_gets_an_ack_for_each_full_window(
    signer: RunningSigner,
) -> None:
    with Peer(Client.NPM_PROTOCOL, signer, Link.TLS, EVENTS, {"end": "wait"}) as peer:
        assert peer.wait_until_acked(2000) == 2000

    assert peer.acked == [1000, 2000]
