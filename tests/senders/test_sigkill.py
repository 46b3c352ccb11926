"""A signer that is killed again and again, while its senders go on sending."""

import random
import signal
import time
from collections import Counter
from threading import Event, Thread

import pytest

from beats_signer.cli.sample import sample_events
from tests.senders.libbeat import Beat, cut_windows
from tests.senders.running import HOST, RunningSigner
from tests.senders.sealed import check_all, payloads_of

BEATS = 3
PUBLISHED_EVENTS = 400
WINDOW = 64
READY_SECONDS = 5.0
LONGEST_LIFE_SECONDS = 0.6


class Load(Thread):
    """One Beat that publishes until it is told to stop; no two events are equal."""

    def __init__(self, port: int, number: int, stop: Event) -> None:
        super().__init__()
        self.acknowledged: list[bytes] = []
        self._beat = Beat((HOST, port))
        self._host = f"web-{number}"
        self._is_over = stop

    def run(self) -> None:
        while not self._is_over.is_set():
            events = sample_events(
                PUBLISHED_EVENTS,
                host=self._host,
                seed=1,
                first=len(self.acknowledged),
            )
            self._beat.publish(cut_windows(events, WINDOW))
            self.acknowledged += events


@pytest.mark.parametrize("kills", [5, pytest.param(50, marks=pytest.mark.slow)])
def test_killed_at_any_moment_it_loses_nothing_and_seals_nothing_twice(
    signer: RunningSigner, kills: int
) -> None:
    moments = random.Random(kills)
    stop = Event()
    loads = [Load(signer.plain_port, number, stop) for number in range(BEATS)]
    for load in loads:
        load.start()

    try:
        for _ in range(kills):
            stop.wait(moments.uniform(0, LONGEST_LIFE_SECONDS))
            assert signer.end(signal.SIGKILL) == -signal.SIGKILL
            begun = time.monotonic()
            signer.start()
            assert time.monotonic() - begun < READY_SECONDS
    finally:
        stop.set()
        for load in loads:
            load.join()
    assert signer.end() == 0

    acknowledged = Counter(event for load in loads for event in load.acknowledged)
    assert len(acknowledged) >= BEATS * PUBLISHED_EVENTS
    assert Counter(payloads_of(signer.archive)) == acknowledged
    check_all(signer.archive, signer.trust)
