"""One process per state directory, and everybody can see which."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from beats_signer.errors import StateError
from beats_signer.sign.lock import StateLock

ROOT = Path(__file__).parents[2]
HOLD = """
import sys
from pathlib import Path
from beats_signer.sign.lock import StateLock
lock = StateLock.take(Path(sys.argv[1]))
if len(sys.argv) > 2:
    lock.describe(started=sys.argv[2])
print("taken", flush=True)
sys.stdin.read()
lock.release()
"""


@contextmanager
def holder(state: Path, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """Let another process hold the lock inside this block."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(state), *arguments],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "taken\n"
        yield process
        process.kill()


def test_a_second_process_is_refused_at_once_and_told_who_is_first(
    tmp_path: Path,
) -> None:
    with holder(tmp_path, "2026-11-23T09:00:00Z") as process:
        began = time.monotonic()
        with pytest.raises(StateError) as caught:
            StateLock.take(tmp_path)
        took_seconds = time.monotonic() - began

    assert str(caught.value) == (
        f"{tmp_path}: another signer uses this state directory: process "
        f"{process.pid} on {socket.gethostname()}, started 2026-11-23T09:00:00Z"
    )
    assert "never share a state" in caught.value.hint
    assert took_seconds < 1


def test_a_process_is_known_before_it_has_described_itself(tmp_path: Path) -> None:
    with (
        holder(tmp_path) as process,
        pytest.raises(StateError, match=f"process {process.pid} on "),
    ):
        StateLock.take(tmp_path)


def test_a_refused_process_leaves_the_holder_as_it_is(tmp_path: Path) -> None:
    with holder(tmp_path) as process:
        with pytest.raises(StateError):
            StateLock.take(tmp_path)
        with pytest.raises(StateError, match=f"process {process.pid} on "):
            StateLock.take(tmp_path)


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    with holder(tmp_path, "2026-11-23T09:00:00Z") as process:
        process.kill()
        process.wait()
        lock = StateLock.take(tmp_path)
        holding = StateLock.read(tmp_path)
    lock.release()

    assert holding == {"pid": os.getpid(), "host": socket.gethostname()}


def test_a_released_lock_can_be_taken_and_names_nobody(tmp_path: Path) -> None:
    StateLock.take(tmp_path).release()
    assert StateLock.read(tmp_path) == {}
    StateLock.take(tmp_path).release()


def test_only_the_owner_may_read_the_lock(tmp_path: Path) -> None:
    lock = StateLock.take(tmp_path)
    assert (tmp_path / "lock").stat().st_mode & 0o777 == 0o600
    lock.release()


def test_a_child_does_not_inherit_the_lock(tmp_path: Path) -> None:
    lock = StateLock.take(tmp_path)
    with subprocess.Popen(
        [sys.executable, "-c", "print('here', flush=True); input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        close_fds=False,
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"here\n"
        lock.release()
        StateLock.take(tmp_path).release()
        child.kill()


def test_a_missing_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="No such file or directory") as caught:
        StateLock.take(tmp_path / "state")
    assert "beats-signer init" in caught.value.hint


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff"])
def test_a_lock_that_says_nothing_sensible_names_nobody(
    tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "lock").write_bytes(content)
    assert StateLock.read(tmp_path) == {}
