"""Watch the free space beside the journal, before a full disk is an error.

A write that fails ends the process, and senders lose their connections. Long
before that, sealing pauses: senders wait with signs of life, nothing is lost,
and it goes on by itself when there is space again.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

from structlog.typing import FilteringBoundLogger

from beats_signer.errors import Problem
from beats_signer.sign.disk import Disk
from beats_signer.sign.timer import Timer

__all__ = ["Space"]

_PAUSE_SECONDS = 10.0


class Space:
    """The space of one state directory. Event loop only."""

    def __init__(
        self, journal: Path, disk: Disk, most_bytes: int, log: FilteringBoundLogger
    ) -> None:
        """Take how large the journal may get; what it has already is its own."""
        self.free_bytes = 0
        """As it was seen last."""
        self.is_short = False
        """Whether nothing may be sealed."""
        self._journal = journal
        self._disk = disk
        self._most_bytes = most_bytes
        self._log = log

    def look(self) -> bool:
        """Look how much there is; tell whether ``is_short`` has changed."""
        try:
            self.free_bytes = self._disk.free_bytes(self._journal.parent)
            needed_bytes = self._most_bytes - self._journal.stat().st_size
        except OSError as error:
            self._log.warning("the free space is not known", error=str(error))
            return False
        was_short, self.is_short = self.is_short, self.free_bytes < needed_bytes
        if self.is_short == was_short:
            return False
        log = self._log.error if self.is_short else self._log.info
        log(
            "sealing pauses for want of space"
            if self.is_short
            else "there is space again, sealing goes on",
            path=str(self._journal.parent),
            free_bytes=self.free_bytes,
            needed_bytes=needed_bytes,
        )
        return True

    def problems(self) -> Iterator[Problem]:
        """Yield what an operator has to do."""
        if self.is_short:
            yield Problem(
                f"{self._journal.parent} has {self.free_bytes >> 20} MiB of free space",
                "Nothing is sealed: senders wait, and nothing is lost.",
                f"Free space until the journal can grow to {self._most_bytes >> 20} "
                "MiB, or lower sealing.journal_bytes.",
            )

    async def watch(self, timer: Timer, changed: Callable[[], object]) -> None:
        """Look again and again, for ever; call *changed* when it makes a difference."""
        while True:
            await timer.sleep(_PAUSE_SECONDS)
            if self.look():
                changed()
