"""The processes that ``make bench`` starts, and the CPU time that they take.

Each is in a group of its own: an interrupt from the keyboard reaches the
benchmark alone, which ends what it has started.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass, field
from pathlib import Path
from typing import Any

__all__ = [
    "PROGRAM",
    "Load",
    "Sent",
    "Signer",
    "cpu_seconds",
    "run",
    "run_tool",
    "signing",
]

PROGRAM = [sys.executable, "-m", "beats_signer"]
_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Load:
    """How senders send."""

    connections: int
    window: int
    level: int

    @property
    def round_events(self) -> int:
        """Events of one window on each connection."""
        return self.window * self.connections

    def whole(self, events: int) -> int:
        """Return how many of these events make whole windows on all connections."""
        return events - events % self.round_events


@dataclass(frozen=True)
class Sent:
    """What it took the senders until everything was acknowledged."""

    events: int
    seconds: float
    cpu_seconds: float


@dataclass
class Signer:
    """A signer that runs; ``facts`` are there after the end."""

    pid: int
    port: str
    facts: dict[str, Any] = field(default_factory=dict)

    def send(self, load: Load, events: int) -> Sent:
        """Let senders send as much of this as makes whole windows."""
        events = load.whole(events)
        said = run_tool("bench_senders", self.port, *astuple(load), events)
        return Sent(events, said["seconds"], said["cpu_seconds"])

    def warm_up(self, load: Load, events: int) -> Sent:
        """Send a little before anything is measured."""
        return self.send(load, max(events // 20, load.round_events * 4))


@contextmanager
def signing(store: str, folder: Path) -> Iterator[Signer]:
    """Run a signer with the named store: archive, confirming, or a URL."""
    command = [sys.executable, "-m", "tools.bench_signer", store, str(folder)]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        process_group=0,
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        try:
            signer = Signer(process.pid, process.stdout.readline().strip())
            yield signer
            process.stdin.close()
            signer.facts |= json.loads(process.stdout.readline())
            process.wait()
        finally:
            process.kill()


def run_tool(name: str, *arguments: object) -> dict[str, Any]:
    """Return what a tool beside this one measured of itself."""
    command = [sys.executable, "-m", f"tools.{name}", *map(str, arguments)]
    done = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, text=True, process_group=0
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def run(command: list[str]) -> tuple[float, float]:
    """Return wall and CPU seconds of a command that has to succeed."""
    begun, before = time.perf_counter(), os.times()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, process_group=0)
    after = os.times()
    cpu = after.children_user + after.children_system
    cpu -= before.children_user + before.children_system
    return time.perf_counter() - begun, cpu


def cpu_seconds(pid: int) -> float:
    """Return the user and system time that a process has taken so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_SECOND
