"""Judge what Elasticsearch answers to a bulk request; nothing here sends.

Only ``created`` without a failure store is stored. ``errors: false`` says
nothing: a dropped document and one that went to a failure store have no error.
"""

from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Final

import msgspec
from msgspec import Struct

from beats_signer.store.elasticsearch.write.oversize import (
    can_never_fit,
    item_can_never_fit,
)

__all__ = [
    "FILTER_PATH",
    "Action",
    "AnswerError",
    "Outcome",
    "RequestVerdict",
    "Verdict",
    "are_stored",
    "judge_items",
    "judge_request",
    "reason_of",
]

FILTER_PATH: Final = (
    "errors,items.*.status,items.*.result,items.*.error,items.*.failure_store"
)
"""What the server has to say of each item. The status is always there, so that
the items that come back are as many as were sent, in their order."""


class Action(StrEnum):
    """What every item of a request asks for."""

    CREATE = "create"
    """A new document."""
    INDEX = "index"
    """Another version of a document, in the place of the one that was read."""


class Verdict(Enum):
    """What one item of an answer means."""

    STORED = "stored"
    CONFLICT = "conflict"
    """Something stands under this ``_id``: read and compare it."""
    BUSY = "busy"
    """Send it again, later; the server has too much to do, or is not ready."""
    REFUSED = "refused"
    """An operator has to mend something; send it again, slowly."""
    NO_PIPELINE = "no pipeline"
    """The ingest pipeline does not exist."""
    NO_PLACE = "no place"
    """The target does not exist, may not, or may not be written to by us."""
    REJECTED = "rejected"
    """This document will never be taken, or was taken to somewhere else."""
    TOO_LARGE = "too large"
    """It, or another for the same shard, is more than the server ever takes."""
    FAULT = "fault"
    """The server or a pipeline failed: perhaps for good, perhaps not."""


class RequestVerdict(Enum):
    """What the status of a whole answer means."""

    ANSWERED = "answered"
    """Each item has its own outcome."""
    BUSY = "busy"
    TOO_LARGE = "too large"
    """Nothing is stored: send fewer items at a time."""
    MALFORMED = "malformed"
    """Nothing is stored, for the sake of one item: find it by halves."""
    REFUSED = "refused"
    FAULT = "fault"
    """Unknown whether anything is stored."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The verdict on one item, and why."""

    verdict: Verdict
    kind: str = ""
    """Type of the error, in the server's words."""
    reason: str = ""
    index: str | None = None
    """Of a conflict: the index, behind a data stream, where the other stands."""


class AnswerError(Exception):
    """The answer cannot be read, or is not one to what was sent."""


class _Error(Struct, gc=False):
    type: str = ""
    reason: str | None = None
    index: str | None = None
    caused_by: "_Error | None" = None


class _Item(Struct, gc=False):
    status: int
    result: str = ""
    failure_store: str = ""
    error: _Error | str | None = None


class _Answer(Struct):
    items: list[dict[str, _Item]]


class _Refusal(Struct):
    error: _Error | str | None = None


_ANSWER = msgspec.json.Decoder(_Answer)
_REFUSAL = msgspec.json.Decoder(_Refusal)
_CREATED = Outcome(Verdict.STORED)
_DONE: Final = {Action.CREATE: (201, "created"), Action.INDEX: (200, "updated")}
"""Status and result of what was done as it was asked for."""
_CREATED_ITEM: Final = b'{"create":{"result":"created","status":201}}'
_REASON_CHARACTERS: Final = 500
"""An error repeats much of the document; a log and a bare document need less."""
_BUSY = frozenset({408, 429, 502, 503, 504})
_PIPELINE_FAILED: Final = "fail_processor_exception"
_BLOCKED: Final = "cluster_block_exception"


def judge_request(status: int, data: bytes) -> RequestVerdict:
    """Say what the status of an answer to a bulk request means."""
    if status == 200:
        return RequestVerdict.ANSWERED
    if status == 413 or (status == 429 and can_never_fit(data)):
        return RequestVerdict.TOO_LARGE
    if status in _BUSY:
        return RequestVerdict.BUSY
    if status == 400:
        kind, _ = reason_of(data)
        # What says no type is not Elasticsearch; another media type will not come
        # by itself.
        is_theirs = kind not in ("", "media_type_header_exception")
        return RequestVerdict.MALFORMED if is_theirs else RequestVerdict.REFUSED
    return RequestVerdict.FAULT if status >= 500 else RequestVerdict.REFUSED


