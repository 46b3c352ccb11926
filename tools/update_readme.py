"""Write into README.md what the program itself says: help, configuration, speed.

A place is a pair of comments; what stands between them is replaced. A test runs
the same functions and compares, so the page cannot go stale. Speed is what
``make bench`` measured when its result was last copied to docs/bench.json.
"""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from beats_signer.template import build_configuration

README = Path(__file__).parent.parent / "README.md"
BENCH = README.parent / "docs" / "bench.json"
_PLACE = re.compile(
    r"<!-- (help: ([\w -]+)|configuration|speed) -->\n(?:```.*?```\n|\|.*?MB\.\n)?",
    re.S,
)


def main() -> None:
    """Bring README.md up to date."""
    README.write_text(render(README.read_text()))


def render(text: str) -> str:
    """Return the page with every place filled anew."""
    return _PLACE.sub(_fill, text)


def _fill(place: re.Match[str]) -> str:
    if place[1] == "speed":
        return f"<!-- speed -->\n{_speed(json.loads(BENCH.read_text()))}"
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
