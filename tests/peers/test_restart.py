"""Real clients under load while the signer ends and comes back."""

from signal import Signals

import pytest

from beats_signer.cli.sample import sample_events
from tests.peers.peer import Client, Link, Peer
from tests.senders.running import RunningSigner
from tests.senders.sealed import check_all, payloads_of

EVENTS = sample_events(12_000, host="web-1", seed=1)
ENDINGS = [Signals.SIGTERM, Signals.SIGKILL, Signals.SIGKILL]


@pytest.mark.parametrize("link", [Link.PLAIN, Link.MUTUAL_TLS])
@pytest.mark.parametrize(
    ("client", "order"),
    [
        (Client.GO_LUMBER, {"window": 40, "compression": 3, "pipelining": 2}),
        (Client.GO_LUMBER, {"window": 40, "compression": 3, "pipelining": 0}),
        (Client.PYLOGBEAT, {"window": 40}),
    ],
    ids=["go-lumber-async", "go-lumber-sync", "pylogbeat"],
)
def test_clients_that_repeat_windows_unchanged_have_every_event_sealed_once(
    signer: RunningSigner, client: Client, order: dict[str, object], link: Link
) -> None:
    with Peer(client, signer, link, EVENTS, order) as peer:
        for place, ending in enumerate(ENDINGS, 1):
            peer.wait_until_acked(place * len(EVENTS) // 5)
            signer.end(ending)
            acked, sealed = peer.acked[-1], payloads_of(signer.archive)
            assert acked <= len(sealed)
            assert sealed == EVENTS[: len(sealed)]
            signer.start()
        peer.finish()
    assert signer.end() == 0

    assert peer.acked[-1] == len(EVENTS)
    assert len(peer.losses) >= len(ENDINGS)
    assert payloads_of(signer.archive) == EVENTS
    check_all(signer.archive, signer.trust)


def test_the_log_handler_loses_no_record_and_may_repeat_some(
    signer: RunningSigner,
) -> None:
    lines = [f"record {number}".encode() for number in range(2000)]

    with Peer(Client.LOGSTASH_ASYNC, signer, Link.PLAIN, lines) as peer:
        for place, ending in enumerate(ENDINGS, 1):
            peer.wait_until_acked(place * len(lines) // 5)
            signer.end(ending)
            signer.start()
        peer.finish()
    assert signer.end() == 0

    sealed = b"\n".join(payloads_of(signer.archive))
    assert [line for line in lines if b'"' + line + b'"' not in sealed] == []
    check_all(signer.archive, signer.trust)
