"""Answer searches and counts over what a refresh has made visible."""

import json
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cmp_to_key
from typing import Any

import msgspec

from tests.elasticsearch.cluster import Cluster
from tests.elasticsearch.index import Document, Index
from tests.elasticsearch.query import Key, keys_of, matches, values_of
from tests.elasticsearch.refusal import Refusal

__all__ = ["Searches", "shown"]

_WINDOW = 10_000


@dataclass(frozen=True, slots=True)
class _Hit:
    index: Index
    document: Document
    place: int
    """Stands for ``_shard_doc``."""


class Searches:
    """Searches of one cluster, with the points in time that are open."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._points: dict[str, list[tuple[Index, dict[str, Document]]]] = {}

    def open_point(self, expression: str, *, lenient: bool = False) -> str:
        """Keep what is visible now, and return its name."""
        name = secrets.token_urlsafe(12)
        found = self._cluster.find(expression, lenient=lenient)
        if lenient:
            found = [index for index in found if not index.closed]
        self._points[name] = self._view(found)
        return name

    def close_point(self, name: str) -> bool:
        """Let go of a point in time; return whether there was one."""
        return self._points.pop(name, None) is not None

    def count(self, expression: str, body: dict[str, Any]) -> int:
        """Return how many visible documents a query finds."""
        return len(_found(self._view(self._cluster.find(expression)), body))

    def answer(self, expression: str | None, body: dict[str, Any]) -> dict[str, Any]:
        """Return the answer of a search."""
        if point := body.get("pit"):
            if point["id"] not in self._points:
                raise Refusal(
                    404, "search_context_missing_exception", "No search context"
                )
            view = self._points[point["id"]]
        else:
            view = self._view(self._cluster.find(expression or "_all"))
        hits = _found(view, body)
        total = len(hits)
        if body.get("size", 10) + body.get("from", 0) > _WINDOW:
            raise Refusal(
                400, "illegal_argument_exception", "Result window is too large"
            )
        sort = _sort(body, view)
        if "search_after" in body:
            if len(body["search_after"]) != len(sort):
                raise Refusal(400, "illegal_argument_exception", "search_after size")
            after = body["search_after"]
            hits = [one for one in hits if _order(_values(one, sort), after, sort) > 0]
        if sort:
            hits = sorted(hits, key=cmp_to_key(_comparison(sort)))
        start = body.get("from", 0)
        shown_hits = hits[start : start + body.get("size", 10)]
        answer: dict[str, Any] = {
            "took": 1,
            "timed_out": False,
            "_shards": {
                "total": len(view),
                "successful": len(view),
                "skipped": 0,
                "failed": 0,
            },
            "hits": {
                "max_score": None,
                "hits": [_hit(one, body, sort) for one in shown_hits],
            },
        }
        if body.get("track_total_hits", True) is not False:
            answer["hits"]["total"] = {"value": total, "relation": "eq"}
        if point:
            answer["pit_id"] = point["id"]
        aggregations = body.get("aggs", body.get("aggregations"))
        if aggregations:
            every = _found(view, body)
            answer["aggregations"] = _aggregate(every, aggregations)
        return answer

    @staticmethod
    def _view(indices: Iterable[Index]) -> list[tuple[Index, dict[str, Document]]]:
        for index in indices:
            index.check_open()
        return [(index, index.visible) for index in indices]


def shown(source: bytes, wanted: Any) -> msgspec.Raw | None:
    """Return a source as a request wants it; whole, it keeps its exact text."""
    if wanted is False or wanted == "false":
        return None
    if wanted in (None, True, "true"):
        return msgspec.Raw(source)
    asked = wanted if isinstance(wanted, dict) else {"includes": wanted}
    includes, excludes = _patterns(asked, "includes"), _patterns(asked, "excludes")

    def kept(path: str) -> bool:
        return (not includes or _under(path, includes)) and not _under(path, excludes)

    return msgspec.Raw(json.dumps(_part(json.loads(source), "", kept)).encode())


def _patterns(asked: dict[str, Any], name: str) -> list[str]:
    found = asked.get(name, [])
    return found.split(",") if isinstance(found, str) else list(found)


def _under(path: str, patterns: list[str]) -> bool:
    return any(
        fnmatchcase(path, one) or fnmatchcase(path, f"{one}.*") for one in patterns
    )


def _part(value: dict[str, Any], prefix: str, kept: Callable[[str], bool]) -> Any:
    found = {}
    for key, one in value.items():
        path = prefix + key
        if isinstance(one, dict) and one:
            if part := _part(one, f"{path}.", kept):
                found[key] = part
        elif kept(path):
            found[key] = one
    return found


def _found(
    view: list[tuple[Index, dict[str, Document]]], body: dict[str, Any]
) -> list[_Hit]:
    query = body.get("query", {"match_all": {}})
    return [
        _Hit(index, document, (shard << 32) + place)
        for shard, (index, documents) in enumerate(view)
        for place, document in enumerate(documents.values())
        if matches(index, document, query)
    ]


def _sort(
    body: dict[str, Any], view: list[tuple[Index, dict[str, Document]]]
) -> list[tuple[str, bool]]:
    """Return field and direction of each part of the order."""
    parts = []
    asked = body.get("sort", [])
    for one in asked if isinstance(asked, list) else [asked]:
        ((path, how),) = one.items() if isinstance(one, dict) else ((one, "asc"),)
        options = how if isinstance(how, dict) else {"order": how}
        special = path in ("_doc", "_shard_doc", "_id")
        for index, _ in view:
            known = special or index.mapping.kind(path) or "unmapped_type" in options
            if not known:
                reason = f"No mapping found for [{path}] in order to sort on"
                raise Refusal(400, "query_shard_exception", reason, index.name)
        parts.append((path, options.get("order", "asc") == "asc"))
    if "pit" in body and parts and parts[-1][0] != "_shard_doc":
        parts.append(("_shard_doc", True))
    return parts


def _values(hit: _Hit, sort: list[tuple[str, bool]]) -> list[Key]:
    values: list[Key] = []
    for path, ascending in sort:
        if path in ("_doc", "_shard_doc"):
            values.append(hit.place)
            continue
        keys = keys_of(hit.index, hit.document, path)
        values.append((keys[0] if ascending else keys[-1]) if keys else None)
    return values


def _comparison(sort: list[tuple[str, bool]]) -> Callable[[_Hit, _Hit], int]:
    return lambda a, b: _order(_values(a, sort), _values(b, sort), sort)


def _order(left: list[Key], right: list[Key], sort: list[tuple[str, bool]]) -> int:
    for one, other, (_, ascending) in zip(left, right, sort, strict=True):
        if one == other:
            continue
        if one is None or other is None:
            return 1 if one is None else -1
        return 1 if (one > other) == ascending else -1
    return 0


def _hit(hit: _Hit, body: dict[str, Any], sort: list[tuple[str, bool]]) -> Any:
    shape: dict[str, Any] = {
        "_index": hit.index.name,
        "_id": hit.document.id,
        "_score": None if sort else 1.0,
    }
    if body.get("seq_no_primary_term"):
        shape |= {"_seq_no": hit.document.number, "_primary_term": 1}
    source = shown(hit.document.source, body.get("_source"))
    if source is not None:
        shape["_source"] = source
    asked = [*body.get("docvalue_fields", []), *body.get("fields", [])]
    fields = {}
    for one in asked:
        path = one["field"] if isinstance(one, dict) else one
        if values := list(values_of(hit.document.parsed, path)):
            fields[path] = values
    if fields:
        shape["fields"] = fields
    if sort:
        shape["sort"] = _values(hit, sort)
    return shape


def _aggregate(hits: list[_Hit], wanted: dict[str, Any]) -> dict[str, Any]:
    return {name: _one(hits, body) for name, body in wanted.items()}


def _one(hits: list[_Hit], body: dict[str, Any]) -> dict[str, Any]:
    below = body.get("aggs", body.get("aggregations", {}))
    ((kind, how),) = (
        one for one in body.items() if one[0] not in ("aggs", "aggregations")
    )
    if kind == "filter":
        part = [one for one in hits if matches(one.index, one.document, how)]
        return {"doc_count": len(part), **_aggregate(part, below)}
    keyed = [(one, keys_of(one.index, one.document, how["field"])) for one in hits]
    keys = [key for _, found in keyed for key in found]
    if kind in ("min", "max"):
        best = (min if kind == "min" else max)(keys, default=None)
        return {"value": None if best is None else float(best)}
    if kind == "value_count":
        return {"value": len(keys)}
    if kind == "cardinality":
        return {"value": len(set(keys))}
    if kind != "terms":
        raise Refusal(400, "parsing_exception", f"the fake does not know [{kind}]")
    buckets = []
    for key in set(keys):
        part = [one for one, found in keyed if key in found]
        bucket = {"key": key, "doc_count": len(part), **_aggregate(part, below)}
        buckets.append(bucket)
    by_key = "_key" in how.get("order", {})
    buckets.sort(key=lambda one: one["key"])
    if not by_key:
        buckets.sort(key=lambda one: -one["doc_count"])
    size = how.get("size", 10)
    others = sum(one["doc_count"] for one in buckets[size:])
    return {
        "doc_count_error_upper_bound": 0,
        "sum_other_doc_count": others,
        "buckets": buckets[:size],
    }
