import pytest
from hypothesis import given
from hypothesis import strategies as st

from beats_signer.chain.errors import FormatError
from beats_signer.chain.times import TIME_LIMIT, check_time, format_time, parse_time
from tests.chain.samples import TIME, TIME_TEXT


def test_time_is_spelled_in_utc_with_nine_digits() -> None:
    assert format_time(TIME) == TIME_TEXT
    assert parse_time(TIME_TEXT) == TIME


@given(st.integers(0, TIME_LIMIT - 1))
def test_every_time_reads_as_it_is_written(time: int) -> None:
    assert parse_time(format_time(time)) == time


@pytest.mark.parametrize(
    ("time", "text"),
    [
        (0, "1970-01-01T00:00:00.000000000Z"),
        (TIME_LIMIT - 1, "9999-12-31T23:59:59.999999999Z"),
        (1_709_164_800_000_000_001, "2024-02-29T00:00:00.000000001Z"),
    ],
)
def test_first_and_last_time_have_a_spelling(time: int, text: str) -> None:
    assert format_time(time) == text
    assert parse_time(text) == time


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-11-23T09:00:01Z",
        "2026-11-23T09:00:01.5Z",
        "2026-11-23T09:00:01.5000000000Z",
        "2026-11-23T09:00:01,500000000Z",
        "2026-11-23T09:00:01.500000000",
        "2026-11-23T09:00:01.500000000z",
        "2026-11-23t09:00:01.500000000Z",
        "2026-11-23 09:00:01.500000000Z",
        "2026-11-23T09:00:01.500000000+00:00",
        "2026-11-23T09:00:01.500000000Z\n",
        " 2026-11-23T09:00:01.500000000Z",
        "20261123T090001.500000000Z",
        "2026-W48-1T09:00:01.500000000Z",
        "12026-11-23T09:00:01.500000000Z",
        "\u0662026-11-23T09:00:01.500000000Z",
    ],
)
def test_another_spelling_of_a_time_is_refused(text: str) -> None:
    with pytest.raises(FormatError, match=r"^received .* is not spelled like 2026-11"):
        parse_time(text, "received")


@pytest.mark.parametrize(
    "text",
    [
        "2026-02-29T09:00:01.500000000Z",
        "2026-13-01T09:00:01.500000000Z",
        "2026-11-31T09:00:01.500000000Z",
        "2026-11-23T24:00:00.000000000Z",
        "2026-11-23T09:60:01.500000000Z",
        "2026-12-31T23:59:60.000000000Z",
        "0000-01-01T00:00:00.000000000Z",
    ],
)
def test_a_time_that_does_not_exist_is_refused(text: str) -> None:
    with pytest.raises(FormatError) as caught:
        parse_time(text)
    assert str(caught.value) == f"time '{text}' does not exist"


def test_a_time_before_1970_is_refused() -> None:
    with pytest.raises(
        FormatError, match=r"^time -1 is outside the years 1970 to 9999"
    ):
        parse_time("1969-12-31T23:59:59.999999999Z")


@pytest.mark.parametrize("time", [-1, TIME_LIMIT])
def test_a_time_without_a_spelling_is_refused(time: int) -> None:
    with pytest.raises(FormatError) as caught:
        check_time(time, "received")
    assert str(caught.value) == f"received {time} is outside the years 1970 to 9999"
