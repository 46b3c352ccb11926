"""Notice when a signer was silent, by its catalogue."""

from beats_signer.chain.findings import FindingKind, Findings
from beats_signer.chain.records import CatalogueRecord, StartRecord, StopRecord
from beats_signer.chain.seal import Seal
from beats_signer.chain.times import SECOND, format_time

__all__ = ["Silence"]

_HEARTBEATS = 3
"""A silence longer than this many heartbeats is reported."""


class Silence:
    """The time between the seals of a catalogue."""

    def __init__(self, findings: Findings) -> None:
        """Start before the first seal."""
        self.heartbeat_seconds: int | None = None
        """In force now; the owner sets it from founding and config."""
        self._findings = findings
        self._last: Seal | None = None
        self._is_stopped = False

    def add_seal(self, seal: Seal) -> None:
        """Take the next seal; a long silence before it is information."""
        last, self._last = self._last, seal
        if last is not None and self._is_long(seal.time - last.time):
            self._report_stop((last.number, seal.number), last.time, seal.time)

    def add_record(self, record: CatalogueRecord) -> None:
        """Take a record of the seal that came last."""
        if isinstance(record, StopRecord):
            self._is_stopped = True
        elif isinstance(record, StartRecord):
            self._is_stopped = False

    def finish(self, now: int, *, is_live: bool) -> None:
        """Judge the end; only a live source is expected to go on."""
        last = self._last
        if last is None:
            return
        if self._is_stopped:
            self._report_stop((last.number, last.number), last.time, None)
        elif is_live and self._is_long(now - last.time):
            self._findings.add(
                FindingKind.STALE,
                "catalogue",
                seals=(last.number, last.number),
                detail=f"of {format_time(last.time)}",
            )

    def _is_long(self, nanoseconds: int) -> bool:
        seconds = self.heartbeat_seconds
        return seconds is not None and nanoseconds > _HEARTBEATS * seconds * SECOND

    def _report_stop(
        self, seals: tuple[int, int], since: int, until: int | None
    ) -> None:
        end = "" if until is None else f" to {format_time(until)}"
        self._findings.add(
            FindingKind.STOPPED,
            "announced" if self._is_stopped else "silent",
            seals=seals,
            detail=f"{format_time(since)}{end}",
        )
