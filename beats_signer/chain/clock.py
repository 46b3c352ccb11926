"""Judge the times of a chain by the verifier's clock and by each other."""

from collections.abc import Sequence

from beats_signer.chain.body import WindowRecord
from beats_signer.chain.findings import FindingKind, Findings
from beats_signer.chain.seal import Seal
from beats_signer.chain.times import SECOND

__all__ = ["CLOCK_SECONDS", "Clock"]

CLOCK_SECONDS = 300
"""How far a time may be from another one that it should be close to."""

_LEEWAY = CLOCK_SECONDS * SECOND


class Clock:
    """The verifier's clock, which stands still while it verifies."""

    def __init__(self, now: int, findings: Findings) -> None:
        """Take the clock, nanoseconds since 1970."""
        self._now = now
        self._findings = findings

    def judge(self, seal: Seal) -> None:
        """Report a seal that claims to come from the future."""
        if seal.time > self._now + _LEEWAY:
            self._report(FindingKind.CLOCK, "ahead", seal)

    def judge_windows(self, seal: Seal, windows: Sequence[WindowRecord]) -> None:
        """Report windows that came long before their seal, or after it.

        A window that was recognised as sent before may wait for its seal as
        long as the chain is idle; the entries that it repeats do not.
        """
        for window in windows:
            ahead = window.received - seal.time
            if window.same is not None:
                self._report(FindingKind.DUPLICATE, "window", seal)
            if ahead > _LEEWAY or (window.same is None and ahead < -_LEEWAY):
                self._report(FindingKind.CLOCK, "received", seal)

    def _report(self, kind: FindingKind, reason: str, seal: Seal) -> None:
        self._findings.add(kind, reason, seals=(seal.number, seal.number))
