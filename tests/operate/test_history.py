"""The last hour, and how it is drawn."""

import pytest

from beats_signer.operate.chart import HEIGHT, WIDTH, draw
from beats_signer.operate.history import HOUR, History, Point


def test_an_interval_has_the_rate_and_the_longest_wait() -> None:
    history = History()
    for seconds in (0.2, 1.5, 0.1):
        history.observe(seconds)
    history.turn(300, seconds=30)
    history.turn(450, seconds=30)

    assert list(history.points) == [Point(10, 1.5), Point(5, None)]


def test_more_than_an_hour_is_forgotten() -> None:
    history = History()
    for number in range(HOUR + 5):
        history.turn(number, seconds=1)

    assert len(history.points) == HOUR


def test_the_newest_value_is_at_the_right_edge_and_the_largest_at_the_top() -> None:
    chart = draw("Rate", [5.0, 10.0], "events/s")

    bar = WIDTH / HOUR
    assert chart.path == (
        f"M{WIDTH - 1.5 * bar:.1f} {HEIGHT}V{HEIGHT / 2:.1f}"
        f"M{WIDTH - 0.5 * bar:.1f} {HEIGHT}V0.0"
    )
    assert (chart.top, chart.last) == ("10.0 events/s", "10.0 events/s")


def test_an_interval_without_an_ack_has_no_bar() -> None:
    assert draw("Wait", [1.0, None, 1.0], "s").path.count("M") == 2


@pytest.mark.parametrize("values", [[], [None], [0.0, 0.0]])
def test_nothing_and_silence_are_drawn_as_well(values: list[float | None]) -> None:
    chart = draw("Rate", values, "events/s")

    assert "nan" not in chart.path and "inf" not in chart.path
    assert chart.last in ("-", "0 events/s")
