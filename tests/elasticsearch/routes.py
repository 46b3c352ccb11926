"""The paths of the fake server, and what each does to the cluster."""

import json
from collections.abc import Callable
from typing import Any

from tests.elasticsearch.administration import Administration
from tests.elasticsearch.bulk import Action, carry_out, parse, try_out
from tests.elasticsearch.cluster import Cluster, missing
from tests.elasticsearch.faults import Outcome
from tests.elasticsearch.index import Index
from tests.elasticsearch.refusal import Refusal
from tests.elasticsearch.search import Searches, shown
from tests.elasticsearch.wire import Answer, Request, filtered

__all__ = ["Routes"]


class Routes:
    """Finds what a path means; faults and HTTP are not its business."""

    def __init__(
        self,
        cluster: Cluster,
        rule: Callable[[Action], Outcome | None],
        administration: Administration,
    ) -> None:
        self._cluster = cluster
        self._searches = Searches(cluster)
        self._rule = rule
        self._administration = administration

    def answer(self, request: Request, limit: int | None = None) -> Answer:
        """Carry a request out; of a bulk, only so many actions."""
        answer = self._route(request, limit)
        if paths := request.query.get("filter_path"):
            answer.value = filtered(answer.value, paths.split(",")) or {}
        return answer

    def _route(self, request: Request, limit: int | None) -> Answer:
        path = request.path
        parts = path.strip("/").split("/")
        name = None if parts[0].startswith("_") or not parts[0] else parts.pop(0)
        verb = parts[0] if parts else ""
        if verb == "_bulk":
            return self._bulk(request, name, limit)
        if verb == "_search":
            return Answer(self._searches.answer(name, self._searched(request)))
        if verb == "_count":
            number = self._searches.count(name or "_all", request.json())
            return Answer({"count": number, "_shards": _shards(1)})
        if verb == "_pit":
            return self._point(request, name)
        if verb == "_mget":
            return self._get_many(request, name)
        if verb == "_doc" and name:
            return self._document(request, name, parts[1] if len(parts) > 1 else None)
        if verb == "_refresh":
            return self._refresh(name)
        if path == "/_ingest/_simulate":
            return self._simulate(request)
        return self._administration.answer(request, name, parts)

    def _bulk(self, request: Request, name: str | None, limit: int | None) -> Answer:
        actions = parse(request.body, name, request.query)
        items = carry_out(self._cluster, actions[:limit], self._rule)
        if request.query.get("refresh", "false") != "false":
            for action in actions:
                for index in self._cluster.find(action.target, lenient=True):
                    index.refresh()
        failed = any("error" in one for item in items for one in item.values())
        return Answer({"errors": failed, "took": 0, "items": items})

    def _simulate(self, request: Request) -> Answer:
        pipeline = request.query.get("pipeline")
        actions = [
            Action("index", one["_index"], one["_id"], pipeline, False, source)
            for one in request.json()["docs"]
            for source in [json.dumps(one["_source"]).encode()]
        ]
        return Answer(
            {"docs": [{"doc": try_out(self._cluster, one)} for one in actions]}
        )

    def _searched(self, request: Request) -> dict[str, Any]:
        body = request.json()
        for key in ("size", "from"):
            if key in request.query:
                body[key] = int(request.query[key])
        if "_source" in request.query:
            body["_source"] = request.query["_source"]
        if "sort" in request.query:
            pairs = [one.partition(":") for one in request.query["sort"].split(",")]
            body["sort"] = [{path: order or "asc"} for path, _, order in pairs]
        return body

    def _point(self, request: Request, name: str | None) -> Answer:
        if request.method == "DELETE":
            closed = self._searches.close_point(request.json()["id"])
            return Answer(
                {"succeeded": closed, "num_freed": int(closed)}, 200 if closed else 404
            )
        lenient = request.query.get("ignore_unavailable") == "true"
        point = self._searches.open_point(name or "", lenient=lenient)
        return Answer({"id": point, "_shards": _shards(1)})

    def _refresh(self, name: str | None) -> Answer:
        for index in self._cluster.find(name or "_all"):
            index.check_open()
            index.refresh()
        return Answer({"_shards": _shards(1)})

    def _index(self, name: str) -> Index:
        """Return the one index that a document is read from, never a data stream."""
        if name not in self._cluster.indices:
            raise missing(name)
        self._cluster.indices[name].check_open()
        return self._cluster.indices[name]

    def _got(self, index: Index, id: str, wanted: Any) -> dict[str, Any]:
        document = index.documents.get(id)
        named = {"_index": index.name, "_id": id}
        if document is None:
            return {**named, "found": False}
        found = {
            **named,
            "_version": document.version,
            "_seq_no": document.number,
            "_primary_term": 1,
            "found": True,
        }
        source = shown(document.source, wanted)
        return found if source is None else {**found, "_source": source}

    def _get_many(self, request: Request, name: str | None) -> Answer:
        body = request.json()
        asked = body.get("docs") or [{"_id": one} for one in body["ids"]]
        wanted = request.query.get("_source", request.query.get("_source_includes"))
        found = []
        for one in asked:
            target = one.get("_index", name)
            try:
                index = self._index(target)
                found.append(self._got(index, one["_id"], one.get("_source", wanted)))
            except Refusal as refusal:
                named = {"_index": target, "_id": one["_id"]}
                found.append({**named, "error": refusal.answer()["error"]})
        return Answer({"docs": found})

    def _document(self, request: Request, name: str, id: str | None) -> Answer:
        if request.method in ("GET", "HEAD"):
            assert id is not None
            query = request.query
            wanted = query.get("_source", query.get("_source_includes"))
            found = self._got(self._index(name), id, wanted)
            return Answer(found, 200 if found["found"] else 404)
        kind = "delete" if request.method == "DELETE" else "index"
        if request.query.get("op_type") == "create":
            kind = "create"
        pipeline = request.query.get("pipeline")
        version = None
        if "if_seq_no" in request.query:
            numbers = request.query["if_seq_no"], request.query["if_primary_term"]
            version = int(numbers[0]), int(numbers[1])
        action = Action(kind, name, id, pipeline, False, request.body, version)
        ((_, item),) = carry_out(self._cluster, [action])[0].items()
        status = item.pop("status")
        if "error" in item:
            error = item["error"]
            raise Refusal(status, error["type"], error["reason"], name)
        if request.query.get("refresh", "false") != "false":
            self._cluster.indices[item["_index"]].refresh()
        return Answer(item, status)


def _shards(number: int) -> dict[str, int]:
    return {"total": number, "successful": number, "skipped": 0, "failed": 0}
