"""Real processes, killed at any moment and on a disk that is full."""

import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from beats_signer.chain.trust import TrustLine
from beats_signer.sign.founding import initialise
from beats_signer.store import Archive, ArchiveSource
from beats_signer.store.contract import EntryBlock
from beats_signer.verify.report import Report
from beats_signer.verify.run import Verification
from beats_signer.verify.source import open_source
from tests.sign.signing import events_of, paths
from tests.sign.world import SIGNER

ROOT = Path(__file__).parents[2]
LAST = 40


@pytest.fixture
def trust(tmp_path: Path) -> TrustLine:
    state, archive = paths(tmp_path)
    return initialise(
        state,
        signer=SIGNER,
        heartbeat_seconds=60,
        encode=Archive(archive).encode,
        clock=time.time_ns,
    )


def signing(*arguments: object) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "tests.sign.signing", *map(str, arguments)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def run(*arguments: object) -> list[str]:
    """Let a process come to its end; return what it printed."""
    with signing(*arguments) as process:
        assert process.stdout is not None
        return process.stdout.read().splitlines()


def run_until(acks: int, *arguments: object) -> list[str]:
    """Kill a process in the middle of what follows so many acks; return its acks."""
    printed = []
    with signing(*arguments) as process:
        assert process.stdout is not None
        for line in process.stdout:
            printed.append(line.strip())
            if len(printed) == acks:
                process.kill()
        process.wait()
    return printed


def check(folder: Path, trust: TrustLine) -> None:
    """Verify the archive, and that it holds each event once."""
    archive = paths(folder)[1]
    now = time.time_ns()
    report = Report(str(archive), now)
    with closing(open_source(archive)) as opened:
        Verification(opened, trust, report, now=now).run()
    assert [one.to_dict() for one in report.open_findings] == []
    with ArchiveSource(archive) as source:
        events = [
            bytes(payload)
            for origin in source.origins()
            if origin != SIGNER
            for item in source.read(origin)
            if isinstance(item, EntryBlock)
            for payload in item.entries.payloads
        ]
    expected = [event for number in range(LAST + 1) for event in events_of(number)]
    assert sorted(events) == sorted(expected)


@pytest.mark.parametrize("acks", [[1, 1, 1, 1], [2, 3, 5], [4, 2, 1, 6]])
def test_a_killed_signer_loses_and_repeats_nothing(
    tmp_path: Path, trust: TrustLine, acks: list[int]
) -> None:
    first = 0
    for count in acks:
        acknowledged = run_until(count, tmp_path, first, LAST)
        first = int(acknowledged[-1]) + 1
    assert first <= LAST
    run(tmp_path, first, LAST)
    check(tmp_path, trust)


@pytest.mark.parametrize("limit", [100_000, 300_000, 1_000_000, 2_500_000])
def test_a_full_disk_ends_the_signer_and_loses_nothing(
    tmp_path: Path, trust: TrustLine, limit: int
) -> None:
    *acknowledged, error = run(tmp_path, 0, LAST, limit)
    assert "journal.db: reading or writing failed" in error
    first = int(acknowledged[-1]) + 1 if acknowledged else 0
    assert first <= LAST

    run(tmp_path, first, LAST)
    check(tmp_path, trust)
