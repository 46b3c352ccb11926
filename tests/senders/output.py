"""The lines that a process writes, gathered while it runs."""

import threading
from collections.abc import Callable
from typing import IO, TypeVar

__all__ = ["PATIENCE_SECONDS", "Output"]

_T = TypeVar("_T")

PATIENCE_SECONDS = 60.0
"""How long a test waits for what must come. On an idle machine all of it comes
within a second or two."""


class Output:
    """Reads a stream to its end in a thread; tests wait for what stands in it."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._lines: list[str] = []
        self._has_ended = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    @property
    def lines(self) -> list[str]:
        """Return what was read so far."""
        with self._changed:
            return list(self._lines)

    def wait_for(self, find: Callable[[list[str]], _T | None], what: str) -> _T:
        """Return what ``find`` sees in the lines; ``None`` means: not yet.

        It is an error if the stream ends before.
        """
        with self._changed:
            self._changed.wait_for(
                lambda: self._has_ended or find(self._lines) is not None,
                PATIENCE_SECONDS,
            )
            found = find(self._lines)
            if found is None:
                text = "".join(self._lines[-40:])
                raise AssertionError(f"no sign of {what} in:\n{text}")
            return found

    def stays(self, is_so: Callable[[list[str]], bool], seconds: float) -> bool:
        """Return whether something holds for all that is written in a time."""
        with self._changed:
            return not self._changed.wait_for(lambda: not is_so(self._lines), seconds)

    def join(self) -> None:
        """Wait until the stream has ended and all of it was read."""
        self._thread.join(PATIENCE_SECONDS)

    def _read(self) -> None:
        with self._stream:
            for line in self._stream:
                with self._changed:
                    self._lines.append(line)
                    self._changed.notify_all()
        with self._changed:
            self._has_ended = True
            self._changed.notify_all()
