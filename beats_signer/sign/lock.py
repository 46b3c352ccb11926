"""One process per state directory.

Two signers on one state directory would sign one number twice, so the lock is
taken before anything else is read. It is the kernel's: it ends with the
process, however that ends, and no stale lock is left behind.
"""

import fcntl
import json
import os
import socket
from contextlib import suppress
from pathlib import Path
from typing import Any

from beats_signer.errors import StateError

__all__ = ["StateLock"]


class StateLock:
    """The exclusive right to the state directory, and a note on who holds it."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def take(cls, state: Path) -> "StateLock":
        """Take the lock of *state* or say at once who has it.

        Raises:
            StateError: Another process holds the lock, or the directory is
                missing or not writable.
        """
        path = state / "lock"
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StateError(
                f"{path}: the state directory cannot be used: {error.strerror}",
                hint="Create it with 'beats-signer init', or correct its owner.",
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(descriptor)
            raise StateError(
                f"{state}: another signer uses this state directory: "
                f"{_describe(cls.read(state))}",
                hint="Stop that process first; two signers must never share a state.",
            ) from error
        self = cls(descriptor)
        self.describe()  # in place of what a killed process left there
        return self

    def describe(self, **facts: object) -> None:
        """Leave *facts* beside process id and host for people and ``status``."""
        holder = {"pid": os.getpid(), "host": socket.gethostname(), **facts}
        text = json.dumps(holder).encode() + b"\n"
        # The lock holds without the note: a full disk is for others to report.
        with suppress(OSError):
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, text, 0)

    def release(self) -> None:
        """Give the lock back and forget who held it."""
        os.ftruncate(self._descriptor, 0)
        os.close(self._descriptor)

    @staticmethod
    def read(state: Path) -> dict[str, Any]:
        """Return what the holder wrote, or nothing when nobody did."""
        try:
            holder = json.loads((state / "lock").read_bytes())
        except (OSError, ValueError):
            return {}
        return holder if isinstance(holder, dict) else {}


def _describe(holder: dict[str, Any]) -> str:
    if not holder:
        return "its process has not said who it is yet"
    started = f", started {holder['started']}" if "started" in holder else ""
    return f"process {holder.get('pid')} on {holder.get('host')}{started}"
