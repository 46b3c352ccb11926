"""Many senders, any order of events: every ack is legal, and nobody is forgotten."""

import random
from dataclasses import dataclass, field

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from beats_signer.receive.patience import Patience
from beats_signer.receive.state import SessionState
from lumberjack import KEEPALIVE_V2, Sender
from tests.receive.world import Peer, World, json_events

MEMORY = 30_000
LARGEST = 20 * (2000 + 10 + 100) + 1000
"""The largest window that a sender sends, as the budget counts it."""
READ = 5_000
"""What is read at once."""
PLACES = st.integers(0, 9)


@dataclass(eq=False)
class ModelSender:
    """A sender, what it has still to send, and which of its windows are acked."""

    peer: Peer
    version: int
    level: int
    sender: Sender = field(init=False)
    outbox: bytearray = field(default_factory=bytearray)
    sent_windows: int = 0
    acked_windows: int = 0
    heard: int = 0

    def __post_init__(self) -> None:
        self.sender = Sender(
            version=self.version,
            compression_level=self.level,
            numbers_run_on=self.version == 1,
        )

    def begin(self, count: int, size: int) -> None:
        """Put another window behind what has to be sent."""
        forms = "J" if self.version == 2 else "L"
        self.outbox += self.sender.send(json_events(count, size=size), forms)
        self.sent_windows += 1

    def push(self, size: int) -> None:
        """Send some more bytes."""
        data = bytes(self.outbox[:size])
        del self.outbox[:size]
        if data:
            self.peer.send(data)

    def listen(self) -> None:
        """Read what was answered; a wrong ack raises."""
        for answer in self.peer.answers[self.heard :]:
            assert len(answer) == 6
            assert self.version == 2 or answer != KEEPALIVE_V2
            self.sender.receive_data(answer)
            self.acked_windows += sum(1 for _ in iter(self.sender.next_ack, None))
        self.heard = len(self.peer.answers)


class Connections(RuleBasedStateMachine):
    """What senders, the store, the network and the clock may do."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World(
            Patience(read_ahead_windows=2), memory_bytes=MEMORY, is_shared=True
        )
        self.senders: list[ModelSender] = []

    @property
    def alive(self) -> list[ModelSender]:
        return [one for one in self.senders if not one.peer.network.is_lost]

    def _of(self, place: int) -> ModelSender:
        return self.alive[place % len(self.alive)]

    @precondition(lambda self: len(self.alive) < 10)
    @rule(version=st.sampled_from([1, 2]), level=st.sampled_from([0, 3]))
    def connect(self, version: int, level: int) -> None:
        peer = self.world.connect(f"192.0.2.{len(self.senders) % 4}")
        peer.network.read_bytes = READ
        self.senders.append(ModelSender(peer, version, level))

    @precondition(lambda self: self.alive)
    @rule(place=PLACES, count=st.integers(0, 20), size=st.integers(1, 2000))
    def begin_window(self, place: int, count: int, size: int) -> None:
        self._of(place).begin(count, size)

    @precondition(lambda self: self.alive)
    @rule(place=PLACES, size=st.integers(1, 30_000))
    def push(self, place: int, size: int) -> None:
        self._of(place).push(size)

    @rule(places=st.lists(PLACES, max_size=3, unique=True))
    def store(self, places: list[int]) -> None:
        waiting = [one for one in self.world.signing.receipts if not one.done()]
        for place in places:
            if place < len(waiting):
                waiting[place].set_result(None)
        self.world.timers.run()

    @precondition(lambda self: self.alive)
    @rule(place=PLACES)
    def stop_taking_acks(self, place: int) -> None:
        self._of(place).peer.network.is_full = True

    @precondition(lambda self: self.alive)
    @rule(place=PLACES)
    def take_acks(self, place: int) -> None:
        network = self._of(place).peer.network
        if network.is_full:
            network.make_room()
            self.world.timers.run()

    @precondition(lambda self: self.alive)
    @rule(place=PLACES)
    def vanish(self, place: int) -> None:
        self._of(place).peer.reset()

    @rule(seconds=st.floats(0.1, 8))
    def wait(self, seconds: float) -> None:
        self.world.timers.advance(seconds)

    @invariant()
    def there_is_no_fault_in_the_program(self) -> None:
        assert self.world.timers.errors == []

    @invariant()
    def every_answer_is_legal(self) -> None:
        for sender in self.senders:
            sender.listen()

    @invariant()
    def nothing_is_acknowledged_before_it_is_stored(self) -> None:
        stored = sum(one.done() for one in self.world.signing.receipts)
        acked = len(self.world.signing.acknowledged_windows)
        empty = sum(
            sender.peer.session.outstanding.windows for sender in self.senders
        ) - len(self.world.signing.receipts)
        assert acked <= stored + empty

    @invariant()
    def memory_is_bounded(self) -> None:
        assert self.world.budget.used_bytes < MEMORY + LARGEST + READ

    def teardown(self) -> None:
        # In the end the store works and senders send all they have begun.
        for sender in self.alive:
            sender.peer.network.make_room()
        for _ in range(3 * len(self.alive) + 1):
            for sender in self.alive:
                sender.push(1_000_000)
            self.world.signing.store_all()
            self.world.timers.advance(1)
        for sender in self.senders:
            sender.listen()
            if sender.peer.state in (SessionState.READING, SessionState.PAUSED):
                assert sender.acked_windows == sender.sent_windows
            else:
                sender.peer.reset()
        held = sum(
            sender.peer.session.outstanding.windows > 0 for sender in self.senders
        )
        assert self.world.budget.used_bytes == 0, held
        assert self.world.timers.errors == []


Connections.TestCase.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None
)
TestConnections = Connections.TestCase


def walk(connections: Connections, chance: random.Random) -> None:
    """Take one step, mostly one that brings windows on their way."""
    if len(connections.alive) < 10:
        connections.connect(chance.choice([1, 2]), chance.choice([0, 0, 3]))
    place = chance.randrange(10)
    match chance.choices(range(7), [15, 60, 30, 0.3, 2, 0.2, 5])[0]:
        case 0:
            connections.begin_window(
                place, chance.randrange(21), chance.randint(1, 2000)
            )
        case 1:
            connections.push(place, chance.choice([1, 100, 1000, 5000]))
        case 2:
            connections.store(chance.sample(range(20), chance.choice([2, 20])))
        case 3:
            connections.stop_taking_acks(place)
        case 4:
            connections.take_acks(place)
        case 5:
            connections.vanish(place)
        case 6:
            connections.wait(chance.uniform(0.1, 1))


@pytest.mark.parametrize("seed", range(8))
def test_long_walks_end_with_every_window_acknowledged(seed: int) -> None:
    connections, chance = Connections(), random.Random(seed)
    for _ in range(3000):
        walk(connections, chance)
        connections.there_is_no_fault_in_the_program()
        connections.every_answer_is_legal()
        connections.nothing_is_acknowledged_before_it_is_stored()
        connections.memory_is_bounded()

    assert sum(sender.acked_windows for sender in connections.senders) > 100
    connections.teardown()
