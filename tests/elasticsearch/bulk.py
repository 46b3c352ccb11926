"""Carry out a bulk: every action judged alone, as the server does it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tests.elasticsearch import ingest
from tests.elasticsearch.cluster import Cluster
from tests.elasticsearch.faults import Outcome
from tests.elasticsearch.index import Index
from tests.elasticsearch.mapping import parse_document
from tests.elasticsearch.refusal import Refusal

__all__ = ["Action", "carry_out", "parse", "try_out"]

_KINDS = {"create", "index", "delete", "update"}


@dataclass(frozen=True, slots=True)
class Action:
    """One action of a bulk, as it was asked for."""

    kind: str
    target: str
    id: str | None
    pipeline: str | None
    require_stream: bool
    source: bytes
    version: tuple[int, int] | None = None
    """The ``_seq_no`` and ``_primary_term`` that it is to replace."""

    @property
    def document(self) -> dict[str, Any]:
        """The document as values; empty when it is no JSON object."""
        try:
            return parse_document(self.source)
        except Refusal:
            return {}


def parse(body: bytes, target: str | None, query: Mapping[str, str]) -> list[Action]:
    """Return the actions of a body, or refuse it as a whole."""
    if not body.endswith(b"\n"):
        raise _malformed("The bulk request must be terminated by a newline [\\n]")
    lines = body.split(b"\n")[:-1]
    actions = []
    place = 0
    while place < len(lines):
        head = lines[place]
        place += 1
        if not head.strip():
            continue
        kind, meta = _head(head)
        if kind != "delete" and place == len(lines):
            break  # An action without its document is passed over in silence.
        source = b"" if kind == "delete" else lines[place]
        place += kind != "delete"
        name = meta.get("_index", target)
        if not name:
            raise Refusal(
                400,
                "action_request_validation_exception",
                "Validation Failed: 1: index is missing;",
            )
        if len(str(meta.get("_id", "")).encode()) > 512:
            raise _malformed(
                f"id [{meta['_id']}] is too long, must be no longer than 512"
            )
        wanted = meta.get("require_data_stream", query.get("require_data_stream"))
        pipeline = meta.get("pipeline", query.get("pipeline"))
        require = str(wanted).lower() == "true"
        action = Action(kind, name, meta.get("_id"), pipeline, require, source)
        if "if_seq_no" in meta:
            replaced = meta["if_seq_no"], meta.get("if_primary_term", 0)
            action = replace(action, version=replaced)
            if not replaced[1]:
                raise Refusal(
                    400,
                    "action_request_validation_exception",
                    "Validation Failed: 1: ifSeqNo is set, but primary term is [0];",
                )
        actions.append(action)
    if not actions:
        raise Refusal(
            400,
            "action_request_validation_exception",
            "Validation Failed: 1: no requests added;",
        )
    return actions


def carry_out(
    cluster: Cluster,
    actions: list[Action],
    outcome_of: Callable[[Action], Outcome | None] = lambda action: None,
) -> list[dict[str, Any]]:
    """Return the items of the answer, one per action, in their order."""
    largest: dict[str, int] = {}
    for action in actions:
        size = max(len(action.source), largest.get(action.target, 0))
        largest[action.target] = size
    return [
        _item(cluster, one, outcome_of(one) or _limit(cluster, largest[one.target]))
        for one in actions
    ]


def _limit(cluster: Cluster, size: int) -> Outcome | None:
    """Refuse all that a request has for one shard for the largest document of it."""
    most = cluster.operation_bytes
    if most is None or size <= most:
        return None
    reason = (
        f"Request contains an operation of size [{size}] bytes, which exceeds the "
        f"maximum allowed limit of [{most}] bytes"
    )
    return Outcome(429, "es_rejected_execution_exception", reason=reason)


def try_out(cluster: Cluster, action: Action) -> dict[str, Any]:
    """Return what would become of a document of a simulation; nothing is stored."""
    named: dict[str, Any] = {"_index": action.target, "_id": action.id}
    if action.target not in cluster.indices:
        return {**named, "_source": action.document}
    index = cluster.indices[action.target]
    try:
        source = _ingested(cluster, index, action)
    except Refusal as refusal:
        return {**named, "error": refusal.cause()}
    if source is None:
        return {**named, "_version": -3, "result": "noop"}
    found = {**named, "_version": -3, "_source": json.loads(source)}
    try:
        index.check_open()
        index.mapping.copied().admit(parse_document(source))
    except Refusal as refusal:
        return {**found, "error": refusal.cause()}
    return found


def _item(cluster: Cluster, action: Action, scripted: Outcome | None) -> dict[str, Any]:
    named = {"_index": action.target, "_id": action.id}
    if scripted is not None:
        if scripted.applied:
            _one(cluster, action)
        return {action.kind: named | _scripted(scripted)}
    try:
        return {action.kind: _one(cluster, action)}
    except Refusal as refusal:
        error = refusal.cause()
        named["_index"] = error.get("index", action.target)
        item = {**named, "status": refusal.status, "error": error}
        stream = cluster.streams.get(action.target)
        if stream is not None and not stream.failure_store:
            item["failure_store"] = "not_enabled"
        return {action.kind: item}


def _scripted(outcome: Outcome) -> dict[str, Any]:
    item: dict[str, Any] = {"status": outcome.status}
    if outcome.kind is not None:
        item["error"] = {"type": outcome.kind, "reason": outcome.reason}
    if outcome.result is not None:
        item["result"] = outcome.result
    if outcome.failure_store is not None:
        item["failure_store"] = outcome.failure_store
    return item


def _one(cluster: Cluster, action: Action) -> dict[str, Any]:
    if action.id == "":
        raise Refusal(
            400,
            "illegal_argument_exception",
            "if _id is specified it must not be empty",
            action.target,
        )
    index = cluster.target(action.target, require_stream=action.require_stream)
    if action.kind == "delete":
        found = action.id is not None and index.delete(action.id)
        result = "deleted" if found else "not_found"
        return _done(index, action.id, result, 200 if found else 404)
    if action.kind == "update":
        raise Refusal(400, "illegal_argument_exception", "the fake knows no update")
    if index.stream and action.kind != "create" and action.target == index.stream:
        raise Refusal(
            400,
            "illegal_argument_exception",
            "only write ops with an op_type of create are allowed in data streams",
            index.name,
        )
    if index.stream and action.kind == "index" and action.version is None:
        raise Refusal(
            400,
            "illegal_argument_exception",
            "index request with op_type=index and no if_primary_term and if_seq_no set"
            " targeting backing indices is disallowed",
        )
    try:
        source = _ingested(cluster, index, action)
        if source is None:
            return _dropped(action)
        _check(index, source)
    except Refusal as refusal:
        stream = cluster.streams.get(action.target)
        if stream is None or not stream.failure_store:
            raise
        failures = cluster.fail_over(stream)
        failure = {"document": {"id": action.id, "index": action.target}} | {
            "error": refusal.cause()
        }
        kept = failures.write(None, json.dumps(failure).encode(), create=True)
        item = _done(failures, kept.id, "created", 201)
        return {**item, "failure_store": "used"}
    stored = index.write(
        action.id, source, create=action.kind == "create", version=action.version
    )
    new = stored.version == 1
    item = _done(index, stored.id, "created" if new else "updated", 201 if new else 200)
    return {**item, "_version": stored.version, "_seq_no": stored.number}


def _ingested(cluster: Cluster, index: Index, action: Action) -> bytes | None:
    """Return the source after its pipelines; ``None``: it was dropped."""
    first = action.pipeline or index.setting("default_pipeline")
    names = [first, index.setting("final_pipeline")]
    names = [name for name in names if name and name != "_none"]
    if not names:
        return action.source
    pipelines = [cluster.pipeline(name) for name in names]
    try:
        document = json.loads(action.source)
    except ValueError as error:
        raise Refusal(400, "x_content_e_o_f_exception", str(error)) from error
    if all(ingest.run(pipeline, document) for pipeline in pipelines):
        try:
            text = json.dumps(document, separators=(",", ":"), allow_nan=False)
        except ValueError as error:
            raise Refusal(400, "document_parsing_exception", str(error)) from error
        return text.encode()
    return None


def _check(index: Index, source: bytes) -> None:
    document = parse_document(source)
    if index.stream and "@timestamp" not in document:
        raise Refusal(
            400,
            "document_parsing_exception",
            "data stream timestamp field [@timestamp] is missing",
        )
    index.check_open()
    index.mapping.admit(document)


def _done(index: Index, id: str | None, result: str, status: int) -> dict[str, Any]:
    return {
        "_index": index.name,
        "_id": id,
        "_version": 1,
        "result": result,
        "_shards": {"total": 1, "successful": 1, "failed": 0},
        "_seq_no": 0,
        "_primary_term": 1,
        "status": status,
    }


def _dropped(action: Action) -> dict[str, Any]:
    return {
        "_index": action.target,
        "_id": action.id or "auto-generated",
        "_version": -4,
        "result": "noop",
        "_shards": {"total": 0, "successful": 0, "failed": 0},
        "status": 200,
    }


def _head(line: bytes) -> tuple[str, dict[str, Any]]:
    try:
        ((kind, meta),) = json.loads(line).items()
    except (ValueError, AttributeError) as error:
        raise _malformed(f"Malformed action/metadata line: {error}") from error
    if kind not in _KINDS or not isinstance(meta, dict):
        raise _malformed(f"Malformed action/metadata line, found [{kind}]")
    return kind, meta


def _malformed(reason: str) -> Refusal:
    return Refusal(400, "illegal_argument_exception", reason)
