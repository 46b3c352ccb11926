"""Each limit holds at its value and closes one above it, before memory is spent."""

import zlib
from dataclasses import fields

import pytest

from lumberjack import Connection, LimitError, Limits, ProtocolError, Reason
from tests.lumberjack.receiving import receive
from tools.make_wire_fixtures import data, event, events, framed, packed, window

_ONE = window(2, 1)
_CONTENT = zlib.compress(event(2, 1))


@pytest.mark.parametrize(
    ("field", "value", "stream"),
    [
        ("window_events", 3, window(2, 3) + events(2, 1, 3)),
        ("window_bytes", 21, window(2, 3) + events(2, 1, 3)),
        ("window_bytes", 21, window(2, 3) + packed(2, events(2, 1, 3))),
        ("window_bytes", 3, window(2, 2) + data(2, 1) + event(2, 2)),
        ("window_bytes", 3, window(2, 2) + event(2, 1) + data(2, 2)),
        ("compressed_bytes", len(_CONTENT), _ONE + framed(2, _CONTENT)),
        ("compressed_frames", 4, packed(2, window(2, 3), events(2, 1, 3))),
        ("compressed_frames", 3, packed(2, *[window(2, 0)] * 3)),
        ("inflated_bytes", 12, _ONE + framed(2, _CONTENT)),
        ("json_bytes", 5, _ONE + event(2, 1, b"12345")),
        ("json_bytes", 5, _ONE + packed(2, event(2, 1, b"12345"))),
        ("pairs", 2, window(1, 1) + data(1, 1, (b"a", b""), (b"b", b""))),
        ("item_bytes", 5, window(1, 1) + data(1, 1, (b"a", b"12345"))),
        ("item_bytes", 5, window(1, 1) + data(1, 1, (b"12345", b"a"))),
        ("item_bytes", 5, _ONE + packed(2, data(2, 1, (b"line", b"12345")))),
        ("item_bytes", 4, _ONE + packed(2, data(2, 1, (b"line", b"123")))),
        ("pairs_bytes", 16, window(1, 1) + data(1, 1, (b"a", b"123"))),
        ("pairs_bytes", 17, _ONE + packed(2, data(2, 1, (b"line", b"1")))),
    ],
)
def test_a_limit_holds_at_its_value_and_closes_one_above(
    field: str, value: int, stream: bytes
) -> None:
    at_limit = receive([stream], Limits(**{field: value}))
    above = receive([stream], Limits(**{field: value - 1}))

    assert at_limit.error is None
    assert not at_limit.is_open
    assert above.error is not None
    assert above.error[0] is Reason.LIMIT
    assert above.error[1].endswith(f" exceeds the limit of {value - 1}")


@pytest.mark.parametrize(
    ("stream", "message"),
    [
        (window(2, 65_537), "window of 65537 events exceeds the limit of 65536"),
        (
            _ONE + b"2C\x04\x00\x00\x01",
            "compressed frame of 67108865 bytes exceeds the limit of 67108864",
        ),
        (
            _ONE + b"2J\x00\x00\x00\x01\x02\x00\x00\x01",
            "json payload of 33554433 bytes exceeds the limit of 33554432",
        ),
        (
            _ONE + b"1D\x00\x00\x00\x01\x00\x00\x04\x01",
            "data frame of 1025 pairs exceeds the limit of 1024",
        ),
        (
            _ONE + b"1D\x00\x00\x00\x01\x00\x00\x00\x01\xff\xff\xff\xff",
            "key or value of 4294967295 bytes exceeds the limit of 33554432",
        ),
        (
            _ONE
            + b"1D\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x00\x02\x00\x00\x00",
            "pairs block of 33554444 bytes or more exceeds the limit of 33554432",
        ),
    ],
)
def test_a_size_is_refused_when_it_is_announced(stream: bytes, message: str) -> None:
    connection = Connection()
    connection.receive_data(stream)

    with pytest.raises(LimitError) as refused:
        connection.next_batch()
    assert str(refused.value) == message
    assert connection.buffered_bytes == 0


def test_the_payload_of_a_window_is_limited_before_the_last_event_is_buffered() -> None:
    connection = Connection(Limits(window_bytes=100))
    connection.receive_data(window(2, 2) + event(2, 1, bytes(60)))
    assert connection.next_batch() is None

    connection.receive_data(event(2, 2, bytes(41))[:10])

    with pytest.raises(LimitError) as refused:
        connection.next_batch()
    assert str(refused.value) == (
        "window of 101 payload bytes or more exceeds the limit of 100"
    )


@pytest.mark.parametrize("field", [field.name for field in fields(Limits)])
def test_no_limit_can_be_turned_off_by_a_zero(field: str) -> None:
    with pytest.raises(ValueError, match=f"^limit {field} is 0, must be at least 1$"):
        Limits(**{field: 0})


def test_a_limit_error_is_a_protocol_error_of_its_own_reason() -> None:
    error = LimitError("too much")

    assert isinstance(error, ProtocolError)
    assert error.reason is Reason.LIMIT
