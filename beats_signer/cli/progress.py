"""Show on a terminal how far a long reading has come."""

from collections.abc import Callable
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

__all__ = ["ReadingProgress"]

_REFRESH_SECONDS = 0.1


class ReadingProgress:
    """A bar on standard error, or nothing where nobody looks at it."""

    def __init__(
        self, verb: str, done: Callable[[], float], clock: Callable[[], float]
    ) -> None:
        """Take what is being done, and how much of it is done, from 0 to 1."""
        console = Console(stderr=True)
        self._done = done
        self._clock = clock
        self._is_shown = console.is_terminal
        self._entries = 0
        self._begun = self._shown = clock()
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[entries]:,} events, {task.fields[rate]:,}/s"),
            TimeRemainingColumn(),
            console=console,
            disable=not self._is_shown,
            transient=True,
        )
        self._task = self._bar.add_task(verb, total=1.0, entries=0, rate=0)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def add(self, entries: int) -> None:
        """Count entries that were read."""
        self._entries += entries
        if not self._is_shown:
            return
        now = self._clock()
        if now - self._shown >= _REFRESH_SECONDS:
            self._shown = now
            rate = int(self._entries / max(now - self._begun, _REFRESH_SECONDS))
            self._bar.update(
                self._task, completed=self._done(), entries=self._entries, rate=rate
            )
