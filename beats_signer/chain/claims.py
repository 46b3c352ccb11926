"""Remember which seals of a chain are followed without being proven."""

from beats_signer.chain.findings import FindingKind, Findings
from beats_signer.chain.seal import Seal

__all__ = ["Claims"]

_RUNS = 1000
"""Runs of unproven seals that are told apart; the last one takes all others."""


class Claims:
    """At most one run of seals that may still be proven, and those that cannot."""

    def __init__(self, findings: Findings) -> None:
        """Start with everything proven."""
        self._findings = findings
        self._first: Seal | None = None  # of the run that is open
        self._last: Seal | None = None
        self._unprovable: list[tuple[int, int]] = []
        self.abandoned = 0
        """Number of runs that came to nothing."""

    @property
    def is_open(self) -> bool:
        """Tell whether there is a run that may still be proven."""
        return self._first is not None

    @property
    def seals(self) -> tuple[tuple[int, int], ...]:
        """Return first and last number of all runs, unproven up to here."""
        if self._first is None or self._last is None:
            return tuple(self._unprovable)
        return (*self._unprovable, (self._first.number, self._last.number))

    def open(self, seal: Seal) -> None:
        """Start a run at this seal, unless there is one."""
        if self._first is None:
            self._first = self._last = seal

    def extend(self, seal: Seal) -> None:
        """Take a further seal into the run, if there is one."""
        if self._first is not None:
            self._last = seal

    def prove(self) -> None:
        """Believe the run: a trusted head commits to every seal of it."""
        self._first = self._last = None

    def close(self) -> None:
        """Report the run: nothing can prove it any more."""
        first, last = self._first, self._last
        self.prove()
        if first is None or last is None:
            return
        self.abandoned += 1
        self._add_unprovable(first.number, last.number)
        end = last.first + last.count
        self._findings.add(
            FindingKind.UNPROVEN,
            "seals",
            seals=(first.number, last.number),
            entries=(first.first, end - 1) if end > first.first else None,
        )

    def _add_unprovable(self, first: int, last: int) -> None:
        if len(self._unprovable) < _RUNS:
            self._unprovable.append((first, last))
        else:
            self._unprovable[-1] = (self._unprovable[-1][0], last)
