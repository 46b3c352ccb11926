"""A deadline: when it acts, when it does not, and that it leaves nothing behind."""

import pytest

from beats_signer.receive.deadline import Deadline
from tests.receive.timers import ManualTimers


class Acting:
    """A deadline that counts how often it has acted."""

    def __init__(self) -> None:
        self.timers = ManualTimers()
        self.times = 0
        self.deadline = Deadline(self.timers, self._act)

    def _act(self) -> None:
        self.times += 1


@pytest.fixture
def acting() -> Acting:
    return Acting()


def test_it_acts_once_when_its_time_has_passed(acting: Acting) -> None:
    acting.deadline.start(5)

    acting.timers.advance(4.9)
    assert acting.times == 0
    acting.timers.advance(100)
    assert acting.times == 1


def test_starting_it_again_begins_a_new_time(acting: Acting) -> None:
    acting.deadline.start(5)
    acting.timers.advance(4)
    acting.deadline.start(5)

    acting.timers.advance(4.9)
    assert acting.times == 0
    acting.timers.advance(0.2)
    assert acting.times == 1


def test_starting_it_again_with_less_time_acts_earlier(acting: Acting) -> None:
    acting.deadline.start(60)
    acting.deadline.start(1)

    acting.timers.advance(1)
    assert acting.times == 1


def test_a_cancelled_deadline_does_not_act(acting: Acting) -> None:
    acting.deadline.start(5)
    acting.deadline.cancel()

    acting.timers.advance(100)
    assert acting.times == 0


def test_going_on_changes_nothing_while_it_waits(acting: Acting) -> None:
    acting.deadline.go_on(5)
    acting.timers.advance(4)
    acting.deadline.go_on(5)

    acting.timers.advance(1)
    assert acting.times == 1


def test_no_time_passes_while_it_is_held(acting: Acting) -> None:
    acting.deadline.start(5)
    acting.timers.advance(3)
    acting.deadline.hold()
    acting.timers.advance(1000)
    assert acting.times == 0

    acting.deadline.go_on(5)
    acting.timers.advance(1.9)
    assert acting.times == 0
    acting.timers.advance(0.2)
    assert acting.times == 1


def test_holding_it_twice_does_not_give_it_more_time(acting: Acting) -> None:
    acting.deadline.start(5)
    acting.timers.advance(3)
    acting.deadline.hold()
    acting.deadline.hold()

    acting.deadline.go_on(5)
    acting.timers.advance(2)
    assert acting.times == 1


def test_what_was_left_is_forgotten_when_it_is_cancelled(acting: Acting) -> None:
    acting.deadline.start(5)
    acting.timers.advance(3)
    acting.deadline.hold()
    acting.deadline.cancel()

    acting.deadline.go_on(5)
    acting.timers.advance(4.9)
    assert acting.times == 0


def test_it_can_be_started_from_within_its_own_act() -> None:
    timers, times = ManualTimers(), []

    def act() -> None:
        times.append(timers.time())
        deadline.start(5)

    deadline = Deadline(timers, act)
    deadline.start(5)

    timers.advance(16)
    assert len(times) == 3


def test_restarting_it_a_thousand_times_leaves_one_timer(acting: Acting) -> None:
    for _ in range(1000):
        acting.deadline.start(5)
        acting.deadline.cancel()

    assert acting.timers.pending == 1


def test_a_closed_deadline_leaves_no_timer(acting: Acting) -> None:
    acting.deadline.start(5)
    acting.deadline.close()

    assert acting.timers.pending == 0
    acting.timers.advance(10)
    assert acting.times == 0
