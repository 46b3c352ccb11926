"""The budget: nobody reads beyond it, and nobody waits for ever."""

from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from beats_signer.receive.budget import Budget

LIMIT = 1000
STOP = 875
"""Where reading stops: an eighth is kept in reserve."""
LOW = 750
"""Where it goes on, if there are finished windows to wait for."""
WINDOW = 600
"""The largest window that a sender may send."""


@dataclass(eq=False)
class Sender:
    """A reader that does what the budget tells it to, and nothing else."""

    budget: Budget
    unfinished: int = 0
    is_reading: bool = True
    finished: list[int] = field(default_factory=list)
    has_more: bool = True
    """Something has arrived that it has not read."""

    def __post_init__(self) -> None:
        self.report()

    def stop_reading(self) -> None:
        self.is_reading = False

    def go_on(self) -> None:
        # A session reports in a later turn of the loop; here nothing else happens.
        self.is_reading = self.budget.may_read(self)

    def has_unread(self) -> bool:
        return self.has_more

    def report(self, *, wants: bool = True) -> None:
        self.is_reading = self.budget.report(
            self, unfinished_bytes=self.unfinished, wants=wants
        )

    def read(self, size: int) -> None:
        self.unfinished += size
        self.report()

    def complete(self) -> None:
        self.finished.append(self.unfinished)
        self.budget.complete(self, self.unfinished)
        self.unfinished = 0
        self.report()

    def store(self) -> None:
        self.budget.give_back(self.finished.pop(0))

    def leave(self) -> None:
        self.budget.leave(self)


def readers(*senders: Sender) -> list[bool]:
    return [sender.is_reading for sender in senders]


def test_reading_is_allowed_below_the_reserve() -> None:
    budget = Budget(LIMIT)
    sender = Sender(budget)
    sender.read(STOP - 1)

    assert sender.is_reading
    assert budget.used_bytes == STOP - 1


def test_everybody_stops_when_the_reserve_is_reached() -> None:
    budget = Budget(LIMIT)
    idle, busy = Sender(budget), Sender(budget)
    busy.read(STOP)
    busy.complete()

    assert readers(idle, busy) == [False, False]
    assert budget.is_spent and not budget.is_blocked


def test_nobody_goes_on_before_another_eighth_is_free() -> None:
    budget = Budget(LIMIT)
    sender = Sender(budget)
    for size in (100, 100, 750):
        sender.read(size)
        sender.complete()
    sender.store()
    assert budget.used_bytes == 850 and not sender.is_reading

    sender.store()
    sender.store()
    assert sender.is_reading


def test_unfinished_windows_below_the_reserve_keep_nobody_waiting() -> None:
    budget = Budget(LIMIT)
    one, other = Sender(budget), Sender(budget)
    one.read(LOW + 10)
    other.read(STOP - LOW)
    other.complete()
    other.store()

    assert readers(one, other) == [True, True]


# The exception.


def test_of_senders_that_block_each_other_the_largest_is_excepted() -> None:
    budget = Budget(LIMIT)
    small, large, middle = Sender(budget), Sender(budget), Sender(budget)
    small.read(200)
    large.read(500)
    middle.read(300)

    assert readers(small, large, middle) == [False, True, False]
    assert budget.is_blocked


def test_the_one_who_reaches_the_reserve_may_be_the_excepted_one() -> None:
    budget = Budget(LIMIT)
    other, last = Sender(budget), Sender(budget)
    other.read(300)
    last.read(800)

    assert readers(other, last) == [False, True]


def test_one_for_whom_nothing_has_arrived_is_not_excepted() -> None:
    budget = Budget(LIMIT)
    large, small = Sender(budget), Sender(budget)
    large.has_more = False
    large.read(600)
    small.read(300)

    assert readers(large, small) == [False, True]


def test_the_exception_passes_on_when_its_holder_has_read_everything() -> None:
    budget = Budget(LIMIT)
    large, small = Sender(budget), Sender(budget)
    small.read(300)
    large.read(600)
    assert readers(large, small) == [True, False]

    large.has_more = False
    large.read(10)
    assert readers(large, small) == [False, True]


def test_the_exception_comes_back_when_more_has_arrived() -> None:
    budget = Budget(LIMIT)
    large, small = Sender(budget), Sender(budget)
    small.read(300)
    large.has_more = False
    large.read(600)
    large.has_more, small.has_more = True, False
    small.read(10)

    assert readers(large, small) == [True, False]


