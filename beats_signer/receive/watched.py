"""What was made of some files, and is made anew when they change.

A file is looked at, not listened to: that works on every file system, and through
symbolic links. It counts as changed when its time, its size or its inode is
another, and is read once two looks in a row have seen it alike: so what is still
being written is not read. What cannot be used changes nothing; the log says why,
once for each change.
"""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Generic, TypeVar

from structlog.typing import FilteringBoundLogger

from beats_signer.errors import ConfigError, Problem

__all__ = ["Watched"]

_T = TypeVar("_T")
_Stamp = tuple[int, int, int] | None
"""Time of change, size and inode; ``None`` when there is no such file."""


class Watched(Generic[_T]):
    """The last good reading of some files."""

    def __init__(self, paths: Sequence[Path], load: Callable[[], _T]) -> None:
        """Read the files for the first time.

        Raises:
            ConfigError: As *load* does. What it raises later changes nothing.
        """
        self.paths = tuple(paths)
        self._load = load
        self._read = self._seen = self._take_stamps()
        """The files as they were when last read, and when last looked at."""
        self._broken: str | None = None
        self.value = load()

    @property
    def problem(self) -> Problem | None:
        """Return why the files as they are now are not in use."""
        if self._broken is None:
            return None
        return Problem(
            f"changed files cannot be used: {self._broken}",
            "What was read before stays in use.",
            "Correct the file; it is read again as soon as it changes.",
        )

    async def look(self, log: FilteringBoundLogger) -> bool:
        """Look at the files once; tell whether there is a new value."""
        # A file system that does not answer must not stop the event loop.
        stamps = await asyncio.to_thread(self._take_stamps)
        is_settled, self._seen = stamps == self._seen, stamps
        if not is_settled or stamps == self._read:
            return False
        self._read = stamps
        try:
            self.value = await asyncio.to_thread(self._load)
        except ConfigError as error:
            self._broken = str(error)
            log.warning(
                "changed files cannot be used, what was read before stays in use",
                error=str(error),
                hint=error.hint,
            )
            return False
        self._broken = None
        log.info("changed files are in use", files=list(map(str, self.paths)))
        return True

    def _take_stamps(self) -> tuple[_Stamp, ...]:
        return tuple(map(_take_stamp, self.paths))


def _take_stamp(path: Path) -> _Stamp:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
