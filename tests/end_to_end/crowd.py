"""Many Beats at once, and when each of them heard what from the signer."""

import random
import time
from base64 import b64encode
from collections import deque
from collections.abc import Sequence
from itertools import pairwise
from threading import Condition, Event, Thread

from tests.senders.libbeat import BeatConnection
from tests.senders.output import PATIENCE_SECONDS
from tests.senders.running import HOST

__all__ = ["Crowd", "Member", "bulky_events"]

_AHEAD = 3
"""Windows on their way: one more than Filebeat's setting of 2."""
_PAUSE_SECONDS = 0.2


class Member(Thread):
    """One Beat that sends windows until each is acknowledged."""

    def __init__(
        self, port: int, windows: Sequence[Sequence[bytes]], may_go_on: Event
    ) -> None:
        """Take what it waits for after its first ack."""
        super().__init__(daemon=True)
        self.errors: list[OSError] = []
        self.acks: list[float] = []
        """When each window was acknowledged."""
        self.signs: list[list[float]] = []
        """For each connection: when anything came from the signer."""
        self._port = port
        self._windows = windows
        self._may_go_on = may_go_on
        self._changed = Condition()

    @property
    def acknowledged(self) -> int:
        """Return how many windows are."""
        with self._changed:
            return len(self.acks)

    def wait_for_acks(self, count: int) -> None:
        """Return when so many windows are acknowledged."""
        with self._changed:
            reached = self._changed.wait_for(
                lambda: len(self.acks) >= count, PATIENCE_SECONDS
            )
        assert reached, f"{len(self.acks)} of {count} acks: {self.errors[-3:]}"

    def silence(self, since: float, until: float) -> float:
        """Return the longest time without a sign of life between two moments."""
        heard = [moment for signs in self.signs for moment in signs]
        within = sorted(moment for moment in heard if since < moment < until)
        return max(
            later - earlier for earlier, later in pairwise([since, *within, until])
        )

    def run(self) -> None:
        left = deque(self._windows)
        while left:
            try:
                self._use_one_connection(left)
            except OSError as error:
                self.errors.append(error)
                time.sleep(_PAUSE_SECONDS)

    def _use_one_connection(self, left: deque[Sequence[bytes]]) -> None:
        connection = _Heard((HOST, self._port), compression_level=0)
        self.signs.append(connection.heard)
        try:
            sent = 0
            while left:
                ahead = _AHEAD if self.acks else 1
                for window in list(left)[sent:ahead]:
                    connection.send(window)
                    sent += 1
                connection.await_ack(len(left[0]))
                left.popleft()
                sent -= 1
                with self._changed:
                    self.acks.append(time.monotonic())
                    self._changed.notify_all()
                self._may_go_on.wait(PATIENCE_SECONDS)
        finally:
            connection.close()


class Crowd:
    """Some Beats, each with windows of its own; the first one is sent at once."""

    def __init__(self, port: int, loads: Sequence[Sequence[Sequence[bytes]]]) -> None:
        self._may_go_on = Event()
        self.members = [Member(port, windows, self._may_go_on) for windows in loads]
        self.events = [
            event for windows in loads for window in windows for event in window
        ]
        for member in self.members:
            member.start()

    def go_on(self) -> None:
        """Let all of them send the rest."""
        self._may_go_on.set()

    @property
    def acks(self) -> list[float]:
        """Return when windows were acknowledged, in order."""
        return sorted(moment for member in self.members for moment in member.acks)

    def wait_for_acks(self, count: int) -> None:
        """Return when so many windows of each are acknowledged."""
        for member in self.members:
            member.wait_for_acks(count)

    def finish(self, seconds: float = PATIENCE_SECONDS) -> None:
        """Return when everything is acknowledged; *seconds* are for all of it."""
        end = time.monotonic() + seconds
        for member in self.members:
            member.join(max(0, end - time.monotonic()))
            assert not member.is_alive(), f"it waits for acks: {member.errors[-3:]}"


class _Heard(BeatConnection):
    """A connection that notes when it hears something."""

    def __init__(self, address: tuple[str, int], *, compression_level: int) -> None:
        self.heard: list[float] = []
        super().__init__(address, compression_level=compression_level)

    def _receive_ack(self) -> int:
        number = super()._receive_ack()
        self.heard.append(time.monotonic())
        return number


def bulky_events(count: int, *, host: str, size: int, kind: str = "") -> list[bytes]:
    """Return events that compression makes hardly smaller, each another."""
    chosen = random.Random(f"{host} {kind}")
    return [
        b'{"kind":"%b","host":{"name":"%b"},"number":%d,"message":"%b"}'
        % (
            kind.encode(),
            host.encode(),
            number,
            b64encode(chosen.randbytes(size * 3 // 4)),
        )
        for number in range(count)
    ]
