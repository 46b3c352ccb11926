"""The client that is inside every Beat."""

import pytest

from beats_signer.cli.sample import sample_events
from tests.peers.peer import Client, Link, Peer
from tests.senders.running import RunningSigner
from tests.senders.sealed import check_all, payloads_of, read_arrivals

EVENTS = sample_events(5000, host="web-1", seed=1)


@pytest.mark.parametrize("link", Link)
@pytest.mark.parametrize("compression", [0, 3])
@pytest.mark.parametrize("pipelining", [0, 2])
def test_every_event_is_sealed_once_in_order_and_every_ack_is_right(
    signer: RunningSigner, link: Link, compression: int, pipelining: int
) -> None:
    order = {"window": 1600, "compression": compression, "pipelining": pipelining}

    with Peer(Client.GO_LUMBER, signer, link, EVENTS, order) as peer:
        peer.finish()
    assert signer.end() == 0

    windows = [one.window for one in read_arrivals(signer.archive)]
    assert (peer.acked, peer.losses) == ([1600, 3200, 4800, 5000], [])
    assert [(one.version, one.size) for one in windows] == [
        (2, 1600),
        (2, 1600),
        (2, 1600),
        (2, 200),
    ]
    assert {one.sender for one in windows} == {link.sender}
    assert payloads_of(signer.archive) == EVENTS
    check_all(signer.archive, signer.trust)
