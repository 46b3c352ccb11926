"""Buckets of handshakes: what they hold, how they fill, that they do not pile up."""

import pytest

from beats_signer.receive.handshakes import BURST_SECONDS, Handshakes
from beats_signer.receive.refusal import Refusal, UnwelcomeError


class Flood:
    """Addresses that ask, and a clock that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.handshakes = Handshakes(lambda: self.now)

    def ask(self, address: str, times: int = 1, *, per_second: int = 5) -> int:
        """Ask for so many handshakes; return how many may begin."""
        begun = 0
        for _ in range(times):
            try:
                self.handshakes.begin(address, per_second)
            except UnwelcomeError as error:
                assert error.refusal is Refusal.HANDSHAKES
            else:
                begun += 1
        return begun


def test_a_bucket_holds_ten_seconds_worth() -> None:
    assert Flood().ask("192.0.2.1", 1000) == 5 * BURST_SECONDS


def test_what_was_taken_comes_back_with_time() -> None:
    flood = Flood()
    flood.ask("192.0.2.1", 1000)
    flood.now += 2

    assert flood.ask("192.0.2.1", 1000) == 10


def test_a_bucket_does_not_overflow() -> None:
    flood = Flood()
    flood.ask("192.0.2.1")
    flood.now += 10**6

    assert flood.ask("192.0.2.1", 1000) == 50


def test_who_asks_all_the_time_begins_so_many_a_second() -> None:
    flood = Flood()
    flood.ask("192.0.2.1", 1000)
    begun = 0
    for _ in range(600):
        flood.now += 0.1
        begun += flood.ask("192.0.2.1", 30)

    assert begun == pytest.approx(300, abs=1)


def test_one_address_takes_nothing_from_another() -> None:
    flood = Flood()
    flood.ask("192.0.2.1", 1000)

    assert flood.ask("192.0.2.2", 1000) == 50


def test_another_rate_counts_at_once() -> None:
    flood = Flood()
    flood.ask("192.0.2.1", 1000)
    flood.now += 1

    assert flood.ask("192.0.2.1", 1000, per_second=7) == 7


def test_addresses_without_end_do_not_fill_the_memory() -> None:
    flood = Flood()
    flood.ask("192.0.2.1", 1000)
    for number in range(20_000):
        flood.ask(f"10.0.{number >> 8}.{number & 255}")

    assert len(flood.handshakes) == 10_000


def test_who_still_asks_is_not_forgotten_for_those_who_do_not() -> None:
    flood = Flood()
    flood.ask("192.0.2.1", 1000)
    for number in range(20_000):
        flood.ask(f"10.0.{number >> 8}.{number & 255}")
        if number % 5000 == 0:
            assert flood.ask("192.0.2.1") == 0

    assert flood.ask("192.0.2.1") == 0
