"""Notice when much of a chain is stored without its visible fields.

It never stops anything: the events are sealed, stored and verifiable. But nobody
finds them by their fields, and a mapping or a pipeline is most likely to blame.
"""

from collections import deque
from typing import Final

from beats_signer.errors import Problem

__all__ = ["Bareness"]

_ENTRIES: Final = 10_000
"""How many of a chain's newest entries are looked at, at least; and all those that
were stored together with the oldest of them."""


class Bareness:
    """Counts the bare documents of one chain among its newest entries."""

    def __init__(self, origin: str, share: float) -> None:
        """Take the share from which it is a problem."""
        self._origin = origin
        self._share = share
        self._counts: deque[tuple[int, int]] = deque()
        self._entries = 0
        self._bare = 0

    def add(self, entries: int, bare: int) -> bool:
        """Count what was stored together; say whether a problem begins with it."""
        was_problem = self.is_problem
        self._counts.append((entries, bare))
        self._entries += entries
        self._bare += bare
        while self._entries - self._counts[0][0] >= _ENTRIES:
            old_entries, old_bare = self._counts.popleft()
            self._entries -= old_entries
            self._bare -= old_bare
        return self.is_problem and not was_problem

    @property
    def is_problem(self) -> bool:
        """Tell whether too much of the chain is bare."""
        return self._bare > 0 and self._bare >= self._share * self._entries

    def problem(self) -> Problem:
        """Say so to an operator."""
        return Problem(
            f"{self._origin}: {self._bare} of the newest {self._entries} events are "
            "stored without their fields",
            "They are signed and stored, and no search finds them by a field.",
            "See error.message of the documents tagged _beats_signer_bare, mend the "
            "mapping or the pipeline, then run 'beats-signer recover'.",
        )
