"""Ask a server for bulks, and say which part of an answer matters."""

import json
from collections.abc import Iterable
from typing import Any

from elasticsearch import Elasticsearch

__all__ = [
    "CONFLICT",
    "CREATED",
    "JSON",
    "UNPARSABLE",
    "bulk",
    "event",
    "gist",
    "post",
    "put_pipeline",
    "put_template",
]

_NDJSON = {"accept": "application/json", "content-type": "application/x-ndjson"}
JSON = {"accept": "application/json", "content-type": "application/json"}

_MOMENT = "2026-11-23T09:00:01.500Z"

CREATED = (201, "created", None)
CONFLICT = (409, None, "version_conflict_engine_exception")
UNPARSABLE = (400, None, "document_parsing_exception")


def put_template(client: Elasticsearch, name: str, **template: Any) -> None:
    """Let the first write under this name make a data stream."""
    client.perform_request(
        "PUT",
        f"/_index_template/{name}",
        headers=JSON,
        body={
            "index_patterns": [name],
            "data_stream": {},
            "priority": 500,
            "template": template,
        },
    )


def post(client: Elasticsearch, target: str, body: bytes, **query: Any) -> Any:
    path = f"/{target}/_bulk"
    return client.perform_request(
        "POST", path, params=query, headers=_NDJSON, body=body
    )


def bulk(
    client: Elasticsearch,
    target: str,
    documents: Iterable[tuple[str, bytes | dict[str, Any]]],
    meta: dict[str, Any] | None = None,
    **query: Any,
) -> list[dict[str, Any]]:
    """Create documents; return the items without their frame."""
    lines: list[bytes] = []
    for id, document in documents:
        head = json.dumps({"create": {"_id": id, **(meta or {})}}).encode()
        if not isinstance(document, bytes):
            document = json.dumps(document).encode()
        lines += [head, document]
    answer = post(client, target, b"\n".join([*lines, b""]), **query)
    return [item["create"] for item in answer["items"]]


def event(**fields: Any) -> dict[str, Any]:
    return {"@timestamp": _MOMENT, **fields}


def gist(item: dict[str, Any]) -> tuple[int, str | None, str | None]:
    """Return what the signer judges: status, result and type of the error."""
    return item["status"], item.get("result"), item.get("error", {}).get("type")


def put_pipeline(client: Elasticsearch, name: str, *processors: dict[str, Any]) -> None:
    client.ingest.put_pipeline(id=name, processors=list(processors))
