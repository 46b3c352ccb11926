"""One connection: how it ends, what is kept then, and what the log says."""

import pytest

from beats_signer.receive.patience import LINGER_SECONDS
from beats_signer.receive.state import SessionState
from tests.receive.world import Peer, World, json_events, window_of

BARE_WINDOW = b"1W\0\0\0\x0a"
BARE_FRAMES = [window_of(1, version=1)[6:]] * 4
TAKEN = (
    "the connection ended within a window that nothing completes: "
    "its events are sealed without an acknowledgement"
)
VIOLATION = "the sender broke the protocol, its connection is closed"


def ack(sequence: int, version: int = 2) -> bytes:
    return b"%dA" % version + sequence.to_bytes(4, "big")


def events_of(world: World, level: str) -> list[str]:
    return [line["event"] for line in world.lines(level)]


# A violation.


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (b"\x16\x03\x01\x02\x00\x01", "tls-on-plain"),
        (b"GET / HTTP/1.1\r\n\r\n", "http"),
        (b"3W\0\0\0\1", "bad-version"),
        (b"2X\0\0\0\1", "bad-type"),
        (b"2W\0\0\0\1" * 2, "window-open"),
        (b"2J\0\0\0\1\0\0\0\1x", "no-window"),
        (b"2W\xff\xff\xff\xff", "limit"),
    ],
)
def test_a_violation_is_one_line_with_peer_and_reason(
    world: World, sent: bytes, reason: str
) -> None:
    peer = world.connect()
    peer.send(sent)

    (line,) = world.lines("warning")
    assert (line["event"], line["reason"]) == (VIOLATION, reason)
    assert line["peer"] == "192.0.2.1:40000"
    assert peer.answers == []
    assert peer.network.calls == ["write_eof"]


def test_windows_before_a_violation_are_acknowledged_once_stored(
    world: World,
) -> None:
    peer = world.connect()
    peer.send(window_of(2) + window_of(3) + b"2W\0\0\0\1" + b"garbage")
    assert peer.answers == [] and peer.network.calls == []

    world.signing.store(0)
    assert peer.network.calls == []
    world.signing.store(1)
    assert peer.answers == [ack(2), ack(3)]
    assert peer.network.calls == ["write_eof"]


def test_nothing_of_a_faulty_window_reaches_the_signer(world: World) -> None:
    peer = world.connect()
    peer.send(window_of(3)[:-22] + b"garbage")

    assert world.signing.windows == []
    assert peer.answers == []


def test_what_follows_a_violation_is_thrown_away(world: World) -> None:
    peer = world.connect()
    peer.send(b"garbage", window_of(3), window_of(2))

    assert world.signing.windows == []
    assert len(world.lines("warning")) == 1


def test_a_surplus_event_gets_no_ack_of_its_own(world: World) -> None:
    peer = world.connect()
    peer.send(window_of(1) + window_of(1)[6:])

    world.signing.store(0)
    assert peer.answers == [ack(1)]
    assert [line["reason"] for line in world.lines("warning")] == ["surplus"]


# Closing without destroying acks.


def test_our_side_is_closed_first_and_the_rest_is_read_into_nothing(
    world: World,
) -> None:
    peer = world.connect()
    peer.send(b"garbage")
    assert peer.state is SessionState.LINGERING

    peer.send(b"x" * 1_000_000)
    assert peer.network.unread == b""
    assert world.budget.used_bytes == 0


def test_a_lingering_connection_ends_when_the_sender_closes(world: World) -> None:
    peer = world.connect()
    peer.send(b"garbage")
    peer.end()

    assert peer.state is SessionState.CLOSED
    assert world.sessions == []


def test_a_lingering_connection_ends_by_itself_after_a_while(world: World) -> None:
    peer = world.connect()
    peer.send(b"garbage")

    world.timers.advance(LINGER_SECONDS)
    assert peer.state is SessionState.CLOSED


# The sender closes.


def test_a_sender_that_has_closed_its_side_still_gets_its_acks(world: World) -> None:
    peer = world.connect()
    peer.send(window_of(2), window_of(3))
    peer.end()
    assert peer.network.calls == []

    world.signing.store(0, 1)
    assert peer.answers == [ack(2), ack(3)]
    assert peer.network.calls == ["close"]
    assert peer.state is SessionState.CLOSED


def test_more_windows_than_are_read_ahead_survive_a_close(world: World) -> None:
    peer = world.connect()
    peer.network.arrive(window_of(1) * 11)
    peer.end()

    assert world.signing.store_all() == 11
    assert peer.answers == [ack(1)] * 11
    assert peer.state is SessionState.CLOSED


def test_an_unfinished_window_is_dropped_and_told(world: World) -> None:
    peer = world.connect()
    peer.send(window_of(3)[:-5])
    peer.end()

    (line,) = world.lines("info")
    assert (line["windows"], line["unfinished_events"]) == (0, 2)
    assert world.signing.windows == []
    assert peer.answers == []


def end_by_close(peer: Peer) -> None:
    peer.end()


def end_by_drain(peer: Peer) -> None:
    peer.session.end()
    peer.network.end()


