"""A sender of fifty times the load costs the others less than a tenth."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from beats_signer.receive.patience import SILENCE_SECONDS
from beats_signer.receive.session import Session
from beats_signer.receive.shares import ACTIVE_SECONDS, PART, Shares
from lumberjack import Sender
from tests.receive.world import Network, Peer, World, window_of

MEMORY = 4 << 20
EVENTS, SIZE = 20, 100
LARGE = window_of(5, size=100_000)
NOISY, POLITE = "192.0.2.66", "192.0.2.1"
TICKS, TICK_SECONDS = 200, 0.1


class Reader:
    """A connection that notes what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def stop_reading(self) -> None:
        self.told.append("stop")

    def go_on(self) -> None:
        self.told.append("go on")

    def has_unread(self) -> bool:
        raise AssertionError("a share does not ask")


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def shares_of(clock: Clock, *parties: str) -> Shares:
    """Return shares of these senders, each of which is active."""
    shares = Shares(MEMORY, clock)
    for party in parties:
        share = shares.of(party)
        share.join(Reader())
        share.complete(Reader(), 0)
    return shares


# Shares.


def test_who_is_alone_has_all_memory() -> None:
    share = shares_of(Clock(), "a").of("a")
    share.complete(Reader(), MEMORY - 1)

    assert share.may_take


def test_those_who_are_active_have_equal_parts_of_a_part() -> None:
    shares = shares_of(Clock(), "a", "b", "c", "d")

    assert shares.each_bytes == MEMORY / PART / 4


