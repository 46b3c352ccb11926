"""Real clients whose signer loses its connection to Elasticsearch at bad moments."""

import pytest

from beats_signer.cli.sample import sample_events
from tests.end_to_end.conftest import MakeSigner
from tests.end_to_end.relay import Cut, Relay
from tests.peers.peer import Client, Link, Peer

pytestmark = pytest.mark.peers

EVENTS = sample_events(3000, host="web-1", seed=1)
ORDER: dict[str, object] = {"window": 50, "compression": 3, "pipelining": 2}
SCRIPT = [None, *Cut, None, *(cut for cut in Cut for _ in range(2))]


def test_connections_that_are_cut_lose_nothing_and_store_nothing_twice(
    make_signer: MakeSigner, relay: Relay
) -> None:
    signer = make_signer()
    relay.cut(*SCRIPT)

    with Peer(Client.GO_LUMBER, signer, Link.MUTUAL_TLS, EVENTS, ORDER) as peer:
        peer.finish()
    relay.wait_for_cuts()
    assert signer.end() == 0

    assert (peer.acked[-1], peer.losses) == (len(EVENTS), [])
    assert signer.check_stored(EVENTS).payloads == EVENTS
