"""One connection: windows in, acks out, each once, in order, and never too early."""

import pytest

from beats_signer.receive.patience import Patience
from beats_signer.receive.state import SessionState
from lumberjack import Sender
from tests.receive.world import World, json_events, window_of

EMPTY = b"2W\0\0\0\0"


def ack(sequence: int, version: int = 2) -> bytes:
    return b"%dA" % version + sequence.to_bytes(4, "big")


def test_a_window_is_acknowledged_only_after_its_receipt(world: World) -> None:
    peer = world.connect()
    peer.send(window_of(3))
    assert peer.answers == []

    world.signing.store(0)
    assert peer.answers == [ack(3)]


def test_a_window_reaches_the_signer_as_it_was_sent(world: World) -> None:
    peer = world.connect()
    peer.send(window_of(2), window_of(3, version=1))

    first, second = world.signing.windows
    assert (first.number, first.version, first.size, first.forms) == (1, 2, 2, b"JJ")
    assert (second.number, second.version, second.size) == (2, 1, 3)
    assert second.payloads == tuple(json_events(3))
    assert (second.source.peer, second.forms) == ("192.0.2.1:40000", b"LLL")
    assert first.source.opened < first.arrival < second.arrival


@pytest.mark.parametrize("version", [1, 2])
def test_an_ack_has_the_version_of_its_window(world: World, version: int) -> None:
    peer = world.connect()
    peer.send(window_of(3, version=version))

    world.signing.store(0)
    assert peer.answers == [ack(3, version)]


def test_an_ack_carries_the_last_sequence_not_the_count(world: World) -> None:
    sender = Sender(numbers_run_on=True, first_sequence=4_000_000_000)
    peer = world.connect()
    peer.send(sender.send(json_events(7)), sender.send(json_events(2)))

    world.signing.store(0, 1)
    assert peer.answers == [ack(4_000_000_006), ack(4_000_000_008)]


def test_acks_leave_in_window_order_whatever_is_stored_first(world: World) -> None:
    peer = world.connect()
    peer.send(window_of(1), window_of(2), window_of(3))

    world.signing.store(2)
    world.signing.store(1)
    assert peer.answers == []
    world.signing.store(0)
    assert peer.answers == [ack(1), ack(2), ack(3)]


def test_each_ack_is_one_write(world: World) -> None:
    peer = world.connect()
    peer.send(window_of(1) + window_of(2))

    world.signing.store(0, 1)
    assert [len(answer) for answer in peer.answers] == [6, 6]


@pytest.mark.parametrize("level", [0, 3])
def test_a_window_that_comes_byte_by_byte_gets_one_ack(
    world: World, level: int
) -> None:
    peer = world.connect()
    peer.send(*(bytes([byte]) for byte in window_of(4, level=level)))

    world.signing.store(0)
    assert peer.answers == [ack(4)]


@pytest.mark.parametrize("version", [1, 2])
def test_an_empty_window_is_acknowledged_at_once(world: World, version: int) -> None:
    peer = world.connect()
    peer.send(b"%dW\0\0\0\0" % version)

    assert peer.answers == [ack(0, version)]
    assert world.signing.windows == []


def test_an_empty_window_waits_for_the_acks_before_it(world: World) -> None:
    peer = world.connect()
    peer.send(window_of(2), EMPTY)
    assert peer.answers == []

    world.signing.store(0)
    assert peer.answers == [ack(2), ack(0)]


def test_reading_stops_at_the_read_ahead_and_goes_on_with_each_ack() -> None:
    world = World(Patience(read_ahead_windows=3))
    peer = world.connect()
    peer.send(*[window_of(1)] * 5)
    assert len(world.signing.windows) == 3
    assert not peer.is_read

    world.signing.store(0)
    assert len(world.signing.windows) == 4
    world.signing.store(1)
    assert len(world.signing.windows) == 5
    assert not peer.is_read
    world.signing.store(2)
    assert peer.is_read


def test_four_windows_are_read_ahead_unless_said_otherwise(world: World) -> None:
    peer = world.connect()
    peer.send(*[window_of(1)] * 6)

    assert len(world.signing.windows) == 4


def test_windows_of_one_packet_are_taken_in_turns_of_the_loop(world: World) -> None:
    peer = world.connect()
    peer.network.arrive(window_of(1) + window_of(2) + window_of(3))
    assert [window.size for window in world.signing.windows] == [1]
    assert not peer.is_read

    world.timers.run()
    assert [window.size for window in world.signing.windows] == [1, 2, 3]
    assert peer.is_read


def test_senders_with_many_windows_take_turns(world: World) -> None:
    one, other = world.connect("192.0.2.1"), world.connect("192.0.2.2")
    one.network.arrive(window_of(1) * 3)
    other.network.arrive(window_of(1) * 3)
    world.timers.run()

    senders = [window.source.sender[-1] for window in world.signing.windows]
    assert "".join(senders) == "112122"


def test_the_signer_is_told_of_each_ack_and_of_the_end(world: World) -> None:
    peer = world.connect()
    peer.send(window_of(1), window_of(1))
    world.signing.store(0)
    assert world.signing.acknowledged_windows == [("c-1", 1)]

    peer.reset()
    world.signing.store(1)
    assert world.signing.acknowledged_windows == [("c-1", 1)]
    assert world.signing.lost_connections == ["c-1"]


def test_an_ack_that_waits_in_memory_is_not_told_as_written(world: World) -> None:
    peer = world.connect()
    peer.send(window_of(1), window_of(1))
    peer.network.is_full = True
    world.signing.store(0, 1)
    assert world.signing.acknowledged_windows == []

    peer.network.make_room()
    assert world.signing.acknowledged_windows == [("c-1", 1), ("c-1", 2)]


def test_nothing_is_read_from_a_sender_that_does_not_take_its_acks(
    world: World,
) -> None:
    peer = world.connect()
    peer.send(window_of(1))
    peer.network.is_full = True
    world.signing.store(0)
    peer.send(EMPTY * 1000)
    assert not peer.is_read
    assert peer.answers == [ack(1)]

    peer.network.make_room()
    world.timers.run()
    assert peer.is_read
    assert len(peer.answers) == 1001


@pytest.mark.parametrize("is_cancelled", [True, False])
def test_a_window_that_will_never_be_stored_ends_its_connection(
    world: World, is_cancelled: bool
) -> None:
    peer = world.connect()
    peer.send(window_of(1), window_of(1))
    if is_cancelled:
        world.signing.receipts[0].cancel()
    else:
        world.signing.receipts[0].set_exception(RuntimeError("the chain is stopped"))
    world.signing.store(1)

    assert peer.answers == []
    assert peer.network.calls == ["abort"]
    assert [line["event"] for line in world.lines("warning")] == [
        "a window will not be stored, its connection is closed"
    ]


def test_counters_tell_what_a_connection_has_brought(world: World) -> None:
    peer = world.connect()
    peer.send(window_of(3), window_of(2))
    world.signing.store(0)

    outstanding = peer.session.outstanding
    assert (outstanding.windows, outstanding.events) == (2, 5)
    assert (len(outstanding), outstanding.acknowledged_events) == (1, 3)
    assert peer.state is SessionState.READING


def test_each_read_is_confirmed_at_once_by_the_kernel(world: World) -> None:
    peer = world.connect()
    peer.send(b"2W\0\0", b"\0\1", window_of(1)[6:])

    assert peer.network.socket.confirmed == 3