def test_a_report_of_one_with_more_takes_the_exception_from_one_without() -> None:
    budget = Budget(LIMIT)
    large, small = Sender(budget), Sender(budget)
    small.read(300)
    large.read(600)
    large.has_more = False
    small.report()

    assert readers(large, small) == [False, True]


def test_who_had_the_exception_goes_on_with_all_others() -> None:
    budget = Budget(LIMIT)
    large, small = Sender(budget), Sender(budget)
    small.read(300)
    large.read(600)
    large.has_more = False
    large.read(10)
    small.complete()
    small.store()

    assert readers(large, small) == [True, True]


def test_one_that_has_read_everything_keeps_the_exception_when_nobody_has_more() -> (
    None
):
    budget = Budget(LIMIT)
    large, small = Sender(budget), Sender(budget)
    small.has_more = False
    small.read(300)
    large.read(600)
    large.has_more = False
    large.read(10)

    assert readers(large, small) == [True, False]


def test_somebody_is_excepted_even_when_nothing_has_arrived_for_anybody() -> None:
    budget = Budget(LIMIT)
    large, small = Sender(budget), Sender(budget)
    large.has_more = small.has_more = False
    small.read(300)
    large.read(600)

    assert readers(large, small) == [True, False]


def test_what_is_read_in_passing_comes_out_of_the_reserve() -> None:
    budget = Budget(LIMIT)
    senders = [Sender(budget) for _ in range(6)]
    for sender in senders:
        sender.read(150)
    for sender in senders:
        sender.has_more = False
        if sender.is_reading:
            sender.read(200)

    # Without the largest the others hold less than the limit, and one has read on.
    assert budget.used_bytes < LIMIT + 350
    assert readers(*senders).count(True) == 1


def test_the_exception_ends_with_the_window() -> None:
    budget = Budget(LIMIT)
    small, large = Sender(budget), Sender(budget)
    small.read(400)
    large.read(600)
    large.read(100)
    large.complete()
    assert readers(small, large) == [False, False]

    large.store()
    assert readers(small, large) == [True, True]


def test_the_exception_passes_on_when_its_holder_leaves() -> None:
    budget = Budget(LIMIT)
    senders = [Sender(budget) for _ in range(3)]
    for sender, size in zip(senders, (500, 700, 800), strict=True):
        sender.unfinished = size
    # They have all read before any of them could report.
    for sender in senders:
        sender.report()
    assert readers(*senders) == [False, True, False]
    senders[1].leave()

    assert readers(senders[0], senders[2]) == [False, True]


def test_the_exception_passes_on_when_its_holder_wants_nothing_more() -> None:
    budget = Budget(LIMIT)
    one, other = Sender(budget), Sender(budget)
    one.read(500)
    other.read(450)
    assert readers(one, other) == [True, False]
    one.report(wants=False)

    assert readers(one, other) == [False, True]


