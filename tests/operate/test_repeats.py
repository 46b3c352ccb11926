"""Lines of one kind: some at once, then one a second that counts the others."""

from contextlib import suppress

import structlog

from beats_signer.operate.repeats import BURST, Repeats


class Flood:
    """Lines that somebody causes, and a clock that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.repeats = Repeats(lambda: self.now)
        self.written: list[dict[str, object]] = []

    def say(self, event: str, times: int = 1, *, method: str = "warning") -> None:
        for _ in range(times):
            facts: dict[str, object] = {"event": event}
            with suppress(structlog.DropEvent):
                self.written.append(dict(self.repeats(None, method, facts)))


def test_lines_below_the_burst_are_as_they_were() -> None:
    flood = Flood()
    flood.say("refused", BURST)

    assert flood.written == [{"event": "refused"}] * BURST


def test_a_flood_becomes_one_line_a_second_that_counts_the_others() -> None:
    flood = Flood()
    flood.say("refused", 1000)
    flood.now += 1
    flood.say("refused", 1000)

    assert len(flood.written) == BURST + 1
    assert flood.written[-1] == {"event": "refused", "left_out": 900}


def test_lines_of_another_kind_are_not_left_out() -> None:
    flood = Flood()
    flood.say("refused", 1000)
    flood.say("ready", method="info")

    assert flood.written[-1] == {"event": "ready"}


def test_all_is_written_again_after_a_calm() -> None:
    flood = Flood()
    flood.say("refused", 1000)
    flood.now += 3600
    flood.written.clear()
    flood.say("refused", 1000)

    assert len(flood.written) == BURST


def test_debug_lines_are_all_written() -> None:
    flood = Flood()
    flood.say("ended", 1000, method="debug")

    assert len(flood.written) == 1000


def test_kinds_without_end_do_not_fill_the_memory() -> None:
    flood = Flood()
    for number in range(5000):
        flood.say(f"library says {number}")

    assert len(flood.written) == 5000
    assert len(flood.repeats) <= 1000
