"""A seal is in the archive whole or not at all, whatever ends the process."""

import subprocess
import sys
from itertools import islice
from pathlib import Path

import pytest

from beats_signer.store import Archive, ArchiveSource
from tests.store.appending import seals
from tests.store.chains import Chain, content, expected, to_write

ROOT = Path(__file__).parents[2]


def _appending(*arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.store.appending", *map(str, arguments)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )


def _stored(path: Path) -> int:
    """Check that the chain is whole as far as it goes; return how far."""
    with ArchiveSource(path) as source:
        found = content(source, Chain().origin)
    assert found == expected(*islice(seals(Chain()), len(found)))
    return len(found)


@pytest.mark.parametrize("number", [0, 1, 7, 30, 61, 100])
async def test_a_killed_signer_leaves_whole_seals_and_those_it_was_told_of(
    tmp_path: Path, number: int
) -> None:
    path = tmp_path / "archive.db"
    with _appending(path) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if int(line) == number:
                process.kill()  # in the middle of the appends that follow
                break
        told = [number, *map(int, process.stdout.read().split())]
    assert _stored(path) > told[-1]

    archive = Archive(path)
    await archive.open()
    for sealed in islice(seals(Chain()), number + 40):
        await archive.append(to_write(sealed))
    await archive.close()
    assert _stored(path) >= number + 40


@pytest.mark.parametrize("limit", [40_000, 150_000, 400_000, 1_000_000])
def test_a_full_disk_fails_the_write_and_no_other(tmp_path: Path, limit: int) -> None:
    path = tmp_path / "archive.db"
    with _appending(path, limit) as process:
        assert process.stdout is not None
        lines = process.stdout.read().splitlines()
    errors = [line for line in lines if not line.isdecimal()]

    assert process.returncode == 0
    assert errors == [
        f"archive {path}: disk I/O error"
        " -- Make room on its disk or repair it; senders wait meanwhile."
    ]
    assert [int(line) for line in lines if line.isdecimal()] == list(range(40))
    assert _stored(path) == 40


def test_a_disk_too_full_for_an_archive_leaves_none(tmp_path: Path) -> None:
    script = (
        "import asyncio, pathlib, resource, sys; "
        "from beats_signer.store import Archive; "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000)); "
        "asyncio.run(Archive(pathlib.Path(sys.argv[1])).open())"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "archive.db")],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )

    assert done.stderr.splitlines()[-1].startswith("beats_signer.errors.StoreError:")
    assert list(tmp_path.iterdir()) == []
