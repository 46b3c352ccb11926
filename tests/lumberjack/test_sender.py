"""The sending side: what it builds, and how strictly it reads acks."""

import pytest

from lumberjack import Ack, AckError, Connection, Sender, build_ack, build_window
from lumberjack.sender import next_sequence
from tests.lumberjack.facts import block
from tools.make_wire_fixtures import data, event, window

_TWO = (b"a", b"b")


def test_bare_frames_are_numbered_from_the_first_sequence() -> None:
    built = build_window(_TWO, first_sequence=7, compression_level=0)

    assert built == window(2, 2) + event(2, 7, b"a") + event(2, 8, b"b")


def test_numbers_skip_zero_when_they_wrap() -> None:
    built = build_window(
        _TWO, version=1, first_sequence=2**32 - 1, compression_level=0, forms="L"
    )

    assert built == (
        window(1, 2) + data(1, 2**32 - 1, (b"line", b"a")) + data(1, 1, (b"line", b"b"))
    )


def test_each_event_may_have_its_form() -> None:
    pairs = block(b"k", b"v")

    built = build_window((b"a", b"b", pairs), compression_level=0, forms="JLD")

    assert built == (
        window(2, 3)
        + event(2, 1, b"a")
        + data(2, 2, (b"line", b"b"))
        + data(2, 3, (b"k", b"v"))
    )


@pytest.mark.parametrize("level", [0, 3])
def test_a_window_of_nothing_is_its_head_alone(level: int) -> None:
    assert build_window((), compression_level=level) == window(2, 0)


def test_an_unknown_form_is_not_built() -> None:
    with pytest.raises(ValueError, match=r"^form 'R' is none of J, L, D$"):
        build_window((b"a",), forms="R")


@pytest.mark.parametrize(
    ("sequence", "steps", "expected"),
    [(1, 1, 2), (2**32 - 1, 1, 1), (2**32 - 51, 100, 50), (5, 0, 5)],
)
def test_the_number_after_the_largest_is_one(
    sequence: int, steps: int, expected: int
) -> None:
    assert next_sequence(sequence, steps) == expected


@pytest.mark.parametrize("level", [0, 1, 9])
@pytest.mark.parametrize("version", [1, 2])
def test_what_a_sender_sends_a_connection_delivers_and_its_ack_ends_the_window(
    version: int, level: int
) -> None:
    sender, connection = Sender(version=version, compression_level=level), Connection()
    payloads = (b'{"a":1}', b"line", block(b"k", b"v", b"line", b""), b"")

    connection.receive_data(sender.send(payloads, forms="JLDL"))
    batch = connection.next_batch()

    assert batch is not None
    assert (batch.payloads, batch.forms) == (payloads, b"JLDL")
    assert sender.in_flight == 1
    sender.receive_data(batch.ack())
    assert sender.next_ack() == Ack(version, 4, 4)
    assert sender.in_flight == 0


@pytest.mark.parametrize("numbers_run_on", [False, True])
@pytest.mark.parametrize("version", [1, 2])
def test_windows_in_flight_are_acknowledged_in_order(
    version: int, numbers_run_on: bool
) -> None:
    sender = Sender(version=version, numbers_run_on=numbers_run_on)
    connection = Connection()
    windows = [(b"a",) * 3, (b"b",), (), (b"c",) * 2]
    for payloads in windows:
        connection.receive_data(sender.send(payloads))

    while batch := connection.next_batch():
        sender.receive_data(batch.ack())

    acks = [sender.next_ack() for _ in windows]
    assert [ack.events for ack in acks if ack] == [3, 1, 0, 2]
    last = [3, 4, 0, 6] if numbers_run_on else [3, 1, 0, 2]
    assert [ack.sequence for ack in acks if ack] == last
    assert sender.next_ack() is None


def test_an_ack_may_arrive_byte_by_byte() -> None:
    sender = Sender()
    sender.send(_TWO)

    acks = []
    for byte in build_ack(2, 2):
        sender.receive_data(bytes([byte]))
        acks.append(sender.next_ack())

    assert acks == [None] * 5 + [Ack(2, 2, 2)]


def test_keepalives_are_counted_and_passed_over() -> None:
    sender = Sender()
    sender.receive_data(build_ack(2, 0))
    sender.send(_TWO)
    sender.receive_data(build_ack(2, 0) * 2 + build_ack(2, 2))

    assert sender.next_ack() == Ack(2, 2, 2)
    assert sender.keepalives == 3


def test_an_ack_of_zero_ends_an_empty_window() -> None:
    sender = Sender()
    sender.send(())
    sender.receive_data(build_ack(2, 0))

    assert sender.next_ack() == Ack(2, 0, 0)
    assert sender.keepalives == 0


@pytest.mark.parametrize(
    ("version", "answer", "message"),
    [
        (
            2,
            build_ack(2, 3),
            "version 2 ack of 3 instead of version 2 ack of 2 for the oldest window"
            " in flight",
        ),
        (
            2,
            build_ack(2, 1),
            "version 2 ack of 1 instead of version 2 ack of 2 for the oldest window"
            " in flight",
        ),
        (
            2,
            build_ack(1, 2),
            "version 1 ack of 2 instead of version 2 ack of 2 for the oldest window"
            " in flight",
        ),
        (
            1,
            build_ack(2, 0),
            "version 2 ack of 0 instead of version 1 ack of 2 for the oldest window"
            " in flight",
        ),
        (
            1,
            build_ack(1, 0),
            "version 1 ack of 0 instead of version 1 ack of 2 for the oldest window"
            " in flight",
        ),
        (2, window(2, 1), "0x3257 begins no ack frame"),
        (2, b"3A\0\0\0\2", "0x3341 begins no ack frame"),
    ],
)
def test_any_other_answer_is_an_error(
    version: int, answer: bytes, message: str
) -> None:
    sender = Sender(version=version)
    sender.send(_TWO)
    sender.receive_data(answer)

    errors = []
    for _ in range(2):
        with pytest.raises(AckError) as refused:
            sender.next_ack()
        errors.append(str(refused.value))

    assert errors == [message] * 2
    assert sender.in_flight == 1


def test_an_ack_that_nothing_waits_for_is_an_error() -> None:
    sender = Sender()
    sender.receive_data(build_ack(2, 1))

    with pytest.raises(AckError) as refused:
        sender.next_ack()
    assert str(refused.value) == "version 2 ack of 1 while no window is in flight"
