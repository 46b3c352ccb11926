"""The table of what an answer to a bulk request means, cell by cell."""

import json
from typing import Any

import pytest

from beats_signer.store.elasticsearch.client import Answer
from beats_signer.store.elasticsearch.write.outcomes import (
    AnswerError,
    Outcome,
    RequestVerdict,
    Verdict,
    judge_items,
    judge_request,
    reason_of,
)
from beats_signer.store.elasticsearch.write.standing import read_documents

CREATED = {"create": {"result": "created", "status": 201}}


def answer(*items: object, errors: bool = False) -> bytes:
    return json.dumps({"errors": errors, "items": items}).encode()


def failed(status: int, kind: str, reason: str = "why", **more: Any) -> dict[str, Any]:
    error = {"type": kind, "reason": reason, **more}
    return {"create": {"status": status, "error": error}}


def judged(item: object) -> Outcome:
    (outcome,) = judge_items(answer(item), 1)
    return outcome


@pytest.mark.parametrize("count", [1, 2, 1000])
@pytest.mark.parametrize("spaced", [False, True])
def test_created_items_are_stored(count: int, spaced: bool) -> None:
    marks = (", ", ": ") if spaced else (",", ":")
    data = {"errors": False, "items": [CREATED] * count}
    compact = json.dumps(data, separators=marks).encode()

    outcomes = judge_items(compact, count)

    assert [outcome.verdict for outcome in outcomes] == [Verdict.STORED] * count


def test_a_failure_store_that_was_not_used_says_nothing() -> None:
    created = {"status": 201, "result": "created", "failure_store": "not_enabled"}

    assert judged({"create": created}).verdict is Verdict.STORED


ITEMS = [
    # status, type, reason, verdict
    (409, "version_conflict_engine_exception", "", Verdict.CONFLICT),
    (429, "es_rejected_execution_exception", "", Verdict.BUSY),
    (429, "circuit_breaking_exception", "", Verdict.BUSY),
    (429, "cluster_block_exception", "flood stage", Verdict.REFUSED),
    (403, "cluster_block_exception", "read-only", Verdict.REFUSED),
    (403, "security_exception", "", Verdict.NO_PLACE),
    (401, "security_exception", "", Verdict.REFUSED),
    (404, "index_not_found_exception", "", Verdict.NO_PLACE),
    (400, "document_parsing_exception", "", Verdict.REJECTED),
    (400, "mapper_parsing_exception", "", Verdict.REJECTED),
    (400, "strict_dynamic_mapping_exception", "", Verdict.REJECTED),
    (400, "illegal_argument_exception", "field limit", Verdict.REJECTED),
    (400, "script_exception", "", Verdict.REJECTED),
    (400, "x_content_e_o_f_exception", "", Verdict.REJECTED),
    (400, "invalid_index_name_exception", "", Verdict.NO_PLACE),
    (400, "index_closed_exception", "", Verdict.REFUSED),
    (
        400,
        "illegal_argument_exception",
        "pipeline with id [x] does not exist",
        Verdict.NO_PIPELINE,
    ),
    (405, "method_not_allowed", "", Verdict.REJECTED),
    (413, "too_large", "", Verdict.REJECTED),
    (418, "teapot", "", Verdict.REJECTED),
    (408, "timeout", "", Verdict.BUSY),
    (500, "fail_processor_exception", "", Verdict.REJECTED),
    (500, "null_pointer_exception", "", Verdict.FAULT),
    (502, "", "", Verdict.BUSY),
    (503, "unavailable_shards_exception", "", Verdict.BUSY),
    (503, "no_shard_available_action_exception", "", Verdict.BUSY),
    (504, "process_cluster_event_timeout_exception", "", Verdict.BUSY),
    (599, "", "", Verdict.FAULT),
]


@pytest.mark.parametrize(("status", "kind", "reason", "verdict"), ITEMS)
def test_each_failure_of_an_item_has_its_verdict(
    status: int, kind: str, reason: str, verdict: Verdict
) -> None:
    outcome = judged(failed(status, kind, reason))

    assert outcome == Outcome(verdict, kind, reason)


def test_a_document_that_went_to_a_failure_store_is_not_stored() -> None:
    created = {"status": 201, "result": "created", "failure_store": "used"}

    assert judged({"create": created}) == Outcome(
        Verdict.REJECTED, "failure_store", "it went to a failure store"
    )


def test_a_failure_store_that_failed_too_leaves_the_error_as_it_is() -> None:
    item = failed(400, "document_parsing_exception")
    item["create"]["failure_store"] = "failed"

    assert judged(item) == Outcome(
        Verdict.REJECTED, "document_parsing_exception", "why"
    )


def test_a_document_that_a_pipeline_dropped_is_not_stored() -> None:
    assert judged({"create": {"status": 200, "result": "noop"}}) == Outcome(
        Verdict.REJECTED, "noop", "a pipeline dropped it"
    )


def test_a_conflict_names_the_index_behind_a_data_stream() -> None:
    index = ".ds-logs-x-2026.11.23-000001"
    item = failed(409, "version_conflict_engine_exception", index=index)

    assert judged(item).index == index


def test_the_reason_goes_down_to_the_innermost_cause() -> None:
    cause = {"type": "a", "reason": "inner", "caused_by": {"type": "date_time"}}
    item = failed(400, "document_parsing_exception", "outer", caused_by=cause)

    assert judged(item).reason == "outer: inner: date_time"


def test_a_reason_is_cut_because_it_repeats_the_document() -> None:
    assert len(judged(failed(400, "x", "y" * 10_000)).reason) == 500


