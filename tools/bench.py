"""``make bench``: what an event costs, in the signer and in the verifier.

CPU is user and system time of the signer's process alone, divided by events;
the senders run beside it on the same machine, which bounds events/s. Nothing
here is a test: machines differ, and a busy one gives larger figures.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

TOOLS = Path(__file__).parent
_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Case:
    """One way to send: how, and to which store."""

    name: str
    store: str
    connections: int
    window: int
    level: int


@dataclass(frozen=True)
class Result:
    """What was measured of one case."""

    name: str
    events: int
    cpu_us_per_event: float
    events_per_second: int
    loop_lag_p99_ms: float | None = None
    rss_peak_mb: int | None = None


CASES = [
    Case(
        f"{what}, {many} connection{'s' * (many > 1)}, {store}",
        store,
        many,
        size,
        level,
    )
    for store in ("confirming", "archive")
    for what, size, level in (
        ("windows of 2048, compressed", 2048, 3),
        ("windows of 50, compressed", 50, 3),
        ("windows of 2048, bare frames", 2048, 0),
    )
    for many in (1, 8)
]


def main() -> None:
    """Run all cases, print a table, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=400_000, help="events per case")
    parser.add_argument("--json", type=Path, default=Path("build/bench.json"))
    parser.add_argument("--only", default="", help="cases whose name contains this")
    options = parser.parse_args()
    console = Console()
    results = []
    for case in CASES:
        if options.only in case.name:
            results.append(_measure(case, options.events))
            console.print(_line(results[-1]))
    if options.only in "verify":
        for result in _measure_verification(options.events):
            results.append(result)
            console.print(_line(result))
    console.print(_table(results))
    options.json.parent.mkdir(exist_ok=True)
    options.json.write_text(
        json.dumps(
            {
                "machine": _machine(),
                "python": platform.python_version(),
                "results": [asdict(result) for result in results],
            },
            indent=2,
        )
        + "\n"
    )
    console.print(f"written to {options.json}")


def _measure(case: Case, events: int) -> Result:
    """Measure one case in processes of its own, after a short warm-up."""
    with tempfile.TemporaryDirectory() as folder:
        signer = _start_signer(case.store, Path(folder))
        assert signer.stdout is not None and signer.stdin is not None
        port = signer.stdout.readline().strip()
        _send(port, case, max(events // 20, case.connections * case.window * 4))
        before = _cpu_seconds(signer.pid)
        events -= events % (case.window * case.connections)
        seconds = _send(port, case, events)
        cpu = _cpu_seconds(signer.pid) - before
        signer.stdin.close()
        facts = json.loads(signer.stdout.readline())
        signer.wait()
    return Result(
        case.name,
        events,
        round(cpu / events * 1e6, 2),
        round(events / seconds),
        facts["loop_lag_p99_ms"],
        facts["rss_peak_mb"],
    )


def _measure_verification(events: int) -> list[Result]:
    """Fill an archive, export it, and verify both."""
    program = [sys.executable, "-m", "beats_signer"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        signer = _start_signer("archive", folder)
        assert signer.stdout is not None and signer.stdin is not None
        case = Case("", "archive", 8, 2048, 3)
        events -= events % (case.window * case.connections)
        _send(signer.stdout.readline().strip(), case, events)
        signer.stdin.close()
        signer.wait()
        archive, export = folder / "archive.db", folder / "export"
        _run([*program, "export", str(archive), str(export)])
        verify = [*program, "verify", "--json", "--trust", str(folder / "trust")]
        idle = min(_run([*program, "version"])[1] for _ in range(3))
        results = []
        for source in (archive, export):
            _, cpu = min(_run([*verify, str(source)]) for _ in range(3))
            cpu -= idle
            name = f"verify {'an archive' if source == archive else 'an export'}"
            results.append(
                Result(name, events, round(cpu / events * 1e6, 2), round(events / cpu))
            )
        return results


def _start_signer(store: str, folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(TOOLS / "bench_signer.py"), store, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def _send(port: str, case: Case, events: int) -> float:
    arguments = [port, case.connections, case.window, case.level, events]
    done = subprocess.run(
        [sys.executable, str(TOOLS / "bench_senders.py"), *map(str, arguments)],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return float(done.stdout)


def _run(command: list[str]) -> tuple[float, float]:
    """Return wall and CPU seconds of a command that has to succeed."""
    begun, before = time.perf_counter(), os.times()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = os.times()
    cpu = after.children_user + after.children_system
    cpu -= before.children_user + before.children_system
    return time.perf_counter() - begun, cpu


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_SECOND


def _machine() -> str:
    names = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    return f"{len(names)} x {names[0] if names else platform.machine()}"


def _line(result: Result) -> str:
    return (
        f"{result.name}: {result.cpu_us_per_event} µs, "
        f"{result.events_per_second:,} events/s"
    )


def _table(results: list[Result]) -> Table:
    table = Table(title=f"{_machine()}, Python {platform.python_version()}")
    table.add_column("case")
    for heading in ("CPU µs/event", "events/s", "loop lag p99 ms", "RSS peak MB"):
        table.add_column(heading, justify="right")
    for result in results:
        table.add_row(
            result.name,
            f"{result.cpu_us_per_event:.2f}",
            f"{result.events_per_second:,}",
            "" if result.loop_lag_p99_ms is None else f"{result.loop_lag_p99_ms:.1f}",
            "" if result.rss_peak_mb is None else str(result.rss_peak_mb),
        )
    return table


if __name__ == "__main__":
    main()
