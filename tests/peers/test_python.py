"""The two Python clients: pylogbeat, and the log handler built on it."""

import json

import pytest

from beats_signer.cli.sample import sample_events
from tests.peers.peer import Client, Link, Peer
from tests.senders.running import RunningSigner
from tests.senders.sealed import check_all, payloads_of, read_arrivals

EVENTS = sample_events(1000, host="web-1", seed=1)


@pytest.mark.parametrize("link", Link)
def test_pylogbeat_finds_the_number_of_its_last_event_acknowledged(
    signer: RunningSigner, link: Link
) -> None:
    with Peer(Client.PYLOGBEAT, signer, link, EVENTS, {"window": 300}) as peer:
        peer.finish()
    assert signer.end() == 0

    arrivals = read_arrivals(signer.archive)
    assert (peer.acked, peer.losses) == ([300, 600, 900, 1000], [])
    assert [one.window.size for one in arrivals] == [300, 300, 300, 100]
    assert {one.window.version for one in arrivals} == {2}
    assert {one.window.sender for one in arrivals} == {link.sender}
    assert payloads_of(signer.archive) == EVENTS
    check_all(signer.archive, signer.trust)


@pytest.mark.parametrize("link", Link)
def test_the_log_handler_has_every_record_sealed_once_in_windows_of_25(
    signer: RunningSigner, link: Link
) -> None:
    lines = [f"record {number} of a program: Zoë λ" for number in range(130)]
    events = [line.encode() for line in lines]

    with Peer(Client.LOGSTASH_ASYNC, signer, link, events) as peer:
        peer.finish()
    assert signer.end() == 0

    arrivals = read_arrivals(signer.archive)
    payloads = payloads_of(signer.archive)
    records = [json.loads(payload) for payload in payloads]
    assert (max(peer.acked), peer.losses) == (130, [])
    assert max(one.window.size for one in arrivals) == 25
    assert {one.window.version for one in arrivals} == {2}
    assert {one.window.sender for one in arrivals} == {link.sender}
    assert b"".join(payloads) == peer.sent.read_bytes()
    assert {record["extra"]["number"]: record["message"] for record in records} == dict(
        enumerate(lines)
    )
    assert len(records) == len(lines)
    check_all(signer.archive, signer.trust)
