"""Which windows count as sent before."""

from dataclasses import replace
from typing import Any

import pytest

from beats_signer.sign.recognition import RecognisedWindows, SentWindow
from tests.fakes.times import START

MINUTE = 60 * 10**9
HOUR = 60 * MINUTE
READ_AHEAD = 4


def sent(
    connection: str, window: int = 1, arrival: int = 0, **changes: Any
) -> SentWindow:
    """Return a window, of one peer and with one content unless changed."""
    plain = SentWindow(
        connection=connection,
        window=window,
        certificate="ab" * 32,
        address="10.0.0.1",
        fingerprint=b"content".ljust(32),
        first=100,
        seal=7,
        received=START,
        arrival=arrival,
    )
    return replace(plain, **changes)


def content(label: str) -> bytes:
    return label.encode().ljust(32)


@pytest.fixture
def windows() -> RecognisedWindows:
    """Return what one lost connection without an ack leaves."""
    windows = RecognisedWindows(READ_AHEAD)
    windows.sealed(sent("first", arrival=2))
    windows.lost("first", START)
    return windows


def test_a_window_without_an_ack_is_recognised_on_the_next_connection(
    windows: RecognisedWindows,
) -> None:
    assert windows.match(sent("second", arrival=4), opened=3) == sent("first", 1, 2)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"fingerprint": content("another")}, id="other events"),
        pytest.param({"certificate": "cd" * 32}, id="another certificate"),
        pytest.param({"certificate": None}, id="no certificate"),
        pytest.param({"address": "10.0.0.2"}, id="another address"),
    ],
)
def test_a_window_of_somebody_or_something_else_is_new(
    windows: RecognisedWindows, changes: dict[str, Any]
) -> None:
    assert windows.match(sent("second", arrival=4, **changes), opened=3) is None


def test_a_window_on_a_connection_that_was_open_before_is_new(
    windows: RecognisedWindows,
) -> None:
    assert windows.match(sent("second", arrival=4), opened=1) is None


def test_a_connection_need_not_be_known_lost_before_its_window_comes_again() -> None:
    windows = RecognisedWindows(READ_AHEAD)
    windows.sealed(sent("first", arrival=2))
    assert windows.match(sent("second", arrival=4), opened=3) == sent("first", 1, 2)


def test_a_window_is_recognised_once_by_each_copy(windows: RecognisedWindows) -> None:
    assert windows.match(sent("second", 1, 4), opened=3) is not None
    assert windows.match(sent("second", 2, 5), opened=3) is None


def test_two_windows_of_one_content_are_recognised_twice(
    windows: RecognisedWindows,
) -> None:
    windows.sealed(sent("third", arrival=5, first=200))
    windows.lost("third", START)
    matches = [windows.match(sent("fourth", n, 6 + n), opened=6) for n in (1, 2, 3)]
    assert [one and one.first for one in matches] == [100, 200, None]


def test_a_third_copy_is_recognised_when_the_second_got_no_ack(
    windows: RecognisedWindows,
) -> None:
    windows.match(sent("second", arrival=4), opened=3)
    windows.lost("second", START)
    assert windows.match(sent("third", arrival=6), opened=5) == sent("first", 1, 2)


def test_a_window_is_new_after_the_ack_of_its_copy(windows: RecognisedWindows) -> None:
    windows.match(sent("second", arrival=4), opened=3)
    windows.acknowledged(("second", 1))
    windows.lost("second", START)
    assert windows.match(sent("third", arrival=6), opened=5) is None
    assert len(windows) == 0


def test_a_window_is_new_after_its_own_ack() -> None:
    windows = RecognisedWindows(READ_AHEAD)
    windows.sealed(sent("first", arrival=2))
    windows.acknowledged(("first", 1))
    assert windows.match(sent("second", arrival=4), opened=3) is None


def test_after_a_crash_what_the_journal_holds_is_recognised() -> None:
    windows = RecognisedWindows(READ_AHEAD, [sent("first")])
    assert windows.match(sent("second", arrival=2), opened=1) == sent("first")


def test_the_last_read_ahead_windows_of_an_open_connection_stay_in_the_journal() -> (
    None
):
    windows = RecognisedWindows(READ_AHEAD)
    for number in range(1, 8):
        windows.sealed(sent("first", number, fingerprint=content(str(number))))
    for number in range(1, 6):
        windows.acknowledged(("first", number))

    # Two have no ack; the two acknowledged last may not have reached the sender.
    assert windows.take_forgotten() == [("first", 1), ("first", 2), ("first", 3)]
    windows.acknowledged(("first", 6))
    assert windows.take_forgotten() == []
    windows.sealed(sent("first", 8, fingerprint=content("8")))
    assert windows.take_forgotten() == [("first", 4)]


def test_what_was_acknowledged_leaves_the_journal_when_its_connection_ends() -> None:
    windows = RecognisedWindows(READ_AHEAD)
    windows.sealed(sent("first", 1))
    windows.sealed(sent("first", 2, fingerprint=content("other")))
    windows.acknowledged(("first", 1))
    windows.lost("first", START)
    assert windows.take_forgotten() == [("first", 1)]


