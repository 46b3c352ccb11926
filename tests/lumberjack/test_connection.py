"""What a caller of the connection may rely on, besides the facts of the wire."""

from itertools import pairwise

import pytest

from lumberjack import Batch, Connection, ProtocolError, Reason, State
from tests.lumberjack.facts import window as batch_of
from tools.make_wire_fixtures import data, event, events, lines, packed, window

_ONE = window(2, 1) + event(2, 1)


def _fed(*pieces: bytes) -> Connection:
    connection = Connection()
    for piece in pieces:
        connection.receive_data(piece)
    return connection


def test_nothing_is_judged_before_a_batch_is_asked_for() -> None:
    connection = _fed(b"GET / HTTP/1.1\r\n")

    assert connection.state is State.START
    with pytest.raises(ProtocolError):
        connection.next_batch()


def test_windows_come_one_by_one_in_order() -> None:
    connection = _fed(_ONE + window(2, 0) + _ONE)

    batches = [connection.next_batch() for _ in range(4)]

    assert batches == [
        batch_of(2, 1, b"{}"),
        batch_of(2, 0),
        batch_of(2, 1, b"{}"),
        None,
    ]


def test_the_frames_behind_a_complete_window_wait_in_the_buffer() -> None:
    connection = _fed(_ONE + _ONE)

    connection.next_batch()

    assert connection.buffered_bytes == len(_ONE)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_data_may_be_any_buffer(kind: type[bytes | bytearray | memoryview]) -> None:
    connection = Connection()
    connection.receive_data(kind(_ONE))

    assert connection.next_batch() == batch_of(2, 1, b"{}")


def test_a_violation_is_raised_for_ever() -> None:
    connection = _fed(_ONE + b"3")
    assert connection.next_batch() is not None

    raised = []
    for _ in range(3):
        with pytest.raises(ProtocolError) as refused:
            connection.next_batch()
        raised.append((refused.value.reason, str(refused.value)))

    message = "version byte 0x33 is neither '1' nor '2'"
    assert raised == [(Reason.BAD_VERSION, message)] * 3
    assert connection.state is State.FAILED


def test_data_after_a_violation_is_thrown_away() -> None:
    connection = _fed(b"3")
    with pytest.raises(ProtocolError):
        connection.next_batch()

    connection.receive_data(_ONE)
    connection.receive_eof()

    assert connection.buffered_bytes == 0
    with pytest.raises(ProtocolError):
        connection.next_batch()


def test_data_after_the_end_is_an_error_of_the_caller() -> None:
    connection = Connection()
    connection.receive_eof()

    with pytest.raises(
        RuntimeError, match=r"^data received after the end of the stream$"
    ):
        connection.receive_data(b"2")


def test_what_was_complete_before_the_end_is_delivered_after_it() -> None:
    connection = _fed(_ONE + _ONE)
    connection.receive_eof()

    batches = [connection.next_batch() for _ in range(4)]

    assert batches == [batch_of(2, 1, b"{}"), batch_of(2, 1, b"{}"), None, None]
    assert connection.state is State.CLOSED


@pytest.mark.parametrize(
    "unfinished",
    [
        window(2, 3) + events(2, 1, 2),
        window(1, 3) + packed(1, lines(1, 1, 2)),
        window(1, 3) + data(1, 1) + event(1, 2),
    ],
    ids=["json", "compressed", "mixed"],
)
def test_an_unfinished_window_is_dropped_at_the_end(unfinished: bytes) -> None:
    connection = _fed(unfinished)
    connection.receive_eof()

    assert connection.next_batch() is None
    assert connection.state is State.CLOSED
    assert not connection.window_open
    assert connection.buffered_bytes == 0
    assert (connection.window_events, connection.window_size) == (2, 3)


def test_an_unfinished_window_of_a_bare_peer_is_delivered_once() -> None:
    connection = _fed(window(1, 3) + lines(1, 1, 2))
    connection.receive_eof()

    left = connection.next_batch()

    assert left == batch_of(1, 2, b"0", b"1", forms=b"L", size=3)
    assert connection.next_batch() is None
    assert (connection.window_events, connection.buffered_bytes) == (0, 0)


def test_nothing_of_a_bare_peer_is_delivered_at_a_violation() -> None:
    connection = _fed(window(1, 3) + lines(1, 1, 2) + b"3")

    with pytest.raises(ProtocolError):
        connection.next_batch()
    assert (connection.window_events, connection.buffered_bytes) == (2, 0)


def test_no_ack_is_owed_for_an_unfinished_window() -> None:
    left = batch_of(1, 2, b"0", b"1", forms=b"L", size=3)

    with pytest.raises(
        RuntimeError, match=r"^no ack is owed for an unfinished window$"
    ):
        left.ack()


