"""One connection: keep-alives, and what may take how long."""

import pytest

from beats_signer.receive.clocks import Clock
from beats_signer.receive.patience import Patience
from beats_signer.receive.state import SessionState
from lumberjack import KEEPALIVE_V2
from tests.receive.world import Peer, World, window_of

DAY = 86_400.0
BARE_WINDOW = b"1W\0\0\0\x64"
BARE_FRAME = window_of(1, version=1)[6:]


def keepalives(peer: Peer) -> int:
    return peer.answers.count(KEEPALIVE_V2)


# Keep-alives.


def test_a_waiting_sender_gets_a_keepalive_every_five_seconds(world: World) -> None:
    peer = world.connect()
    peer.send(window_of(2))
    world.timers.advance(4.9)
    assert peer.answers == []

    world.timers.advance(55.2)
    assert peer.answers == [b"2A\0\0\0\0"] * 12


def test_keepalives_end_with_the_last_ack(world: World) -> None:
    peer = world.connect()
    peer.send(window_of(2), window_of(2))
    world.signing.store(0)
    world.timers.advance(5)
    assert keepalives(peer) == 1

    world.signing.store(1)
    world.timers.advance(DAY)
    assert keepalives(peer) == 1


def test_keepalives_go_on_through_queued_windows_without_a_gap(world: World) -> None:
    peer = world.connect()
    peer.send(window_of(1), window_of(1))
    world.timers.advance(4)
    world.signing.store(0)

    world.timers.advance(1)
    assert keepalives(peer) == 1


@pytest.mark.parametrize("windows", [1, 4, 6])
def test_a_version_1_peer_never_gets_a_keepalive(world: World, windows: int) -> None:
    peer = world.connect()
    peer.send(*[window_of(2, version=1)] * windows, window_of(2, version=1)[:9])

    world.timers.advance(DAY)
    assert peer.answers == []


def test_a_peer_that_has_spoken_version_1_once_never_gets_a_keepalive(
    world: World,
) -> None:
    peer = world.connect()
    peer.send(window_of(2, version=1), window_of(2), window_of(2))

    world.timers.advance(DAY)
    assert keepalives(peer) == 0


def test_an_announced_version_1_window_ends_the_keepalives(world: World) -> None:
    peer = world.connect()
    peer.send(window_of(2))
    world.timers.advance(5)
    peer.send(b"1W\0\0\0\1")

    world.timers.advance(50)
    assert keepalives(peer) == 1


def test_a_sender_that_we_stopped_reading_within_a_window_gets_keepalives() -> None:
    world = World(memory_bytes=10_000)
    other = world.connect()
    other.send(window_of(100))
    peer = world.connect()
    peer.send(window_of(3)[:20])
    assert not peer.is_read and not world.signing.windows[1:]
    # What made it version 2 was read before the budget was spent.
    world.signing.store_all()
    world.timers.run()
    other.send(window_of(100))
    assert peer.state is SessionState.PAUSED

    world.timers.advance(20.1)
    assert keepalives(peer) == 4


def test_a_sender_that_is_slow_by_itself_gets_no_keepalive(world: World) -> None:
    peer = world.connect()
    peer.send(window_of(3)[:-1])

    world.timers.advance(50)
    assert peer.answers == []


def test_a_sender_whose_version_is_unknown_gets_no_keepalive() -> None:
    world = World(memory_bytes=10_000)
    world.connect().send(window_of(100))
    peer = world.connect()
    peer.send(window_of(3))
    assert not peer.is_read

    world.timers.advance(50)
    assert peer.answers == []


def test_keepalives_go_on_after_a_violation_until_the_last_ack(world: World) -> None:
    peer = world.connect()
    peer.send(window_of(2), b"garbage")
    world.timers.advance(10)
    assert keepalives(peer) == 2

    world.signing.store(0)
    world.timers.advance(DAY)
    assert peer.answers == [*[KEEPALIVE_V2] * 2, b"2A\0\0\0\2"]


