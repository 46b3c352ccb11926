"""Write into README.md what the program itself says: help, configuration, speed.

The reference of all settings, docs/configuration.md, is written along with it.

A place is a pair of comments; what stands between them is replaced. A test runs
the same functions and compares, so the page cannot go stale. Speed is what
``make bench`` measured when its result was last copied to docs/bench.json.
"""

import json
import re
import subprocess
import sys
from pathlib import Path
from textwrap import wrap
from typing import Any

from beats_signer.template import build_configuration
from tools.reference import PAGE, render_reference

README = Path(__file__).parent.parent / "README.md"
BENCH = README.parent / "docs" / "bench.json"
_PLACE = re.compile(
    r"<!-- (help: ([\w -]+)|configuration|speed(?:: elasticsearch)?) -->\n"
    r"(?:```.*?```\n|[|N].*?\.\n(?=\n))?",
    re.S,
)


def main() -> None:
    """Bring README.md and the reference of all settings up to date."""
    README.write_text(render(README.read_text()))
    PAGE.write_text(render_reference())


def render(text: str) -> str:
    """Return the page with every place filled anew."""
    return _PLACE.sub(_fill, text)


def _fill(place: re.Match[str]) -> str:
    if place[1].startswith("speed"):
        bench = json.loads(BENCH.read_text())
        said = _speed(bench) if place[1] == "speed" else describe_elasticsearch(bench)
        return f"<!-- {place[1]} -->\n{said}"
    if place[2]:
        language, content = "console", f"$ {place[2]} --help\n{_help(place[2])}"
    else:
        language, content = "yaml", build_configuration("audit-1", tls=True)
    return f"<!-- {place[1]} -->\n```{language}\n{content}```\n"


def _speed(bench: dict[str, Any]) -> str:
    """Return the table of what was measured, and on which machine."""
    heading = f"{bench['machine']}, Python {bench['python']}"
    lines = [f"| {heading} | CPU µs/event | events/s |", "|---|---:|---:|"]
    lines += [
        f"| {result['name']} | {result['cpu_us_per_event']:.1f} "
        f"| {result['events_per_second']:,} |"
        for result in bench["results"]
    ]
    lags = [result["loop_lag_p99_ms"] for result in bench["results"]]
    late = max(lag for lag in lags if lag is not None)
    peaks = [result["rss_peak_mb"] for result in bench["results"]]
    memory = max(peak for peak in peaks if peak is not None)
    lines += [
        "",
        "In all of these the event loop, where keep-alives live, was late by at most",
        f"{late:.0f} ms in 99 of 100 cases; resident memory peaked at {memory} MB.",
    ]
    return "\n".join(lines) + "\n"


def describe_elasticsearch(bench: dict[str, Any]) -> str:
    """Return the table of what was measured with a real server."""
    speed = bench.get("elasticsearch")
    if speed is None:
        return "Not measured where the figures above were taken.\n"
    signed, ready_made = speed["signed"], speed["ready_made"]
    verified, read = speed["verified"], speed["read"]
    heading = f"| Elasticsearch {speed['server']} | events/s "
    lines = [f"{heading}| own CPU µs/event | server's |", "|---|---:|---:|---:|"]
    lines += [
        f"| {row['name']} | {row['events_per_second']:,} "
        f"| {row['cpu_us_per_event']:.1f} | {row['server_us_per_event']:.1f} |"
        for row in (signed, ready_made, verified, read)
    ]
    cpu = signed["server_us_per_event"] / ready_made["server_us_per_event"]
    pace = signed["events_per_second"] / ready_made["events_per_second"]
    ratio = verified["events_per_second"] / read["events_per_second"]
    text = (
        f"Documents are of {speed['document_bytes']:,} bytes. With the signer before "
        f"it, the server spends {cpu:.2f} times the CPU time per event, and takes "
        f"{pace:.0%} of the events in the same time; the signer's event loop was late "
        f"by at most {signed['loop_lag_p99_ms']:.0f} ms in 99 of 100 cases. One "
        f"process verifies at {ratio:.0%} of the speed of plain reading."
    )
    lines += ["", *wrap(text, 84)]
    return "\n".join(lines) + "\n"


def _help(command: str) -> str:
    """Return what ``--help`` prints on a terminal of 80 columns."""
    program = [sys.executable, "-m", "beats_signer", *command.split()[1:], "--help"]
    environment = {"COLUMNS": "80", "PATH": "", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        program, check=True, capture_output=True, text=True, env=environment
    )
    return done.stdout


if __name__ == "__main__":
    main()
