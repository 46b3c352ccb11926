"""Judge documents by a query, as far as the tests ask."""

import json
import re
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from typing import Any

from tests.elasticsearch.index import Document, Index
from tests.elasticsearch.mapping import to_millis
from tests.elasticsearch.refusal import Refusal

__all__ = ["Key", "keys_of", "matches", "values_of"]

Key = Any
_BOUNDS: dict[str, Callable[[Key, Key], bool]] = {
    "gte": lambda value, bound: bool(value >= bound),
    "gt": lambda value, bound: bool(value > bound),
    "lte": lambda value, bound: bool(value <= bound),
    "lt": lambda value, bound: bool(value < bound),
}


def matches(index: Index, document: Document, query: dict[str, Any]) -> bool:
    """Return whether a query finds a document.

    Raises:
        Refusal: The query is not one of those that the fake server knows.
    """
    ((kind, body),) = query.items()
    if kind == "match_all":
        return True
    if kind == "match_none":
        return False
    if kind == "ids":
        return document.id in body["values"]
    if kind == "exists":
        return any(True for _ in values_of(document.parsed, body["field"]))
    if kind == "bool":
        return _all_of(index, document, body)
    if kind == "constant_score":
        return matches(index, document, body["filter"])
    ((path, wanted),) = (item for item in body.items() if item[0] != "boost")
    if kind in ("term", "prefix", "wildcard") and isinstance(wanted, dict):
        wanted = wanted["value"]
    found = keys_of(index, document, path)
    if kind == "term":
        return _key(index, path, wanted) in found
    if kind == "terms":
        return bool({_key(index, path, one) for one in wanted} & set(found))
    if kind == "range":
        bounds = {_BOUNDS[name]: _key(index, path, one) for name, one in wanted.items()}
        return any(all(is_in(one, to) for is_in, to in bounds.items()) for one in found)
    if kind == "prefix":
        return any(str(one).startswith(wanted) for one in found)
    if kind == "wildcard":
        return any(fnmatchcase(str(one), wanted) for one in found)
    raise Refusal(400, "parsing_exception", f"the fake does not know query [{kind}]")


def values_of(value: Any, path: str) -> Iterator[Any]:
    """Yield what stands at a path, through objects, lists and dotted names."""
    if isinstance(value, list):
        for one in value:
            yield from values_of(one, path)
    elif not path:
        if value is not None:
            yield value
    elif isinstance(value, dict):
        for key, one in value.items():
            if key == path:
                yield from values_of(one, "")
            elif path.startswith(f"{key}."):
                yield from values_of(one, path[len(key) + 1 :])


def keys_of(index: Index, document: Document, path: str) -> list[Key]:
    """Return a field's values as they compare: dates as milliseconds."""
    if path == "_id":
        return [document.id]
    if path == "_index":
        return [index.name]
    path = re.sub(r"\.keyword$", "", path) if _is_twin(index, path) else path
    found = (_key(index, path, one) for one in values_of(document.parsed, path))
    return sorted(found, key=lambda one: (str(type(one)), one))


def _is_twin(index: Index, path: str) -> bool:
    return index.mapping.kind(path.removesuffix(".keyword")) == "text"


def _key(index: Index, path: str, value: Any) -> Key:
    kind = index.mapping.kind(path)
    if kind in ("date", "date_nanos"):
        return to_millis(value)
    if kind in ("long", "integer", "short", "byte") and isinstance(value, str):
        return int(value)
    if isinstance(value, (str, int, float)):
        return value
    return json.dumps(value)


def _all_of(index: Index, document: Document, body: dict[str, Any]) -> bool:
    def found(name: str) -> list[bool]:
        part = body.get(name, [])
        return [
            matches(index, document, one)
            for one in (part if isinstance(part, list) else [part])
        ]

    should = found("should")
    needed = int(
        body.get(
            "minimum_should_match",
            bool(should) and not (body.get("must") or body.get("filter")),
        )
    )
    return (
        all(found("must"))
        and all(found("filter"))
        and not any(found("must_not"))
        and sum(should) >= needed
    )
