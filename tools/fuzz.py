"""Fuzz every parser with atheris for a given time; `make fuzz` runs it.

What has been found stays as a small file in ``fixtures/fuzz``, which the ordinary
tests replay. A target that fails leaves its input there, named crash-...; rename it
after what it shows, and mend the parser.
"""

import subprocess
import sys
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

__all__ = ["main"]

ROOT = Path(__file__).parent.parent
SEEDS = ROOT / "fixtures" / "fuzz"
_MOST_BYTES = 4096
_SLOWEST_SECONDS = 5


def main(seconds: int) -> int:
    """Give every target its part of the time; return how many have failed."""
    names = sorted(path.name for path in SEEDS.iterdir())
    each = max(1, seconds // len(names))
    failed = [name for name in names if not _run_apart(name, each)]
    print(f"{len(names)} targets, {each} s each; failed: {', '.join(failed) or 'none'}")
    return len(failed)


def _run_apart(name: str, seconds: int) -> bool:
    """Run one target in a process of its own; tell whether nothing was found."""
    with tempfile.TemporaryDirectory() as corpus:
        options = [
            f"-max_total_time={seconds}",
            f"-max_len={_MOST_BYTES}",
            f"-timeout={_SLOWEST_SECONDS}",
            f"-artifact_prefix={SEEDS / name}/",
            "-print_final_stats=1",
        ]
        folders = [corpus, str(SEEDS / name)]
        command = [sys.executable, "-m", "tools.fuzz", name, *options, *folders]
        ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    said = ended.stderr.splitlines() + ended.stdout.splitlines()
    wanted = ("stat::number_of_executed_units", "stat::peak_rss_mb", "cov:")
    facts = [line for line in said if line.startswith(wanted[:2])]
    covered = [line.split("cov: ")[1].split()[0] for line in said if wanted[2] in line]
    print(f"{name}: {'; '.join(' '.join(fact.split()) for fact in facts)}", end="")
    print(f"; edges covered: {covered[-1] if covered else '?'}")
    if ended.returncode:
        print(*said[-40:], sep="\n")
    return ended.returncode == 0


def _fuzz(name: str, options: list[str]) -> None:
    """Run one target until libFuzzer ends this process."""
    atheris: Any = import_module("atheris")  # only `make fuzz` installs it
    with atheris.instrument_imports(include=["beats_signer", "lumberjack"]):
        from tests.fuzz.targets import TARGETS
    atheris.Setup([sys.argv[0], *options], TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    if sys.argv[1].isdecimal():
        sys.exit(main(int(sys.argv[1])))
    _fuzz(sys.argv[1], sys.argv[2:])
