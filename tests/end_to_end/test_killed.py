"""Server and signer are killed in turn, while real clients go on sending."""

import random
from collections.abc import Callable
from contextlib import ExitStack
from enum import Enum
from signal import Signals

import pytest

from beats_signer.cli.sample import sample_events
from tests.elasticsearch.server import Server
from tests.end_to_end.conftest import MakeSigner
from tests.end_to_end.relay import Relay
from tests.end_to_end.storing import StoringSigner
from tests.peers.peer import Client, Link, Peer
from tests.senders.libbeat import BeatConnection
from tests.senders.running import HOST

pytestmark = pytest.mark.peers

EVENTS = 3000
WINDOW = 50
_CLIENTS = [
    (Client.GO_LUMBER, Link.MUTUAL_TLS, {"compression": 3, "pipelining": 2}),
    (Client.GO_LUMBER, Link.PLAIN, {"compression": 0, "pipelining": 0}),
    (Client.PYLOGBEAT, Link.TLS, {}),
]


class Blow(Enum):
    """What is killed while a round of events is on its way."""

    SERVER = "the server"
    SIGNER = "the signer"
    SIGNER_WHILE_SERVER_IS_DOWN = "the signer, while the server is down"
    SERVER_THEN_SIGNER = "the server, and the signer as soon as it is back"


def strike(blow: Blow, server: Server, signer: StoringSigner) -> None:
    """Kill, and start again what was killed."""
    if blow is not Blow.SIGNER:
        server.kill()
    if blow is Blow.SIGNER_WHILE_SERVER_IS_DOWN:
        signer.end(Signals.SIGKILL)
        signer.launch()
    if blow is not Blow.SIGNER:
        server.start()
    if blow in (Blow.SIGNER, Blow.SERVER_THEN_SIGNER):
        signer.end(Signals.SIGKILL)
        signer.launch()
    if blow is not Blow.SERVER:
        signer.wait_for("ready")


def rounds(count: int, seed: int) -> list[Blow]:
    """Return a blow for each round; each of them comes in turn."""
    chosen = random.Random(seed)
    cycles = [chosen.sample(list(Blow), len(Blow)) for _ in range(count)]
    return [blow for cycle in cycles for blow in cycle]


@pytest.mark.parametrize(
    "blows",
    [
        [Blow.SERVER_THEN_SIGNER, Blow.SIGNER],
        pytest.param(rounds(6, seed=1), marks=pytest.mark.slow),
    ],
    ids=["short", "long"],
)
def test_every_acknowledged_event_is_stored_once_whoever_is_killed(
    make_signer: MakeSigner, server: Server, blows: list[Blow]
) -> None:
    signer = make_signer()
    moments = random.Random(len(blows))
    published: list[bytes] = []

    for number, blow in enumerate(blows):
        with ExitStack() as running:
            peers = []
            for place, (client, link, order) in enumerate(_CLIENTS):
                host = f"web-{place}"
                events = sample_events(EVENTS, host=host, seed=1, first=number * EVENTS)
                order = {**order, "window": WINDOW}
                peer = Peer(client, signer, link, events, order, name=host)
                peers.append(running.enter_context(peer))
                published += events
            peers[0].wait_until_acked(moments.randrange(EVENTS // 2))
            strike(blow, server, signer)
            for peer in peers:
                peer.finish()
    assert signer.end() == 0

    signer.check_stored(published)


def die_while_it_writes(
    signer: StoringSigner, relay: Relay, meanwhile: Callable[[], object]
) -> list[bytes]:
    """Send windows and kill the signer when the second is on its way to the server."""
    events = sample_events(200, host="web-1", seed=1)
    first = BeatConnection((HOST, signer.plain_port))
    first.send(events[:100])
    first.await_ack(100)
    relay.hold()
    first.send(events[100:])
    relay.wait_for_held()
    signer.end(Signals.SIGKILL)
    first.close()
    meanwhile()
    second = BeatConnection((HOST, signer.plain_port))
    second.send(events[100:])
    second.await_ack(100)
    second.close()
    return events


def test_a_write_that_arrives_after_its_signer_was_killed_is_that_of_the_next_one(
    make_signer: MakeSigner, relay: Relay
) -> None:
    signer = make_signer()

    def arrive_first() -> None:
        relay.let_go()
        signer.start()

    events = die_while_it_writes(signer, relay, arrive_first)
    assert signer.end() == 0

    assert signer.check_stored(events).payloads == events


def test_a_write_that_arrives_when_its_signer_has_sent_it_again_changes_nothing(
    make_signer: MakeSigner, relay: Relay
) -> None:
    signer = make_signer()

    def arrive_together() -> None:
        signer.launch()
        relay.wait_for_held(2)
        relay.let_go()
        signer.wait_for("ready")

    events = die_while_it_writes(signer, relay, arrive_together)
    assert signer.end() == 0

    assert signer.check_stored(events).payloads == events
