"""Outlive a test session that was killed, and take its server away.

It runs as a program of its own. A line on its standard input is the process group
of the server, 0 for none; the end of the input is the end of the session, however
it came: the kernel closes what a killed process had open.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

__all__ = ["Guard"]

_KILL_SECONDS = 30


class Guard:
    """Watches over one server and its folder."""

    def __init__(self, folder: Path) -> None:
        """Start watching; the folder is deleted at the end."""
        self._process = subprocess.Popen(
            [sys.executable, "-I", __file__, folder],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )

    def watch(self, group: int) -> None:
        """Take a process group, which a server leads, or 0 for none."""
        assert self._process.stdin is not None
        self._process.stdin.write(b"%d\n" % group)
        self._process.stdin.flush()

    def close(self) -> None:
        """Let it do its work, and wait until it is done. Idempotent."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def _main(folder: str) -> None:
    group = 0
    for line in sys.stdin:
        group = int(line)
    deadline = time.monotonic() + _KILL_SECONDS
    with suppress(ProcessLookupError):
        while group and time.monotonic() < deadline:
            os.killpg(group, signal.SIGKILL)
            time.sleep(0.05)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    _main(sys.argv[1])