def test_no_keepalive_joins_the_acks_that_are_not_taken(world: World) -> None:
    peer = world.connect()
    peer.send(window_of(1), window_of(1))
    peer.network.is_full = True
    world.signing.store(0)

    world.timers.advance(29)
    assert keepalives(peer) == 0


def test_keepalives_are_counted(world: World) -> None:
    peer = world.connect()
    peer.send(window_of(1))

    world.timers.advance(16)
    assert peer.session.keepalives == 3


# Nothing is cut that is well.


@pytest.mark.parametrize("version", [1, 2])
def test_an_idle_connection_stays_for_ever(world: World, version: int) -> None:
    peer = world.connect()
    peer.send(window_of(2, version=version))
    world.signing.store(0)

    world.timers.advance(30 * DAY)
    assert peer.is_read
    assert world.lines() == []


@pytest.mark.parametrize("version", [1, 2])
def test_a_sender_may_wait_for_a_slow_store_for_ever(
    world: World, version: int
) -> None:
    peer = world.connect()
    peer.send(*[window_of(2, version=version)] * 6)

    world.timers.advance(DAY)
    assert world.signing.store_all() == 6
    assert peer.is_read


def test_a_busy_connection_is_not_cut_by_the_time_of_an_earlier_window(
    world: World,
) -> None:
    peer = world.connect()
    stream = window_of(2) * 100
    size = len(window_of(2))
    # Each packet completes one window and begins the next: one is always open.
    for start in range(size // 2, len(stream) - size, size):
        before = start - size if start > size else 0
        peer.send(stream[before:start])
        world.signing.store_all()
        world.timers.advance(10)

    assert peer.is_read
    assert world.lines() == []


def test_a_busy_sender_of_bare_frames_is_not_cut_within_its_window(
    world: World,
) -> None:
    peer = world.connect()
    peer.send(BARE_WINDOW + BARE_FRAME[:5])
    for _ in range(90):
        peer.send(BARE_FRAME[5:] + BARE_FRAME[:5])
        world.timers.advance(20)

    assert peer.is_read
    assert world.lines() == []


def test_a_sender_of_bare_frames_may_pause_between_them_for_ever(
    world: World,
) -> None:
    peer = world.connect()
    peer.send(BARE_WINDOW + BARE_FRAME)

    world.timers.advance(DAY)
    assert peer.is_read


# What takes too long.


def test_a_sender_of_bare_frames_may_not_pause_within_one(world: World) -> None:
    peer = world.connect()
    peer.send(BARE_WINDOW + BARE_FRAME + BARE_FRAME[:5])

    world.timers.advance(60)
    assert peer.network.calls == ["write_eof"]
    assert [line["event"] for line in world.lines("warning")] == [Clock.WINDOW.value]


def test_a_connection_without_a_byte_is_closed_quietly(world: World) -> None:
    peer = world.connect()

    world.timers.advance(59.9)
    assert peer.network.calls == []
    world.timers.advance(0.2)
    assert peer.network.calls == ["close"]
    assert {line["log_level"] for line in world.lines()} == {"debug"}


def test_a_first_byte_ends_the_time_for_it(world: World) -> None:
    peer = world.connect()
    world.timers.advance(59)
    peer.send(b"2")

    world.timers.advance(59)
    assert peer.is_read


def test_the_time_for_the_first_byte_stands_still_while_we_do_not_read() -> None:
    world = World(memory_bytes=10_000)
    peer, other = world.connect(), world.connect()
    world.timers.advance(40)
    other.send(window_of(100))
    assert not peer.is_read
    world.timers.advance(DAY)
    world.signing.store_all()

    world.timers.advance(19)
    assert peer.is_read
    world.timers.advance(2)
    assert peer.network.calls == ["close"]


@pytest.mark.parametrize("begun", [b"2", b"2W\0\0", window_of(3)[:-1]])
def test_a_window_that_does_not_become_complete_ends_its_connection(
    world: World, begun: bytes
) -> None:
    peer = world.connect()
    peer.send(begun)

    world.timers.advance(59.9)
    assert peer.network.calls == []
    world.timers.advance(0.2)
    assert peer.network.calls == ["write_eof"]
    assert [line["event"] for line in world.lines("warning")] == [Clock.WINDOW.value]


def test_a_late_window_is_named_in_the_log_by_its_counts(world: World) -> None:
    peer = world.connect()
    peer.send(window_of(3)[: 6 + 2 * 22])

    world.timers.advance(60)
    (line,) = world.lines("warning")
    assert (line["announced"], line["received"]) == (3, 2)
    assert line["peer"] == "192.0.2.1:40000"


def test_windows_before_a_late_one_are_still_acknowledged(world: World) -> None:
    peer = world.connect()
    peer.send(window_of(2), window_of(3)[:-1])
    world.timers.advance(61)
    assert peer.state is SessionState.FINISHING

    world.signing.store(0)
    assert peer.answers[-1] == b"2A\0\0\0\2"
    assert peer.network.calls == ["write_eof"]
    assert len(world.signing.windows) == 1


def test_a_byte_now_and_then_does_not_give_a_window_more_time(world: World) -> None:
    peer = world.connect()
    for byte in window_of(100)[:70]:
        peer.send(bytes([byte]))
        world.timers.advance(1)

    assert peer.network.calls[0] == "write_eof"


def test_the_time_of_a_window_stands_still_while_we_do_not_read(world: World) -> None:
    patience = Patience(read_ahead_windows=1)
    world = World(patience)
    peer = world.connect()
    begun = window_of(3)[:-1]
    peer.send(window_of(1))
    world.signing.store(0)
    peer.send(begun)
    world.timers.advance(40)
    # The rest of one window and the begin of another: the second waits unread.
    peer.send(window_of(3)[-1:] + begun)
    world.timers.advance(DAY)
    assert peer.state is SessionState.PAUSED

    world.signing.store(1)
    world.timers.advance(59)
    assert world.lines() == []
    world.timers.advance(2)
    assert peer.network.calls[0] == "write_eof"


def test_what_was_left_of_a_window_s_time_is_what_it_has_after_a_pause() -> None:
    world = World(memory_bytes=10_000)
    slow, other = world.connect(), world.connect()
    slow.send(window_of(3)[:-1])
    world.timers.advance(50)
    other.send(window_of(100))
    assert slow.state is SessionState.PAUSED
    world.timers.advance(DAY)
    world.signing.store_all()
    assert slow.is_read

    world.timers.advance(9)
    assert world.lines() == []
    world.timers.advance(2)
    assert slow.network.calls[0] == "write_eof"


def test_a_sender_that_never_takes_its_acks_is_cut_off(world: World) -> None:
    peer = world.connect()
    peer.send(window_of(1))
    peer.network.is_full = True
    world.signing.store(0)

    world.timers.advance(29.9)
    assert peer.network.calls == []
    world.timers.advance(0.2)
    assert peer.network.calls == ["abort"]
    assert [line["event"] for line in world.lines("warning")] == [Clock.WRITE.value]


def test_a_sender_that_takes_its_acks_late_is_not_cut_off(world: World) -> None:
    peer = world.connect()
    peer.send(window_of(1))
    peer.network.is_full = True
    world.signing.store(0)
    world.timers.advance(29)
    peer.network.make_room()

    world.timers.advance(DAY)
    assert peer.is_read


def test_a_connection_that_has_ended_leaves_no_timer(world: World) -> None:
    peer = world.connect()
    peer.send(window_of(1), window_of(3)[:-1])
    peer.network.is_full = True
    world.signing.store(0)
    peer.reset()

    assert world.timers.pending == 0
