"""Run ingest pipelines: the five processors that the real server of the tests has."""

from collections.abc import Mapping
from typing import Any

from tests.elasticsearch.refusal import Refusal

__all__ = ["run"]


def run(pipeline: Mapping[str, Any], document: dict[str, Any]) -> bool:
    """Change the document as the pipeline says; return whether it is kept.

    Raises:
        Refusal: A processor failed.
    """
    for processor in pipeline["processors"]:
        for kind, config in processor.items():
            if kind == "drop":
                return False
            _step(kind, config, document)
    return True


def _step(kind: str, config: Mapping[str, Any], document: dict[str, Any]) -> None:
    if kind == "fail":
        raise Refusal(500, "fail_processor_exception", config["message"])
    if kind == "set":
        _put(document, config["field"], config["value"])
    elif kind == "remove":
        _take(document, config["field"])
    elif kind == "rename":
        _put(document, config["target_field"], _take(document, config["field"]))
    else:
        raise Refusal(
            400, "parse_exception", f"No processor type exists with name [{kind}]"
        )


def _put(document: dict[str, Any], path: str, value: Any) -> None:
    *parents, last = path.split(".")
    for part in parents:
        document = document.setdefault(part, {})
    document[last] = value


def _take(document: dict[str, Any], path: str) -> Any:
    *parents, last = path.split(".")
    for part in parents:
        document = document.get(part, {})
    if last not in document:
        raise Refusal(
            400,
            "illegal_argument_exception",
            f"field [{path}] not present as part of path",
        )
    return document.pop(last)
