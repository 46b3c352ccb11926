"""Measure a signer while it runs: for Prometheus, for people, for systemd."""

import asyncio
from collections.abc import Callable, Mapping, Sized
from typing import Any

from prometheus_client import CollectorRegistry

from beats_signer.operate.history import INTERVAL_SECONDS, History
from beats_signer.operate.metrics import Metrics, Samples
from beats_signer.operate.systemd import Systemd
from beats_signer.receive.tally import Tallies
from beats_signer.samples import build_samples
from beats_signer.store.tally import StoreTally

__all__ = ["Insight"]


class Insight:
    """What is measured of one process."""

    def __init__(self, status: Callable[[], Mapping[str, Any]]) -> None:
        """Take what answers with the status, as ``/status`` has it."""
        self.history = History()
        self.metrics = Metrics(CollectorRegistry(), self._samples)
        self.tallies = Tallies(self._acknowledged)
        self.store_tally = StoreTally(
            self.metrics.histogram("beats_signer_store_seconds").observe
        )
        self._ack_seconds = self.metrics.histogram("beats_signer_ack_seconds")
        self._status = status
        self._lag = self.metrics.histogram("beats_signer_loop_lag_seconds")

    async def keep_time(self, systemd: Systemd) -> None:
        """Measure how late the loop is, and end each interval, for ever."""
        while True:
            await self._wait(INTERVAL_SECONDS)
            senders = self.tallies.by_sender.values()
            self.history.turn(sum(sender.acked_events for sender in senders))
            systemd.say(self.describe())

    def describe(self) -> str:
        """Return how it goes, as one line."""
        status = self._status()
        points = self.history.points
        rate = points[-1].events_per_second if points else 0.0
        return (
            f"{_count(status['senders'], 'connection')}, "
            f"{_count(status['chains'], 'chain')}, "
            f"{rate:.0f} events/s acknowledged, {_count(status['problems'], 'problem')}"
        )

    def _acknowledged(self, seconds: float) -> None:
        """Note how long a window has waited."""
        self.history.observe(seconds)
        self._ack_seconds.observe(seconds)

    async def _wait(self, seconds: int) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(seconds):
            due = loop.time() + 1
            await asyncio.sleep(1)
            self._lag.observe(max(0.0, loop.time() - due))

    def _samples(self) -> Samples:
        return build_samples(self._status(), self.tallies, self.store_tally)


def _count(things: Sized, noun: str) -> str:
    count = len(things)
    return f"{count or 'no'} {noun}{'' if count == 1 else 's'}"
