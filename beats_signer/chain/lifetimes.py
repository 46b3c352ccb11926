"""Judge which entries of one chain may be gone, and which should be.

An entry is rightly gone when its retention is over, by the setting in force at
its seal, or when a later erase seal lists it. Memory grows only with the runs of
entries that are said to be erased.
"""

from bisect import bisect_left
from collections.abc import Sequence

from beats_signer.chain.findings import FindingKind, Findings
from beats_signer.chain.seal import Seal
from beats_signer.chain.times import SECOND

__all__ = ["Lifetimes"]

_DAY = 86_400 * SECOND


class Lifetimes:
    """Retention and erasures of one chain, seal by seal."""

    def __init__(self, horizon: int, findings: Findings) -> None:
        """Take the earlier of the verifier's clock and the newest seal's time."""
        self._horizon = horizon
        self._findings = findings
        self.retention_days: int | None = None
        """In force now; the owner sets it from founding and config."""
        self._confirmed_days: int | None = None
        self.is_erasable = False
        self._erased: list[tuple[int, int]] = []
        """Runs that are said to be erased and that no erase seal lists yet:
        first and last index, ascending, apart from each other."""

    def confirm(self) -> None:
        """Take the retention that is in force as proven."""
        self._confirmed_days = self.retention_days

    def revert(self) -> None:
        """Go back to the retention that was proven last."""
        self.retention_days = self._confirmed_days

    def add_present(self, seal: Seal, place: range) -> None:
        """Note entries that are there."""
        if place and self._is_over(seal):
            self._add(FindingKind.OVERDUE, "retention", place, seal)

    def add_expired(self, seal: Seal, place: range) -> None:
        """Judge entries that are said to be gone because of their age."""
        if not place:
            return
        if self._is_over(seal):
            self._add(FindingKind.EXPIRED, "entries", place, seal)
        else:
            self._add(FindingKind.MISSING, "expired-early", place, seal)

    def add_erased(self, seal: Seal, place: range) -> None:
        """Judge entries that are said to be gone by somebody's decision."""
        if not place:
            return
        if not self.is_erasable:
            self._add(FindingKind.MISSING, "erased-unsealed", place, seal)
        elif self._erased and self._erased[-1][1] == place.start - 1:
            self._erased[-1] = (self._erased[-1][0], place.stop - 1)
        else:
            self._erased.append((place.start, place.stop - 1))

    def erase(self, indexes: Sequence[int]) -> None:
        """Take the ascending indexes that an erase seal lists."""
        for first, last in _runs(indexes):
            self._erase(first, last)

    def finish(self) -> None:
        """Report what is gone as erased although no erase seal lists it."""
        for run in self._erased:
            self._findings.add(FindingKind.MISSING, "erased-unsealed", entries=run)
        self._erased = []

    def _is_over(self, seal: Seal) -> bool:
        days = self.retention_days
        return days is not None and seal.time + days * _DAY <= self._horizon

    def _erase(self, first: int, last: int) -> None:
        """Split what was said to be erased into what is listed and what is not."""
        at = bisect_left(self._erased, first, key=lambda run: run[1])
        stop, kept, there = at, [], first
        while stop < len(self._erased) and self._erased[stop][0] <= last:
            low, high = self._erased[stop]
            kept += [(low, first - 1)] if low < first else []
            kept += [(last + 1, high)] if high > last else []
            self._report_there(there, low - 1)
            gone = (max(low, first), min(high, last))
            self._findings.add(FindingKind.ERASED, "entries", entries=gone)
            there, stop = gone[1] + 1, stop + 1
        self._report_there(there, last)
        self._erased[at:stop] = kept

    def _report_there(self, first: int, last: int) -> None:
        if first <= last:
            self._findings.add(FindingKind.OVERDUE, "erasure", entries=(first, last))

    def _add(self, kind: FindingKind, reason: str, place: range, seal: Seal) -> None:
        self._findings.add(
            kind,
            reason,
            seals=(seal.number, seal.number),
            entries=(place.start, place.stop - 1),
        )


def _runs(indexes: Sequence[int]) -> list[tuple[int, int]]:
    """Return ascending indexes as runs of first and last."""
    runs: list[tuple[int, int]] = []
    for index in indexes:
        if runs and runs[-1][1] == index - 1:
            runs[-1] = (runs[-1][0], index)
        else:
            runs.append((index, index))
    return runs