@pytest.mark.parametrize("end", [end_by_close, end_by_drain])
def test_a_window_that_may_stay_unfinished_is_taken_without_an_ack(
    world: World, end: object
) -> None:
    peer = world.connect()
    peer.send(BARE_WINDOW, *BARE_FRAMES, BARE_FRAMES[0][:7])
    assert callable(end)
    end(peer)
    world.timers.run()

    (window,) = world.signing.windows
    assert (window.size, window.entries) == (10, 4)
    assert window.payloads == tuple(json_events(1) * 4)
    world.signing.store(0)
    assert peer.answers == []
    assert peer.state is SessionState.CLOSED
    taken = world.lines("info")[0]
    assert (taken["event"], taken["announced"], taken["events"]) == (TAKEN, 10, 4)


def test_a_window_that_may_stay_unfinished_comes_after_the_full_ones(
    world: World,
) -> None:
    peer = world.connect()
    peer.network.arrive(b"1W\0\0\0\1" + b"".join(BARE_FRAMES))
    peer.send(b"1W\0\0\0\5" + b"".join(BARE_FRAMES))
    peer.end()
    world.signing.store_all()

    assert [window.entries for window in world.signing.windows] == [1, 1, 1, 1, 4]
    assert peer.answers == [ack(1, 1)] * 4


def test_a_reset_is_no_close_and_takes_nothing_unfinished(world: World) -> None:
    peer = world.connect()
    peer.send(BARE_WINDOW, *BARE_FRAMES)
    peer.reset()

    assert world.signing.windows == []
    (line,) = world.lines("info")
    assert line["error"] == "Connection reset by peer"
    assert line["unfinished_events"] == 4


def test_a_receipt_after_the_end_writes_nothing(world: World) -> None:
    peer = world.connect()
    peer.send(window_of(1))
    peer.reset()

    world.signing.store(0)
    assert peer.answers == []
    (line,) = world.lines("info")
    assert line["unacknowledged_windows"] == 1


def test_a_failed_receipt_after_the_end_changes_nothing(world: World) -> None:
    peer = world.connect()
    peer.send(window_of(1))
    peer.reset()

    world.signing.receipts[0].set_exception(RuntimeError("stopped"))
    world.timers.run()
    assert world.budget.used_bytes == 0
    assert world.lines("warning") == []


# We close.


def test_a_drain_takes_what_is_complete_and_reads_nothing_more(world: World) -> None:
    peer = world.connect()
    peer.network.arrive(window_of(1) * 6)
    peer.session.end()
    peer.send(window_of(1))

    assert world.signing.store_all() == 6
    assert peer.answers == [ack(1)] * 6
    assert peer.network.calls == ["write_eof"]


def test_a_drain_closes_an_idle_connection_at_once(world: World) -> None:
    peer = world.connect()
    peer.session.end()
    world.timers.advance(LINGER_SECONDS)

    assert peer.network.calls == ["write_eof", "close"]
    assert world.sessions == []


def test_a_drain_waits_for_what_is_not_stored(world: World) -> None:
    peer = world.connect()
    peer.send(window_of(1))
    peer.session.end()
    world.timers.advance(20)
    assert peer.state is SessionState.FINISHING

    world.signing.store(0)
    world.timers.advance(LINGER_SECONDS)
    assert peer.answers[-1] == ack(1)
    assert world.sessions == []


def test_a_second_drain_changes_nothing(world: World) -> None:
    peer = world.connect()
    peer.send(window_of(1))
    peer.session.end()
    peer.session.end()

    world.signing.store(0)
    assert peer.answers == [ack(1)]


def test_an_aborted_connection_is_gone_without_its_acks(world: World) -> None:
    peer = world.connect()
    peer.send(window_of(1))
    peer.session.abort()
    world.signing.store(0)

    assert peer.answers == []
    assert world.sessions == []


# The log.


def test_a_health_check_is_worth_a_debug_line(world: World) -> None:
    world.connect().end()

    assert {line["log_level"] for line in world.lines()} == {"debug"}


def test_a_connection_that_was_used_is_one_line(world: World) -> None:
    peer = world.connect()
    peer.send(window_of(2), window_of(3))
    world.signing.store(0, 1)
    peer.end()

    assert world.lines() == [
        {
            "event": "the connection ended",
            "log_level": "info",
            "peer": "192.0.2.1:40000",
            "sender": "192.0.2.1",
            "windows": 2,
            "events": 5,
            "unacknowledged_windows": 0,
            "unfinished_events": 0,
        }
    ]


def test_a_peer_that_is_gone_before_we_look_is_no_session(world: World) -> None:
    peer = world.connect()
    peer.reset()
    gone = World()
    gone.connect_gone()

    assert gone.lines() == []
    assert gone.sessions == []
    assert gone.signing.lost_connections == []


# Errors of this program.


def test_an_error_while_reading_ends_this_connection_only() -> None:
    world = World()
    peer, other = world.connect(), world.connect()
    other.send(window_of(1))
    world.signing.error = KeyError("a bug")
    peer.send(window_of(1))
    world.signing.error = None

    assert [repr(error) for error in world.timers.errors] == ["KeyError('a bug')"]
    assert peer.state is SessionState.CLOSED
    world.signing.store(0)
    assert other.answers == [ack(1)]


def test_an_error_in_a_later_turn_ends_this_connection_only() -> None:
    world = World()
    peer, other = world.connect(), world.connect()
    other.send(window_of(1))
    peer.network.arrive(window_of(1) * 2)
    world.signing.error = KeyError("a bug")
    world.timers.run()
    world.signing.error = None

    assert peer.network.calls == ["abort"]
    assert peer.state is SessionState.CLOSED
    world.signing.store(0, 1)
    assert other.answers == [ack(1)]
    assert peer.answers == []
