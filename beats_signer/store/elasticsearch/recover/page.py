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
one: a pipeline that takes the signed object away has to be undone. So whatever ends
a run, what was written is looked at first.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from beats_signer.errors import RefusedError, StoreError
from beats_signer.store.elasticsearch.recover.document import (
    MismatchError,
    Place,
    Present,
    check_name,
)
from beats_signer.store.elasticsearch.recover.plan import RecoveryPlan
from beats_signer.store.elasticsearch.recover.report import (
    MISMATCH,
    NO_FIELDS,
    SPOILT,
    RecoveryReport,
)
from beats_signer.store.elasticsearch.recover.requests import (
    PAUSES_SECONDS,
    RecoveryRequests,
    Sleep,
)
from beats_signer.store.elasticsearch.recover.work import Step, Work
from beats_signer.store.elasticsearch.recover.writing import Replacement, Writing
from beats_signer.store.elasticsearch.write.outcomes import Outcome, Verdict

__all__ = ["RecoveryPage"]

_MOST_FAULTS: Final = 3
_PASSING: Final = (Verdict.BUSY, Verdict.FAULT)
_NOT_ALLOWED: Final = "security_exception"


class RecoveryPage:
    """Some places where bare documents may stand."""

    def __init__(
        self,
        places: Sequence[Place],
        requests: RecoveryRequests,
        writing: Writing,
        report: RecoveryReport,
        plan: RecoveryPlan,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._left = {place: Work() for place in places}
        self._requests = requests
        self._writing = writing
        self._report = report
        self._plan = plan
        self._sleep = sleep
        self._is_leaving = False
        self._forbidden: RefusedError | None = None

    async def run(self) -> None:
        """Return when nothing is left.

        Raises:
            StoreError: The server does not answer, or is busy, for too long.
            RefusedError: Whoever asks may not.
        """
        pauses = iter(PAUSES_SECONDS)
        while self._left:
            error = await self._round()
            if error is None:
                continue
            pause = next(pauses, None)
            if pause is None or isinstance(error, RefusedError):
                await self._leave()
                raise error
            await self._sleep(pause)
        if self._forbidden is not None:
            raise self._forbidden

    async def _leave(self) -> None:
        """Look at what was written; what was not stays as it is."""
        self._is_leaving = True
        written = {
            place: work for place, work in self._left.items() if work.before is not None
        }
        self._left = written
        with suppress(StoreError):
            for _ in PAUSES_SECONDS:
                if self._left:
                    await self._round()

    async def _round(self) -> StoreError | None:
        """Read what is left, write what has to be written; return what failed."""
        places = list(self._left)
        found = await self._requests.read(places)
        await self._plan.senders.look_up(found)
        items = [
            item
            for place, now in zip(places, found, strict=True)
            if (item := self._judge(place, now)) is not None
        ]
        return await self._write(items) if items else None

    async def _write(self, items: Sequence[Replacement]) -> StoreError | None:
        try:
            outcomes = await self._writing.send(items)
        except StoreError as error:
            for item in items:
                work = self._left[item.present.place]
                if work.step is Step.OPEN:
                    work.step = Step.UNKNOWN
            return error
        passing = [
            outcome
            for item, outcome in zip(items, outcomes, strict=True)
            if not self._note(item.present.place, outcome)
        ]
        if not passing:
            return None
        return StoreError(
            f"{passing[0].kind}: {passing[0].reason}",
            hint="The server is busy. Run it again: what is done stays done.",
        )

    def _judge(self, place: Place, now: Present | Outcome | None) -> Replacement | None:
        """Settle a document by what stands there, or return what to write."""
        work = self._left[place]
        if now is None or isinstance(now, Outcome):
            if now is not None:
                self._report.leave_unread(place, now.kind, now.reason)
            elif work.step is not Step.OPEN:
                self._report.changed += 1
            self._settle(place)
            return None
        match work.step:
            case Step.OPEN:
                return self._begin(place, now)
            case Step.UNKNOWN if work.has(now):
                return self._begin(place, now)
            case Step.SENT | Step.UNKNOWN:
                return self._confirm(place, work, now)
            case Step.SPOILT:
                return self._confirm_undone(place, work, now)

    def _begin(self, place: Place, now: Present) -> Replacement | None:
        bare = None
        try:
            bare = None if self._is_leaving else self._plan.examine(now)
        except MismatchError as error:
            self._report.refuse(place, MISMATCH, f"not touched: {error}")
        if bare is None:
            self._settle(place)
            return None
        self._left[place].before = now
        return Replacement(now, bare.document, self._plan.pipeline_of(bare))

    def _confirm(self, place: Place, work: Work, now: Present) -> Replacement | None:
        """Settle a document that was written, by what has become of it."""
        try:
            check_name(now)
        except MismatchError:
            work.step, work.faults = Step.SPOILT, 0
            return work.undo(now)
        if self._plan.examine(now) is None:
            self._report.recovered += 1
        elif work.step is Step.UNKNOWN:
            self._report.changed += 1
        else:
            self._report.refuse(place, *NO_FIELDS)
        self._settle(place)
        return None

    def _confirm_undone(
        self, place: Place, work: Work, now: Present
    ) -> Replacement | None:
        kind, reason = SPOILT
        try:
            check_name(now)
        except MismatchError:
            if work.faults < _MOST_FAULTS:
                work.faults += 1
                return work.undo(now)
            end = "and it could not be put back: another pipeline does the same"
            self._report.refuse(place, kind, f"{reason}, {end}")
        else:
            self._report.refuse(place, kind, f"{reason}; it was put back as it was")
        self._settle(place)
        return None

    def _note(self, place: Place, outcome: Outcome) -> bool:
        """Note what the server said of a write; ``False``: send it again later."""
        work = self._left[place]
        verdict = outcome.verdict
        if verdict is Verdict.FAULT:
            work.faults += 1
        if verdict in _PASSING and work.faults < _MOST_FAULTS:
            return False
        if verdict is Verdict.STORED:
            if work.step is not Step.SPOILT:
                work.step = Step.SENT
        elif work.step is Step.SPOILT:
            self._note_lost(place, outcome)
        elif outcome.kind == _NOT_ALLOWED:
            self._forbidden = RefusedError(
                f"{place[0]}: {outcome.reason}",
                hint="Run `beats-signer setup` again, and name a user or a key of the "
                "role beats-signer-repair.",
            )
            self._settle(place)
        elif verdict is Verdict.CONFLICT:
            self._note_conflict(place, work, outcome)
        else:
            self._report.refuse(place, outcome.kind, outcome.reason)
            self._settle(place)
        return True

    def _note_conflict(self, place: Place, work: Work, outcome: Outcome) -> None:
        if outcome.index not in (None, place[0]):
            reason = f"its pipeline sends it to {outcome.index}"
            self._report.refuse(place, "rerouted", reason)
            self._settle(place)
        elif work.step is not Step.UNKNOWN:
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