def test_finished_windows_are_waited_for_instead_of_an_exception() -> None:
    budget = Budget(LIMIT)
    one, other = Sender(budget), Sender(budget)
    one.read(LIMIT // 2 + 1)
    one.complete()
    other.read(LIMIT // 2)
    assert not other.is_reading
    assert not budget.is_blocked

    one.store()
    assert other.is_reading


def test_finished_windows_of_a_stuck_chain_keep_nobody_from_an_exception() -> None:
    budget = Budget(LIMIT)
    stuck, large, small = Sender(budget), Sender(budget), Sender(budget)
    stuck.read(LIMIT // 2)
    stuck.complete()
    small.read(150)
    large.read(250)

    assert readers(stuck, large, small) == [False, True, False]
    assert budget.is_blocked
    large.complete()
    large.store()

    assert small.is_reading


def test_one_that_does_not_want_to_read_is_not_called() -> None:
    budget = Budget(LIMIT)
    sender, other = Sender(budget), Sender(budget)
    sender.report(wants=False)
    sender.is_reading = False
    other.read(LIMIT)
    other.complete()
    other.store()

    assert not sender.is_reading


def test_nobody_is_excepted_while_one_that_cannot_read_holds_too_much() -> None:
    budget = Budget(LIMIT)
    stuck, other = Sender(budget), Sender(budget)
    other.read(100)
    stuck.unfinished = LIMIT
    stuck.report(wants=False)
    assert not other.is_reading

    stuck.leave()
    assert other.is_reading


def test_a_sender_that_left_holds_nothing() -> None:
    budget = Budget(LIMIT)
    sender = Sender(budget)
    sender.read(500)
    sender.leave()

    assert budget.used_bytes == 0


def test_a_window_of_a_sender_that_left_is_held_until_it_is_stored() -> None:
    budget = Budget(LIMIT)
    sender = Sender(budget)
    sender.read(500)
    sender.complete()
    sender.leave()
    assert budget.used_bytes == 500

    sender.store()
    assert budget.used_bytes == 0


class Senders(RuleBasedStateMachine):
    """Any number of senders, which send windows of any size at any pace."""

    def __init__(self) -> None:
        super().__init__()
        self.budget = Budget(LIMIT)
        self.senders: list[Sender] = []
        self.gone: list[Sender] = []

    @initialize(count=st.integers(1, 6))
    def connect_some(self, count: int) -> None:
        self.senders = [Sender(self.budget) for _ in range(count)]

    @rule()
    def connect(self) -> None:
        self.senders.append(Sender(self.budget))

    def _choose(self, place: int, *, may_read: bool) -> Sender | None:
        able = [one for one in self.senders if one.is_reading or not may_read]
        return able[place % len(able)] if able else None

    @rule(place=st.integers(0, 9), size=st.integers(1, WINDOW))
    def send(self, place: int, size: int) -> None:
        sender = self._choose(place, may_read=True)
        if sender is not None:
            sender.read(min(size, WINDOW - sender.unfinished))
            if sender.unfinished == WINDOW:
                sender.complete()

    @rule(place=st.integers(0, 9))
    def send_the_last_byte(self, place: int) -> None:
        sender = self._choose(place, may_read=True)
        if sender is not None and sender.unfinished:
            sender.complete()

    @rule(place=st.integers(0, 9), has_more=st.booleans())
    def arrive(self, place: int, has_more: bool) -> None:
        self.senders[place % len(self.senders)].has_more = has_more

    @rule(place=st.integers(0, 9))
    def look_again(self, place: int) -> None:
        self.senders[place % len(self.senders)].report()

    @rule(place=st.integers(0, 9))
    def store(self, place: int) -> None:
        able = [one for one in (*self.senders, *self.gone) if one.finished]
        if able:
            able[place % len(able)].store()

    @precondition(lambda self: len(self.senders) > 1)
    @rule(place=st.integers(0, 9))
    def vanish(self, place: int) -> None:
        sender = self.senders.pop(place % len(self.senders))
        sender.leave()
        self.gone.append(sender)

    @invariant()
    def the_limit_is_exceeded_by_one_window_at_most(self) -> None:
        assert self.budget.used_bytes < LIMIT + WINDOW

    @invariant()
    def what_is_counted_is_what_is_held(self) -> None:
        unfinished = sum(sender.unfinished for sender in self.senders)
        finished = sum(sum(one.finished) for one in (*self.senders, *self.gone))
        assert self.budget.used_bytes == unfinished + finished

    @invariant()
    def somebody_can_go_on_or_something_is_being_stored(self) -> None:
        is_storing = any(one.finished for one in (*self.senders, *self.gone))
        assert is_storing or any(one.is_reading for one in self.senders)

    @invariant()
    def who_reads_is_who_may(self) -> None:
        for sender in self.senders:
            assert sender.is_reading == self.budget.may_read(sender)

    def teardown(self) -> None:
        # Whatever has happened: when the rest of all windows has arrived, everybody
        # comes to the end of one, by looking at what there is now and then.
        for _ in range(2 * len(self.senders)):
            for sender in self.senders:
                sender.has_more = sender.unfinished > 0
                sender.report()
                if sender.is_reading and sender.unfinished:
                    sender.complete()
            for sender in (*self.senders, *self.gone):
                while sender.finished:
                    sender.store()
        assert self.budget.used_bytes == 0
        assert all(sender.is_reading for sender in self.senders)


Senders.TestCase.settings = settings(
    max_examples=150, stateful_step_count=40, deadline=None
)
TestSenders = Senders.TestCase