def judge_items(
    data: bytes, count: int, action: Action = Action.CREATE
) -> list[Outcome]:
    """Return the outcome of each of the ``count`` items that were sent.

    Raises:
        AnswerError: The answer is cut, malformed or has another number of
            items: what is stored is unknown.
    """
    if data == _all_created(count):
        return [_CREATED] * count
    try:
        items = _ANSWER.decode(data).items
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise AnswerError(f"the answer cannot be read: {error}") from error
    if len(items) != count:
        raise AnswerError(f"{count} items were sent, {len(items)} came back")
    return [_judge(item, action) for item in items]


def are_stored(outcomes: list[Outcome]) -> bool:
    """Tell whether all items are stored, as nearly always; no item costs a hash."""
    return outcomes.count(_CREATED) == len(outcomes)


def reason_of(data: bytes) -> tuple[str, str]:
    """Return type and reason of a whole answer that is an error."""
    try:
        return _words(_REFUSAL.decode(data).error)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return "", data[:_REASON_CHARACTERS].decode(errors="replace")


def _all_created(count: int) -> bytes:
    """Return the answer to ``count`` items that were all created."""
    items = (_CREATED_ITEM + b",") * count
    return b'{"errors":false,"items":[%b]}' % items[:-1]


def _judge(answered: dict[str, _Item], action: Action) -> Outcome:
    item = answered.get(action)
    if item is None or len(answered) != 1:
        raise AnswerError(f"an answer to {', '.join(answered)} instead of {action}")
    kind, reason = _words(item.error)
    if (item.status, item.result) == _DONE[action]:
        if item.failure_store != "used":
            return _CREATED
        return Outcome(Verdict.REJECTED, "failure_store", "it went to a failure store")
    if item.result == "noop":
        return Outcome(Verdict.REJECTED, "noop", "a pipeline dropped it")
    index = item.error.index if isinstance(item.error, _Error) else None
    return Outcome(_verdict(item.status, kind, reason), kind, reason, index)


def _verdict(status: int, kind: str, reason: str) -> Verdict:
    """Judge the status and error of one item that was not created."""
    match status:
        case 409:
            return Verdict.CONFLICT
        case 400:
            return _verdict_on_bad(kind, reason)
        case 401:
            return Verdict.REFUSED
        case 403:
            return Verdict.REFUSED if kind == _BLOCKED else Verdict.NO_PLACE
        case 404:
            return Verdict.NO_PLACE
        case 429 if kind == _BLOCKED:
            return Verdict.REFUSED  # the disk is full: somebody has to see to it
        case 429 if item_can_never_fit(reason):
            return Verdict.TOO_LARGE
        case _ if status in _BUSY:
            return Verdict.BUSY
        case 500 if kind == _PIPELINE_FAILED:
            return Verdict.REJECTED
        case _ if status >= 500:
            return Verdict.FAULT
        case _ if status >= 400:
            return Verdict.REJECTED
        case _:
            raise AnswerError(f"an item has the status {status}, and is not created")


def _verdict_on_bad(kind: str, reason: str) -> Verdict:
    if kind == "index_closed_exception":
        return Verdict.REFUSED
    if kind == "invalid_index_name_exception":
        return Verdict.NO_PLACE
    if kind == "illegal_argument_exception" and reason.startswith("pipeline with id ["):
        return Verdict.NO_PIPELINE
    return Verdict.REJECTED


def _words(error: _Error | str | None) -> tuple[str, str]:
    """Return type and reason; the reason of the innermost cause says most."""
    if error is None or isinstance(error, str):
        return "", (error or "")[:_REASON_CHARACTERS]
    reason, cause = error.reason or "", error.caused_by
    while cause is not None:
        reason, cause = f"{reason}: {cause.reason or cause.type}", cause.caused_by
    return error.type, reason[:_REASON_CHARACTERS]
