"""Windows of many senders are taken in turns, and the loop gets its own between."""

from collections.abc import Callable
from functools import partial

from beats_signer.receive.turns import Turns
from tests.receive.timers import ManualTimers


class Work:
    """Turns whose clock moves by 2 ms with every window."""

    def __init__(self) -> None:
        self.timers = ManualTimers()
        self.now = 0.0
        self.turns = Turns(self.timers, lambda: self.now)
        self.taken: list[str] = []

    def take(self, name: str) -> None:
        self.now += 0.002
        self.taken.append(name)

    def ask(
        self, name: str, then: Callable[[], object] | None = None, *, party: str = ""
    ) -> None:
        def take() -> None:
            self.take(name)
            if then is not None:
                then()

        self.turns.ask(take, party)


def test_windows_are_taken_in_the_order_in_which_their_senders_asked() -> None:
    work = Work()
    for name in "abcdefgh":
        work.ask(name)

    work.timers.run()
    assert "".join(work.taken) == "abcdefgh"


def test_senders_take_turns_whatever_the_number_of_their_connections() -> None:
    work = Work()
    for name in "abcdefgh":
        work.ask(name, party="noisy")
    work.ask("X", party="polite")
    work.ask("Y", party="polite")

    work.timers.run()
    assert "".join(work.taken) == "aXbYcdefgh"


def test_the_loop_gets_its_turn_after_five_milliseconds() -> None:
    work = Work()
    for name in "abcdefgh":
        work.ask(name)

    work.timers.run_once()
    assert work.taken == ["a", "b", "c"]


def test_who_asks_again_waits_behind_the_others() -> None:
    work = Work()
    work.ask("a1", then=partial(work.ask, "a2"))
    work.ask("b1")

    work.timers.run()
    assert work.taken == ["a1", "b1", "a2"]


def test_there_is_time_at_once_when_nobody_waits() -> None:
    work = Work()

    assert work.turns.has_time()


def test_there_is_no_time_once_the_turn_is_used_up() -> None:
    work = Work()
    assert work.turns.has_time()
    work.now += 0.006

    assert not work.turns.has_time()


def test_there_is_no_time_while_others_wait() -> None:
    work = Work()
    work.ask("a")

    assert not work.turns.has_time()


def test_there_is_time_again_in_the_next_turn_of_the_loop() -> None:
    work = Work()
    assert work.turns.has_time()
    work.now += 0.006
    work.timers.run()

    assert work.turns.has_time()


def test_an_error_of_one_does_not_hold_up_the_others() -> None:
    work = Work()

    def fail() -> None:
        raise RuntimeError("a bug")

    work.turns.ask(fail)
    work.ask("b")

    work.timers.run()
    assert work.taken == ["b"]
    assert [str(error) for error in work.timers.errors] == ["a bug"]
