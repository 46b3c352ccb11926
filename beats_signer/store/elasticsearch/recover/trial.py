"""Ask the server what would become of bare documents; nothing is written."""

from collections.abc import Sequence
from typing import Any

from msgspec import Raw

from beats_signer.errors import RefusedError
from beats_signer.store.elasticsearch.recover.answers import Simulated
from beats_signer.store.elasticsearch.recover.document import (
    Bare,
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
from beats_signer.store.elasticsearch.recover.requests import RecoveryRequests
from beats_signer.store.elasticsearch.write.outcomes import Outcome

__all__ = ["RecoveryTrial"]


class RecoveryTrial:
    """Some places where bare documents may stand.

    The server runs the pipelines and, from version 8.15 or so on, judges by the
    mapping; an older one would refuse more than it says.
    """

    def __init__(
        self,
        places: Sequence[Place],
        requests: RecoveryRequests,
        report: RecoveryReport,
        plan: RecoveryPlan,
    ) -> None:
        self._places = places
        self._requests = requests
        self._report = report
        self._plan = plan

    async def run(self) -> None:
        """Count what would become of each.

        Raises:
            StoreError: The server does not answer, or is busy, for too long.
        """
        found = await self._requests.read(self._places)
        await self._plan.senders.look_up(found)
        waiting: dict[str | None, list[Bare]] = {}
        for place, now in zip(self._places, found, strict=True):
            bare = self._examine(place, now)
            if bare is not None:
                waiting.setdefault(self._plan.pipeline_of(bare), []).append(bare)
        for pipeline, documents in waiting.items():
            told = await self._requests.simulate(
                [_document(bare) for bare in documents], pipeline
            )
            if told is None:
                self._report.untried += len(documents)
                continue
            for bare, one in zip(documents, told, strict=True):
                self._count(bare, one)

    def _examine(self, place: Place, now: Present | Outcome | None) -> Bare | None:
        if now is None:
            return None
        if isinstance(now, Outcome):
            self._report.leave_unread(place, now.kind, now.reason)
            return None
        try:
            return self._plan.examine(now)
        except MismatchError as error:
            self._report.refuse(place, MISMATCH, f"not touched: {error}")
            return None

    def _count(self, bare: Bare, told: Simulated) -> None:
        """Count one document by what the server says of it."""
        place = bare.present.place
        refuse = self._report.refuse
        if told.error is not None:
            if told.error.type == "security_exception":
                raise RefusedError(f"{place[0]}: {told.error.reason}")
            refuse(place, told.error.type, told.error.reason or "")
        elif told.result == "noop" or not bytes(told.source):
            refuse(place, "noop", "a pipeline dropped it")
        elif told.index != place[0]:
            refuse(place, "rerouted", f"its pipeline sends it to {told.index}")
        else:
            self._count_shown(place, Present(place, bytes(told.source), 0, 0))

    def _count_shown(self, place: Place, then: Present) -> None:
        try:
            check_name(then)
        except MismatchError:
            self._report.refuse(place, *SPOILT)
            return
        if self._plan.examine(then) is None:
            self._report.recovered += 1
        else:
            self._report.refuse(place, *NO_FIELDS)


def _document(bare: Bare) -> dict[str, Any]:
    index, name = bare.present.place
    return {"_index": index, "_id": name, "_source": Raw(bare.document)}