def test_forgotten_windows_are_told_once(windows: RecognisedWindows) -> None:
    windows.expire(START + 25 * HOUR)
    assert windows.take_forgotten() == [("first", 1)]
    assert windows.take_forgotten() == []


def come_back(windows: RecognisedWindows, at: int) -> None:
    """Let the peer send something new on a later connection."""
    other = sent("back", 1, 50, fingerprint=content("news"), received=at)
    assert windows.match(other, opened=49) is None
    windows.sealed(other)


@pytest.mark.parametrize(("minutes", "is_kept"), [(10, True), (11, False)])
def test_ten_minutes_after_the_peer_is_back_its_windows_are_forgotten(
    windows: RecognisedWindows, minutes: int, is_kept: bool
) -> None:
    come_back(windows, START + HOUR)
    windows.expire(START + HOUR + minutes * MINUTE)
    matched = windows.match(sent("third", arrival=60), opened=55)
    assert (matched is not None) == is_kept


def test_the_ten_minutes_begin_with_the_first_return(
    windows: RecognisedWindows,
) -> None:
    come_back(windows, START + HOUR)
    windows.match(
        sent("later", 1, 60, fingerprint=content("more"), received=START + 2 * HOUR),
        opened=59,
    )
    windows.expire(START + HOUR + 11 * MINUTE)
    assert windows.match(sent("third", arrival=70), opened=65) is None


def test_the_return_of_another_peer_counts_for_nothing(
    windows: RecognisedWindows,
) -> None:
    other = sent("other", 1, 4, address="10.0.0.2")
    windows.match(other, opened=3)
    windows.expire(START + 23 * HOUR)
    assert windows.match(sent("third", arrival=60), opened=55) is not None


def test_a_peer_that_was_back_before_its_end_was_noticed_gets_ten_minutes() -> None:
    windows = RecognisedWindows(READ_AHEAD)
    windows.sealed(sent("first", arrival=2))
    come_back(windows, START)
    windows.lost("first", START + HOUR)
    windows.expire(START + HOUR + 9 * MINUTE)
    assert windows.match(sent("third", arrival=60), opened=55) is not None


def test_a_window_that_waits_for_its_first_ack_is_kept_for_long() -> None:
    windows = RecognisedWindows(READ_AHEAD)
    windows.sealed(sent("first", arrival=2))
    come_back(windows, START)
    windows.expire(START + 23 * HOUR)
    windows.lost("first", START + 23 * HOUR)
    assert windows.match(sent("third", arrival=60), opened=55) is not None


@pytest.mark.parametrize(("hours", "is_kept"), [(24, True), (25, False)])
def test_after_a_day_every_window_is_forgotten(
    windows: RecognisedWindows, hours: int, is_kept: bool
) -> None:
    windows.expire(START + hours * HOUR)
    assert (len(windows) == 1) == is_kept


def test_the_ack_of_a_window_that_was_forgotten_meanwhile_is_no_news() -> None:
    windows = RecognisedWindows(READ_AHEAD)
    windows.sealed(sent("first", arrival=2))
    windows.expire(START + 25 * HOUR)
    windows.acknowledged(("first", 1))
    windows.lost("first", START + 25 * HOUR)
    assert windows.take_forgotten() == [("first", 1)]


def test_a_clock_that_goes_back_forgets_nothing(windows: RecognisedWindows) -> None:
    windows.expire(START - 1000 * HOUR)
    assert windows.match(sent("second", arrival=4), opened=3) is not None


def test_one_peer_cannot_make_the_signer_remember_without_end() -> None:
    windows = RecognisedWindows(READ_AHEAD)
    for number in range(2000):
        windows.sealed(sent(f"c-{number}", fingerprint=content(str(number))))
        windows.lost(f"c-{number}", START)
    assert len(windows) == 1024
    assert len(windows.take_forgotten()) == 2000 - 1024
    newest = sent("again", arrival=2, fingerprint=content("1999"))
    assert windows.match(newest, opened=1) is not None


def test_many_peers_cannot_make_the_signer_remember_without_end() -> None:
    windows = RecognisedWindows(READ_AHEAD)
    for number in range(17_000):
        windows.sealed(sent(f"c-{number}", address=f"10.0.{number}"))
        windows.lost(f"c-{number}", START)
    assert len(windows) == 16_384


def test_connections_that_end_leave_nothing_behind_but_their_windows() -> None:
    windows = RecognisedWindows(READ_AHEAD)
    for number in range(10):
        windows.sealed(sent(f"c-{number}", fingerprint=content(str(number))))
        windows.acknowledged((f"c-{number}", 1))
        windows.lost(f"c-{number}", START)
    fresh = RecognisedWindows(READ_AHEAD)
    windows.take_forgotten()
    assert vars(windows) == vars(fresh)
