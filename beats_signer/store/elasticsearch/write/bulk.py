"""Send one request of a chain and judge the answer as a whole."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

from beats_signer.errors import RefusedError, StoreError
from beats_signer.store.elasticsearch.client import Answer, Client, UnansweredError
from beats_signer.store.elasticsearch.write.body import Part
from beats_signer.store.elasticsearch.write.capacity import Capacity
from beats_signer.store.elasticsearch.write.outcomes import (
    FILTER_PATH,
    Action,
    AnswerError,
    Outcome,
    RequestVerdict,
    Verdict,
    are_stored,
    judge_items,
    judge_request,
    reason_of,
)
from beats_signer.store.elasticsearch.write.standing import read_documents, request_of
from beats_signer.store.tally import StoreTally

__all__ = ["Bulk", "NothingTakenError"]

_MOST_FAULTS: Final = 3
"""So often a request that the server fails at is sent whole; then in halves."""


_LONG_BYTES: Final = 128 << 10
"""An answer that takes about two milliseconds to judge when every item failed."""


class NothingTakenError(Exception):
    """Nothing of the request is stored: send fewer of its items at a time."""

    def __init__(self, outcome: Outcome, *, is_too_large: bool = False) -> None:
        super().__init__(outcome.reason)
        self.outcome = outcome
        """What it means when there was only one item."""
        self.is_too_large = is_too_large
        """Whether it is a matter of size alone, and smaller ones are taken."""


class Bulk:
    """The requests of one write."""

    def __init__(
        self,
        client: Client,
        capacity: Capacity,
        chain: bytes,
        sent_before: float,
        clock: Callable[[], float] = time.monotonic,
        action: Action = Action.CREATE,
        tally: StoreTally | None = None,
    ) -> None:
        """Take when, at the latest, an earlier process may have sent the same."""
        self._tally = tally or StoreTally()
        self._client = client
        self._capacity = capacity
        self._chain = chain
        self._clock = clock
        self._action = action
        self._faults = 0
        self._began = clock()
        self.unanswered_at = sent_before
        """When a request last ended without an answer: it may still be running."""

    async def send(self, part: Part) -> list[Outcome]:
        """Send some items; return the outcome of each.

        Raises:
            UnansweredError, StoreError: Send the same again.
            RefusedError: The same, slowly.
            NothingTakenError: Send fewer at a time.
        """
        async with self._capacity.slot(self._chain):
            self._tally.in_flight += 1
            self._began = self._clock()
            try:
                outcomes = await self._send(part)
            finally:
                self._tally.in_flight -= 1
                self._tally.limit = self._capacity.limit
        self._faults = 0
        return outcomes

    async def read(self, places: Sequence[tuple[str, str]]) -> list[bytes | None]:
        """Return what stands at these places (index and ``_id``), in realtime.

        Raises:
            StoreError: The answer is unknown; ask again.
        """
        answer = await self._client.request("POST", "/_mget", data=request_of(places))
        if answer.status in (401, 403):
            kind, reason = reason_of(answer.data)
            raise RefusedError(
                f"conflicts cannot be compared: {kind}: {reason}",
                hint="Give the signer's role the privilege read on its targets.",
            )
        try:
            return await asyncio.to_thread(read_documents, answer, len(places))
        except ValueError as error:
            raise StoreError(f"conflicts cannot be compared: {error}") from error

    async def _send(self, part: Part) -> list[Outcome]:
        try:
            answer = await self._client.bulk(part.data, filter_path=FILTER_PATH)
        except (UnansweredError, asyncio.CancelledError):
            self._forget()
            raise
        self._check(answer, part)
        try:
            outcomes = await self._judge(answer.data, part.count)
        except AnswerError as error:
            self._forget()
            raise UnansweredError(f"bulk request: {error}") from error
        self._learn(outcomes)
        return outcomes

    async def _judge(self, data: bytes, count: int) -> list[Outcome]:
        """Judge a long answer where it holds up nobody."""
        if len(data) < _LONG_BYTES:
            return judge_items(data, count, self._action)
        return await asyncio.to_thread(judge_items, data, count, self._action)

    def _check(self, answer: Answer, part: Part) -> None:
        """Return when every item has an outcome of its own."""
        verdict = judge_request(answer.status, answer.data)
        if verdict is RequestVerdict.ANSWERED:
            return
        self._count(verdict.value)
        kind, reason = reason_of(answer.data)
        message = f"bulk request of {part.count} items: {answer.status} {kind} {reason}"
        match verdict:
            case RequestVerdict.BUSY:
                if answer.status != 429:  # a proxy may have passed it on before
                    self.unanswered_at = self._clock()
                self._capacity.shrink()
                raise StoreError(message, hint="The server is busy; nothing is lost.")
            case RequestVerdict.TOO_LARGE:
                self._capacity.lower(part.size)
                outcome = Outcome(Verdict.TOO_LARGE, kind, message)
                raise NothingTakenError(outcome, is_too_large=True)
            case RequestVerdict.MALFORMED:
                raise NothingTakenError(Outcome(Verdict.REJECTED, kind, message))
            case RequestVerdict.FAULT:
                self.unanswered_at = self._clock()
                self._faults += 1
                if self._faults >= _MOST_FAULTS:
                    raise NothingTakenError(Outcome(Verdict.FAULT, kind, message))
                raise StoreError(message, hint="See the server's log.")
            case _:
                raise RefusedError(message, hint=_hint(answer.status))

    def _learn(self, outcomes: list[Outcome]) -> None:
        """Note how busy the server is, and whether it may still be at it."""
        if are_stored(outcomes):
            self._count("stored")
            self._tally.items["stored"] += len(outcomes)
            self._capacity.grow()
            return
        self._count("partial")
        counts = Counter(outcome.verdict for outcome in outcomes)
        for verdict, count in counts.items():
            self._tally.items[verdict.value] += count
        verdicts = counts.keys()
        if verdicts & {Verdict.BUSY, Verdict.FAULT}:
            self.unanswered_at = self._clock()
        if Verdict.BUSY in verdicts:
            self._capacity.shrink()
        else:
            self._capacity.grow()

    def _count(self, result: str) -> None:
        self._tally.count(result, self._clock() - self._began)

    def _forget(self) -> None:
        """Note that a request went and nothing is known of it."""
        self._count("unanswered")
        self.unanswered_at = self._clock()
        self._capacity.shrink()


def _hint(status: int) -> str:
    match status:
        case 401:
            return "The key or password is wrong or has expired: give a new one."
        case 403:
            return "The signer's role lacks a privilege: run 'beats-signer setup'."
        case _:
            return "See that the hosts name an Elasticsearch and no other server."