@pytest.mark.parametrize(
    ("batch", "ack"),
    [
        (batch_of(2, 27, b"{}", b"{}"), "32 41 00 00 00 1b"),
        (batch_of(1, 2**32 - 1, b"{}"), "31 41 ff ff ff ff"),
        (batch_of(2, 0), "32 41 00 00 00 00"),
        (batch_of(1, 0), "31 41 00 00 00 00"),
    ],
)
def test_an_ack_has_the_version_of_the_window_and_the_last_sequence(
    batch: Batch, ack: str
) -> None:
    assert batch.ack().hex(" ") == ack


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        (b"", (None, 0, 0)),
        (window(1, 3), (1, 3, 0)),
        (window(1, 3) + lines(1, 1, 2), (1, 3, 2)),
        (window(2, 2) + events(1, 1, 1), (2, 2, 1)),
        (_ONE, (2, 1, 0)),
        (_ONE + window(1, 0), (1, 0, 0)),
    ],
)
def test_the_window_can_be_asked_about(
    stream: bytes, expected: tuple[int | None, int, int]
) -> None:
    connection = _fed(stream)
    while connection.next_batch():
        pass

    window_version, window_size = connection.window_version, connection.window_size
    assert (window_version, window_size, connection.window_events) == expected


@pytest.mark.parametrize(
    ("stream", "is_window_open", "is_frame_open"),
    [
        (b"", False, False),
        (b"2", True, True),
        (b"GE", True, True),
        (window(2, 1), True, False),
        (window(2, 1) + event(2, 1)[:-1], True, True),
        (window(2, 2) + event(2, 1), True, False),
        (_ONE, False, False),
        (_ONE + b"2W", True, True),
        (window(2, 0), False, False),
        (window(1, 1) + lines(1, 1, 1), False, False),
        (window(1, 1) + lines(1, 1, 1) + b"1D", True, True),
    ],
)
def test_the_peer_owes_the_rest_of_a_window_or_frame(
    stream: bytes, is_window_open: bool, is_frame_open: bool
) -> None:
    connection = _fed(stream)
    while connection.next_batch():
        pass

    assert connection.window_open is is_window_open
    assert connection.frame_open is is_frame_open


def test_buffered_bytes_are_frames_that_wait_and_payloads_of_the_open_window() -> None:
    connection = _fed(window(2, 3) + event(2, 1, bytes(100)) + event(2, 2)[:7])
    assert connection.next_batch() is None

    assert connection.buffered_bytes == 100 + 7


def test_buffered_bytes_count_windows_of_a_compressed_frame_not_yet_asked_for() -> None:
    two = window(2, 1) + event(2, 1, bytes(30))
    connection = _fed(packed(2, two, two))

    connection.next_batch()

    assert connection.buffered_bytes == 30


def test_a_compressed_frame_with_a_violation_takes_the_window_before_it_along() -> None:
    connection = _fed(window(2, 2) + event(2, 1), packed(2, event(2, 2), b"XX"))

    with pytest.raises(ProtocolError) as refused:
        connection.next_batch()
    assert refused.value.reason is Reason.BAD_VERSION


def test_nothing_of_a_compressed_frame_with_a_violation_is_kept() -> None:
    connection = _fed(packed(2, _ONE, _ONE, b"XX"))

    with pytest.raises(ProtocolError):
        connection.next_batch()
    assert connection.buffered_bytes == 0


@pytest.mark.parametrize(
    "refused", [event(2, 1, bytes(99)), data(2, 1), window(2, 9)], ids="JDW"
)
def test_a_frame_at_the_wrong_time_is_refused_by_its_head(refused: bytes) -> None:
    before = window(2, 1) if refused[1:2] == b"W" else _ONE
    connection = _fed(before)
    connection.next_batch()

    connection.receive_data(refused[:10])

    with pytest.raises(ProtocolError):
        connection.next_batch()


def test_a_hundred_windows_at_once_equal_a_hundred_one_by_one() -> None:
    windows = [window(2, 3) + packed(2, events(2, n, 3)) for n in range(1, 101)]
    at_once = _fed(b"".join(windows))

    one_by_one = [_fed(each).next_batch() for each in windows]

    assert [at_once.next_batch() for _ in windows] == one_by_one
    assert at_once.next_batch() is None


def test_sequences_are_those_of_the_last_frame_whatever_the_parts() -> None:
    stream = window(2, 40) + events(2, 100, 40)
    edges = range(0, len(stream) + 1, 33)
    connection = Connection()
    batches = []
    for start, stop in pairwise([*edges, len(stream)]):
        connection.receive_data(stream[start:stop])
        batches.append(connection.next_batch())

    assert [batch.sequence for batch in batches if batch] == [139]
