"""``make bench``: what an event costs, in the signer and in the verifier.

CPU is user and system time of the signer's process alone, divided by events;
the senders run beside it on the same machine, which bounds events/s. Nothing
here is a test: machines differ, and a busy one gives larger figures.
"""

import argparse
import json
import platform
import signal
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.elasticsearch.distribution import MissingProgramError
from tools.bench_elasticsearch import measure_elasticsearch
from tools.bench_processes import PROGRAM, Load, cpu_seconds, run, signing
from tools.bench_speed import Row, Speed


@dataclass(frozen=True)
class Case:
    """One way to send: how, and to which store."""

    name: str
    store: str
    load: Load


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
        Load(many, size, level),
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
    # Whoever ends this ends the server too: what follows unwinds all that runs.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        _run(options)
    except KeyboardInterrupt:
        sys.exit("interrupted; nothing is left running")


def _run(options: argparse.Namespace) -> None:
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
    speed = None
    if options.only in "elasticsearch":
        speed = _measure_elasticsearch(options.events // 2, console)
    console.print(_table(results))
    if speed is not None:
        console.print(_elasticsearch_table(speed))
    options.json.parent.mkdir(exist_ok=True)
    options.json.write_text(
        json.dumps(
            {
                "machine": _machine(),
                "python": platform.python_version(),
                "results": [asdict(result) for result in results],
                "elasticsearch": None if speed is None else asdict(speed),
            },
            indent=2,
        )
        + "\n"
    )
    console.print(f"written to {options.json}")


def _measure(case: Case, events: int) -> Result:
    """Measure one case in processes of its own, after a short warm-up."""
    with (
        tempfile.TemporaryDirectory() as folder,
        signing(case.store, Path(folder)) as signer,
    ):
        signer.warm_up(case.load, events)
        before = cpu_seconds(signer.pid)
        sent = signer.send(case.load, events)
        cpu = cpu_seconds(signer.pid) - before
    return Result(
        case.name,
        sent.events,
        round(cpu / sent.events * 1e6, 2),
        round(sent.events / sent.seconds),
        signer.facts["loop_lag_p99_ms"],
        signer.facts["rss_peak_mb"],
    )


def _measure_verification(events: int) -> list[Result]:
    """Fill an archive, export it, and verify both."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with signing("archive", folder) as signer:
            events = signer.send(Load(8, 2048, 3), events).events
        archive, export = folder / "archive.db", folder / "export"
        run([*PROGRAM, "export", str(archive), str(export)])
        verify = [*PROGRAM, "verify", "--json", "--trust", str(folder / "trust")]
        idle = min(run([*PROGRAM, "version"])[1] for _ in range(3))
        results = []
        for source in (archive, export):
            _, cpu = min(run([*verify, str(source)]) for _ in range(3))
            cpu -= idle
            name = f"verify {'an archive' if source == archive else 'an export'}"
            results.append(
                Result(name, events, round(cpu / events * 1e6, 2), round(events / cpu))
            )
        return results


def _measure_elasticsearch(events: int, console: Console) -> Speed | None:
    try:
        return measure_elasticsearch(events, console.print)
    except MissingProgramError as error:
        console.print(f"Elasticsearch is left out: {error}", style="bold red")
        return None


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


def _elasticsearch_table(speed: Speed) -> Table:
    table = Table(
        title=f"Elasticsearch {speed.server}, documents of {speed.document_bytes} bytes"
    )
    table.add_column("case")
    for heading in ("events/s", "server CPU µs/event", "own", "senders", "lag p99 ms"):
        table.add_column(heading, justify="right")
    for row in (speed.signed, speed.ready_made, speed.verified, speed.read):
        table.add_row(row.name, f"{row.events_per_second:,}", *_figures(row))
    return table


def _figures(row: Row) -> list[str]:
    figures = (
        row.server_us_per_event,
        row.cpu_us_per_event,
        row.senders_us_per_event,
        row.loop_lag_p99_ms,
    )
    return ["" if figure is None else f"{figure:.1f}" for figure in figures]


if __name__ == "__main__":
    main()
