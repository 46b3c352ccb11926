"""Write the bare documents of one page again, and see what has become of them.

| step     | the document                            | next                          |
|----------|-----------------------------------------|-------------------------------|
| OPEN     | is to be read, and written if bare      | SENT, UNKNOWN, or settled     |
| SENT     | was written                             | read: settled, or SPOILT      |
| UNKNOWN  | may have been written: no answer came   | read: as OPEN, or as SENT     |
| SPOILT   | has lost what was signed; it was put    | read: settled                 |
|          | back as it was before                   |                               |

A write replaces the version that was read and no other, in the index where it
stands. A crash at any moment leaves each document as it was or recovered, but for
one: a pipeline that takes the signed object away has to be undone. So a page that
has begun is ended before a run is.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from beats_signer.errors import RefusedError, StoreError
from beats_signer.store.elasticsearch.outcomes import Outcome, Verdict
from beats_signer.store.elasticsearch.recover_document import (
    Bare,
    MismatchError,
    Place,
    Present,
    check_name,
    examine,
)
from beats_signer.store.elasticsearch.recover_report import RecoveryReport
from beats_signer.store.elasticsearch.recover_requests import (
    PAUSES_SECONDS,
    RecoveryRequests,
    Sleep,
)
from beats_signer.store.elasticsearch.recover_senders import SenderFields
from beats_signer.store.elasticsearch.recover_writing import Replacement, Writing

__all__ = ["MISMATCH", "NO_FIELDS", "SPOILT", "PipelineOf", "RecoveryPage"]

PipelineOf = Callable[[Bare], str | None]
"""The ingest pipeline that rules give a document; ``None``: that of its index."""

MISMATCH: Final = "mismatch"
NO_FIELDS: Final = "no_fields", "its pipeline leaves nothing of it to be seen"
SPOILT: Final = "spoilt", "its pipeline changes the signed object beats_signer"
_MOST_FAULTS: Final = 3
_PASSING: Final = (Verdict.BUSY, Verdict.FAULT)
_NOT_ALLOWED: Final = "security_exception"


class _Step(Enum):
    OPEN = "open"
    SENT = "sent"
    UNKNOWN = "unknown"
    SPOILT = "spoilt"


@dataclass(slots=True)
class _Work:
    """One document of the page, until it is settled."""

    step: _Step = _Step.OPEN
    before: Present | None = None
    """What stood there when it was last sent, bare."""
    faults: int = 0


class RecoveryPage:
    """Some places where bare documents may stand."""

    def __init__(
        self,
        places: Sequence[Place],
        requests: RecoveryRequests,
        writing: Writing,
        report: RecoveryReport,
        *,
        origins: Mapping[str, str],
        pipeline_of: PipelineOf,
        senders: SenderFields,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._left = {place: _Work() for place in places}
        self._requests = requests
        self._writing = writing
        self._report = report
        self._origins = origins
        self._pipeline_of = pipeline_of
        self._senders = senders
        self._sleep = sleep

    async def run(self) -> None:
        """Return when nothing is left.

        Raises:
            StoreError: The server does not answer, or is busy, for too long.
            RefusedError: Whoever asks may not.
        """
        failures = 0
        while self._left:
            try:
                await self._round()
            except RefusedError:
                raise
            except StoreError:
                if failures == len(PAUSES_SECONDS):
                    raise
                await self._sleep(PAUSES_SECONDS[failures])
                failures += 1

    async def _round(self) -> None:
        """Read what is left, and write what has to be written."""
        places = list(self._left)
        found = await self._requests.read(places)
        await self._senders.look_up(found)
        items = [
            item
            for place, now in zip(places, found, strict=True)
            if (item := self._judge(place, now)) is not None
        ]
        if items:
            await self._write(items)

    async def _write(self, items: Sequence[Replacement]) -> None:
        try:
            outcomes = await self._writing.send(items)
        except RefusedError:
            raise
        except StoreError:
            for item in items:
                work = self._left[item.present.place]
                if work.step is _Step.OPEN:
                    work.step = _Step.UNKNOWN
            raise
        passing = [
            outcome
            for item, outcome in zip(items, outcomes, strict=True)
            if not self._note(item.present.place, outcome)
        ]
        if passing:
            raise StoreError(
                f"{passing[0].kind}: {passing[0].reason}",
                hint="The server is busy. Run it again: what is done stays done.",
            )

    def _judge(self, place: Place, now: Present | Outcome | None) -> Replacement | None:
        """Settle a document by what stands there, or return what to write."""
        work = self._left[place]
        if isinstance(now, Outcome):
            reason = f"{place[0]} cannot be read: {now.kind}: {now.reason}"
            self._report.leave_open(reason)
            self._settle(place)
            return None
        if now is None:
            if work.step is not _Step.OPEN:
                self._report.changed += 1
            self._settle(place)
            return None
        is_unchanged = work.before is not None and now.seq_no == work.before.seq_no
        match work.step:
            case _Step.OPEN:
                return self._begin(place, now)
            case _Step.UNKNOWN if is_unchanged:
                return self._begin(place, now)
            case _Step.SENT | _Step.UNKNOWN:
                return self._confirm(place, work, now)
            case _Step.SPOILT:
                return self._confirm_undone(place, work, now)

    def _begin(self, place: Place, now: Present) -> Replacement | None:
        try:
            bare = self._examine(now)
        except MismatchError as error:
            self._report.refuse(place, MISMATCH, f"not touched: {error}")
            self._settle(place)
            return None
        if bare is None:
            self._settle(place)
            return None
        self._left[place].before = now
        return Replacement(now, bare.document, self._pipeline_of(bare))

    def _confirm(self, place: Place, work: _Work, now: Present) -> Replacement | None:
        """Settle a document that was written, by what has become of it."""
        try:
            check_name(now)
        except MismatchError:
            work.step, work.faults = _Step.SPOILT, 0
            return self._undo(work, now)
        if self._examine(now) is None:
            self._report.recovered += 1
        elif work.step is _Step.UNKNOWN:
            self._report.changed += 1
        else:
            self._report.refuse(place, *NO_FIELDS)
        self._settle(place)
        return None

    def _confirm_undone(
        self, place: Place, work: _Work, now: Present
    ) -> Replacement | None:
        kind, reason = SPOILT
        try:
            check_name(now)
        except MismatchError:
            if work.faults < _MOST_FAULTS:
                return self._undo(work, now)
            end = "and it could not be put back: another pipeline does the same"
            self._report.refuse(place, kind, f"{reason}, {end}")
        else:
            self._report.refuse(place, kind, f"{reason}; it was put back as it was")
        self._settle(place)
        return None

    @staticmethod
    def _undo(work: _Work, now: Present) -> Replacement:
        assert work.before is not None, "it was sent"
        work.faults += 1
        source = work.before.source.replace(b"\n", b" ").replace(b"\r", b" ")
        return Replacement(now, source + b"\n", "_none")

    def _examine(self, now: Present) -> Bare | None:
        return examine(now, self._origins, self._senders.member)

    def _note(self, place: Place, outcome: Outcome) -> bool:
        """Note what the server said of a write; ``False``: send it again later."""
        work = self._left[place]
        verdict = outcome.verdict
        if verdict is Verdict.FAULT:
            work.faults += 1
        if verdict in _PASSING and work.faults < _MOST_FAULTS:
            return False
        if verdict is Verdict.STORED:
            if work.step is not _Step.SPOILT:
                work.step = _Step.SENT
        elif outcome.kind == _NOT_ALLOWED:
            raise RefusedError(
                f"{place[0]}: {outcome.reason}",
                hint="Run `beats-signer setup` again, and name a user or a key of the "
                "role beats-signer-repair.",
            )
        elif work.step is _Step.SPOILT:
            self._note_lost(place, outcome)
        elif verdict is Verdict.CONFLICT:
            self._note_conflict(place, work, outcome)
        else:
            self._report.refuse(place, outcome.kind, outcome.reason)
            self._settle(place)
        return True

    def _note_conflict(self, place: Place, work: _Work, outcome: Outcome) -> None:
        if outcome.index not in (None, place[0]):
            reason = f"its pipeline sends it to {outcome.index}"
            self._report.refuse(place, "rerouted", reason)
            self._settle(place)
        elif work.step is not _Step.UNKNOWN:
            self._report.changed += 1
            self._settle(place)
        # else our own request may have been carried out: read it again

    def _note_lost(self, place: Place, outcome: Outcome) -> None:
        if outcome.verdict is Verdict.CONFLICT:
            return  # somebody was faster: read it again
        kind, reason = SPOILT
        self._report.refuse(
            place, kind, f"{reason}, and it could not be put back: {outcome.reason}"
        )
        self._settle(place)

    def _settle(self, place: Place) -> None:
        del self._left[place]
