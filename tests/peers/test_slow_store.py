"""Real clients whose events are received, and stored only after a while."""

from contextlib import ExitStack

import pytest

from beats_signer.cli.sample import sample_events
from tests.peers.peer import Client, Link, Peer
from tests.senders.running import RunningSigner
from tests.senders.sealed import check_all, read_arrivals

EVENTS = sample_events(1000, host="web-1", seed=1)
SILENCE_SECONDS = 3.5
"""Longer than the clients wait for a sign of life, and than three keep-alives take.
Any byte that is not meant for a client of version 1 makes it hang up."""


@pytest.mark.parametrize(
    ("client", "link", "order"),
    [
        (Client.GO_LUMBER, Link.PLAIN, {"window": 200, "pipelining": 2}),
        (Client.GO_LUMBER, Link.MUTUAL_TLS, {"window": 200, "pipelining": 0}),
        (Client.PYLOGBEAT, Link.MUTUAL_TLS, {"window": 200}),
        (Client.LOGSTASH_ASYNC, Link.PLAIN, {}),
        (Client.NPM_PROTOCOL, Link.TLS, {}),
    ],
    ids=["go-lumber-async", "go-lumber-sync", "pylogbeat", "log-handler", "npm-v1"],
)
def test_a_client_waits_for_its_acks_and_gets_them(
    signer: RunningSigner, client: Client, link: Link, order: dict[str, object]
) -> None:
    order = order | {"timeout_seconds": 2}

    with ExitStack() as waiting:
        waiting.enter_context(signer.store_waiting())
        with Peer(client, signer, link, EVENTS, order) as peer:
            assert peer.is_patient(SILENCE_SECONDS)
            waiting.close()
            peer.wait_until_acked(len(EVENTS))
    assert signer.end() == 0

    assert peer.losses == []
    assert sum(len(one.payloads) for one in read_arrivals(signer.archive)) == 1000
    check_all(signer.archive, signer.trust)
