"""What is counted of senders, and that no sender can make it grow for ever."""

from dataclasses import replace

from beats_signer.receive.tally import OTHER, Tallies
from lumberjack import Reason
from tests.receive.world import World, window_of


class Observations:
    def __init__(self) -> None:
        self.seconds: list[float] = []

    def observe(self, amount: float) -> None:
        self.seconds.append(amount)


def test_senders_beyond_the_most_are_counted_together() -> None:
    tallies = Tallies()
    for number in range(600):
        tallies.of(f"sender-{number}").events += 1

    assert len(tallies.by_sender) == 501
    assert tallies.by_sender[OTHER].events == 100
    assert tallies.of("sender-7").events == 1


def test_every_reason_is_there_before_it_happens() -> None:
    assert set(Tallies().protocol_errors) == set(Reason)


def test_windows_are_summed_over_all_connections_of_a_sender() -> None:
    world = World()
    for _ in range(2):
        peer = world.connect("192.0.2.1")
        peer.send(window_of(3), window_of(2))
    world.signing.store(0)

    tally = world.terms.tallies.by_sender["192.0.2.1"]
    assert (tally.windows, tally.events, tally.payload_bytes) == (4, 10, 120)
    assert tally.acked_events == 3


def test_a_window_waits_from_its_last_byte_to_its_ack() -> None:
    world, now, seen = World(), [10**18], Observations()
    world.terms = replace(
        world.terms, clock=lambda: now[0], tallies=Tallies(ack_seconds=seen.observe)
    )
    peer = world.connect()
    peer.send(window_of(2))
    now[0] += 1_500_000_000
    world.signing.store(0)

    assert seen.seconds == [1.5]


def test_a_clock_that_went_back_makes_no_negative_wait() -> None:
    world, now, seen = World(), [10**18], Observations()
    world.terms = replace(
        world.terms, clock=lambda: now[0], tallies=Tallies(ack_seconds=seen.observe)
    )
    peer = world.connect()
    peer.send(window_of(1))
    now[0] -= 10**9
    world.signing.store(0)

    assert seen.seconds == [0]


def test_broken_frames_are_counted_by_their_reason() -> None:
    world = World()
    world.connect().send(b"2X")

    counted = {r for r, n in world.terms.tallies.protocol_errors.items() if n}
    assert counted == {Reason.BAD_TYPE}


def test_signs_of_life_are_counted() -> None:
    world = World()
    world.connect().send(window_of(1))
    world.timers.advance(11)

    assert world.terms.tallies.keepalives == 2