def test_all_connections_of_a_sender_stop_when_its_share_is_full() -> None:
    shares = shares_of(Clock(), "a", "b")
    share, one, other = shares.of("a"), Reader(), Reader()
    share.join(one)
    share.join(other)
    share.complete(one, MEMORY // PART // 2 - 1)
    assert share.may_take
    share.complete(one, 1)

    # The one that reports looks by itself.
    assert (share.may_take, one.told, other.told) == (False, [], ["stop"])
    assert shares.of("b").may_take


def test_they_go_on_when_half_of_it_is_stored() -> None:
    shares = shares_of(Clock(), "a", "b")
    share, reader = shares.of("a"), Reader()
    share.join(reader)
    each = MEMORY // PART // 2
    share.complete(reader, each)
    share.give_back(each // 2)
    assert not share.may_take
    share.give_back(1)

    assert (share.may_take, reader.told) == (True, ["go on"])


def test_one_window_larger_than_the_share_is_taken_and_stored_alone() -> None:
    shares = shares_of(Clock(), "a", "b")
    share = shares.of("a")
    share.complete(Reader(), MEMORY)
    assert not share.may_take
    share.give_back(MEMORY)

    assert share.may_take


def test_they_go_on_with_the_next_window_stored_when_they_are_alone_again() -> None:
    clock = Clock()
    shares = shares_of(clock, "a", "b")
    share = shares.of("a")
    share.complete(Reader(), MEMORY // 2)
    clock.now += ACTIVE_SECONDS
    share.give_back(1)

    assert share.may_take


def test_who_sends_nothing_for_a_while_is_not_active() -> None:
    clock = Clock()
    shares = shares_of(clock, "a", "b")
    clock.now += ACTIVE_SECONDS - 0.1
    shares.of("a").complete(Reader(), 0)
    assert shares.each_bytes < MEMORY
    clock.now += 0.1

    assert shares.each_bytes == MEMORY


def test_who_is_gone_is_forgotten_with_the_last_of_its_windows() -> None:
    shares, reader = Shares(MEMORY, Clock()), Reader()
    share = shares.of("a")
    share.join(reader)
    share.complete(reader, 7)
    share.leave(reader)
    assert shares.of("a") is share
    share.give_back(7)

    assert len(shares) == 0


# Many connections against one.


@dataclass
class Beat:
    """A sender that has more to send than is taken, on several connections."""

    world: World
    host: str
    connections: int
    per_tick: int
    """Windows that it begins in each tick; unsent ones are not piled up."""
    peers: list[Peer] = field(init=False)
    sent: int = 0

    def __post_init__(self) -> None:
        self.peers = [self.world.connect(self.host) for _ in range(self.connections)]
        self._senders = [Sender() for _ in self.peers]

    def tick(self) -> None:
        for number in range(self.per_tick):
            place = number % self.connections
            peer = self.peers[place]
            if not peer.network.unread:
                peer.send(self._senders[place].send([bytes(SIZE)] * EVENTS))
                self.sent += 1

    @property
    def stored(self) -> int:
        """Return how many windows were acknowledged."""
        return sum(
            answer != b"2A\0\0\0\0" for peer in self.peers for answer in peer.answers
        )


def run(world: World, beats: Sequence[Beat], *, capacity: int = 20) -> list[int]:
    """Return how many windows of each Beat are stored in the end.

    The store takes *capacity* windows in each tick, in the order in which they came.
    """
    queue: deque[int] = deque()
    seen = 0
    for _ in range(TICKS):
        for beat in beats:
            beat.tick()
        queue.extend(range(seen, len(world.signing.receipts)))
        seen = len(world.signing.receipts)
        stored = [queue.popleft() for _ in range(min(capacity, len(queue)))]
        world.signing.store(*stored)
        world.timers.advance(TICK_SECONDS)
    assert world.timers.errors == []
    return [beat.stored for beat in beats]


@pytest.mark.parametrize("connections", [1, 10, 50])
def test_fifty_times_the_load_costs_another_less_than_a_tenth(connections: int) -> None:
    world = World(memory_bytes=MEMORY, is_shared=True)
    (alone,) = run(world, [Beat(world, POLITE, 1, 1)])
    world = World(memory_bytes=MEMORY, is_shared=True)
    beats = [Beat(world, NOISY, connections, 50), Beat(world, POLITE, 1, 1)]
    noisy, beside = run(world, beats)

    assert alone >= TICKS - 1
    assert beside >= 0.9 * alone
    # And what is left of the store is used.
    assert noisy >= 0.9 * TICKS * min(19, 4 * connections)


def test_without_others_a_sender_has_the_whole_store() -> None:
    world = World(memory_bytes=MEMORY, is_shared=True)
    (noisy,) = run(world, [Beat(world, NOISY, 50, 50)])

    assert noisy >= 0.95 * TICKS * 20


def test_two_that_send_all_they_can_are_stored_alike() -> None:
    world = World(memory_bytes=MEMORY, is_shared=True)
    beats = [Beat(world, NOISY, 50, 50), Beat(world, POLITE, 15, 50)]
    noisy, polite = run(world, beats)

    assert polite >= 0.8 * noisy


def test_a_sender_that_is_held_back_gets_keepalives_and_loses_nothing() -> None:
    world = World(memory_bytes=MEMORY, is_shared=True)
    noisy = Beat(world, NOISY, 50, 50)
    noisy.tick()
    world.signing.store_all()
    world.connect(POLITE).send(Sender().send([b"{}"]))
    for _ in range(5):
        noisy.tick()
    held_back = [one for one in noisy.peers if not one.is_read]
    assert len(held_back) > 40
    world.timers.advance(5.1)
    assert all(b"2A\0\0\0\0" in one.answers for one in held_back)

    world.signing.store_all()
    world.timers.advance(1)
    world.signing.store_all()
    assert noisy.stored == noisy.sent


# Windows that are not complete.


def crowd_of_large_windows(world: World) -> list[Peer]:
    """Return connections of one sender that lack the last byte of their window."""
    crowd = [world.connect(NOISY) for _ in range(40)]
    for peer in crowd:
        peer.send(LARGE[:-1])
    return crowd


def test_large_unfinished_windows_leave_room_for_other_senders() -> None:
    world = World(memory_bytes=MEMORY, is_shared=True)
    crowd = [world.connect(NOISY) for _ in range(40)]
    for peer in crowd:
        peer.network.unread += LARGE[:-1]
    for peer in crowd:
        peer.send(b"")
    assert world.budget.used_bytes < MEMORY // 2
    polite = Beat(world, POLITE, 1, 1)
    polite.tick()
    world.signing.store_all()

    assert polite.stored == 1


def test_large_windows_of_one_sender_are_all_stored_in_the_end() -> None:
    world = World(memory_bytes=MEMORY, is_shared=True)
    crowd = crowd_of_large_windows(world)
    for peer in crowd:
        peer.send(LARGE[-1:])
    world.signing.store_all()

    assert [peer.answers for peer in crowd] == [[b"2A\0\0\0\5"]] * len(crowd)
    assert world.budget.used_bytes == 0


def test_windows_of_two_senders_that_are_larger_than_all_memory_are_stored() -> None:
    world = World(memory_bytes=MEMORY, is_shared=True)
    stream = window_of(5, size=2 * MEMORY)
    peers = [world.connect(host) for host in (NOISY, NOISY, POLITE, POLITE)]
    for start in range(0, len(stream), MEMORY):
        for peer in peers:
            peer.send(stream[start : start + MEMORY])
    world.signing.store_all()

    assert [peer.answers for peer in peers] == [[b"2A\0\0\0\5"]] * 4


def test_who_does_not_go_on_while_its_sender_s_memory_is_spent_is_closed() -> None:
    world = World(memory_bytes=MEMORY, is_shared=True)
    silent = [world.connect(NOISY) for _ in range(4)]
    for peer in silent:
        peer.send(LARGE[:-1])
    other = world.connect(NOISY)
    other.send(window_of(1))
    assert len(world.signing.windows) == 0
    world.timers.advance(4 * SILENCE_SECONDS)
    world.signing.store_all()

    assert other.answers[-1] == b"2A\0\0\0\1"


def test_who_connects_and_sends_at_once_cannot_make_its_sender_wait_for_ever() -> None:
    world = World(memory_bytes=MEMORY, is_shared=True)
    networks = []
    for number in range(30):
        session = Session(world.terms, world)
        network = Network(world.timers, session)
        network.peer = (NOISY, number)
        session.connection_made(network)
        # A connection is read once before anybody could stop it.
        network.arrive(LARGE[:100_000])
        world.timers.run()
        networks.append(network)
    assert MEMORY // 2 < world.budget.used_bytes < 7 * MEMORY // 8
    for network in networks:
        network.arrive(LARGE[100_000:])
        world.timers.run()
    world.signing.store_all()

    assert [network.written for network in networks] == [[b"2A\0\0\0\5"]] * 30