def test_an_error_may_be_a_text() -> None:
    item = {"create": {"status": 400, "error": "no"}}

    assert judged(item) == Outcome(Verdict.REJECTED, "", "no")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "cannot be read"),
        (b'{"errors":false,"items":[{"cre', "cannot be read"),
        (b"<html>", "cannot be read"),
        (b"{}", "cannot be read"),
        (b'{"items":null}', "cannot be read"),
        (b'{"items":[{"create":{}},{"create":{}}]}', "cannot be read"),
        (b'{"items":[{"create":{"status":"201"}},{"create":{}}]}', "cannot be read"),
        (b'{"items":[{"create":{"status":201,"result":"\xff"}}]}', "cannot be read"),
        (answer(), "2 items were sent, 0 came back"),
        (answer(CREATED), "2 items were sent, 1 came back"),
        (answer(CREATED, CREATED, CREATED), "2 items were sent, 3 came back"),
        (answer(CREATED, {"index": CREATED["create"]}), "to index instead of create"),
        (answer(CREATED, {}), "instead of create"),
        (
            answer(CREATED, {"create": {"status": 200, "result": "updated"}}),
            "has the status 200, and is not created",
        ),
        (
            answer(CREATED, {"create": {"status": 201}}),
            "has the status 201, and is not created",
        ),
    ],
)
def test_an_answer_to_something_else_leaves_all_unknown(
    data: bytes, message: str
) -> None:
    with pytest.raises(AnswerError, match=message):
        judge_items(data, 2)


REQUESTS = [
    (200, RequestVerdict.ANSWERED),
    (400, RequestVerdict.MALFORMED),
    (401, RequestVerdict.REFUSED),
    (403, RequestVerdict.REFUSED),
    (404, RequestVerdict.REFUSED),
    (405, RequestVerdict.REFUSED),
    (302, RequestVerdict.REFUSED),
    (408, RequestVerdict.BUSY),
    (413, RequestVerdict.TOO_LARGE),
    (429, RequestVerdict.BUSY),
    (500, RequestVerdict.FAULT),
    (501, RequestVerdict.FAULT),
    (502, RequestVerdict.BUSY),
    (503, RequestVerdict.BUSY),
    (504, RequestVerdict.BUSY),
]


@pytest.mark.parametrize(("status", "verdict"), REQUESTS)
def test_each_status_of_a_request_has_its_verdict(
    status: int, verdict: RequestVerdict
) -> None:
    data = b'{"error":{"type":"illegal_argument_exception"},"status":400}'

    assert judge_request(status, data) is verdict


@pytest.mark.parametrize("data", [b"", b"{}", b"<html>Bad Request</html>", b"\xff"])
def test_a_refusal_that_is_not_elasticsearch_speaking_is_about_no_event(
    data: bytes,
) -> None:
    assert judge_request(400, data) is RequestVerdict.REFUSED


PRESSURE = (
    "rejected execution of coordinating operation [coordinating_and_primary_bytes=%d, "
    "replica_bytes=0, all_bytes=%d, coordinating_operation_bytes=%d, %s=26843545]"
)
BREAKER = (
    "[parent] Data too large, data for [<http_request>] would be [381650648/363.9mb], "
    "which is larger than the limit of [255013683/243.1mb], real usage: "
    "[182421120/173.9mb], new bytes reserved: [%d/190mb], usages [fielddata=0/0b]"
)


@pytest.mark.parametrize(
    ("reason", "verdict"),
    [
        (PRESSURE % (0, 0, 31457520, "max_coordinating_bytes"), "TOO_LARGE"),
        (
            PRESSURE % (0, 0, 26843546, "max_coordinating_and_primary_bytes"),
            "TOO_LARGE",
        ),
        (PRESSURE % (1, 1, 26843545, "max_coordinating_bytes"), "BUSY"),
        (PRESSURE % (26843545, 26843545, 100, "max_coordinating_bytes"), "BUSY"),
        (BREAKER % 199229528, "TOO_LARGE"),
        (BREAKER % (16 << 20), "BUSY"),
        ("rejected execution", "BUSY"),
    ],
)
def test_what_a_server_can_never_take_at_once_is_too_large(
    reason: str, verdict: str
) -> None:
    """It answers 429 as if it were busy, and would do so for ever."""
    error = {"type": "es_rejected_execution_exception", "reason": reason}
    data = json.dumps({"error": error, "status": 429}).encode()

    assert judge_request(429, data) is RequestVerdict[verdict]


def test_a_media_type_does_not_mend_by_halves() -> None:
    data = b'{"error":{"type":"media_type_header_exception"}}'

    assert judge_request(400, data) is RequestVerdict.REFUSED


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b'{"error":{"type":"t","reason":"r"},"status":400}', ("t", "r")),
        (b'{"error":"text"}', ("", "text")),
        (b"<html>no</html>", ("", "<html>no</html>")),
        (b"", ("", "")),
        (b"\xff", ("", "\ufffd")),
        (b"x" * 1000, ("", "x" * 500)),
    ],
)
def test_the_reason_of_an_answer_is_found_whatever_it_is(
    data: bytes, words: tuple[str, str]
) -> None:
    assert reason_of(data) == words


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "cannot be read"),
        (b'{"docs":[{"found":true,"_source":{}}]}', "2 documents were asked for, 1"),
        (b'{"docs":[{"found":true,"_source":%b},{}]}', "cannot be read"),
        (b'{"docs":[{"error":{"type":"x"}},{}]}', "a document cannot be read"),
    ],
)
def test_documents_that_cannot_be_read_prove_nothing(data: bytes, message: str) -> None:
    """A stranger's may be nested deeper than Python reads."""
    deep = b"[" * 9000 + b"]" * 9000
    with pytest.raises(ValueError, match=message):
        read_documents(Answer(200, data.replace(b"%b", deep)), 2)
