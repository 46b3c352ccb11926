"""The paths of the fake server, and what each does to the cluster."""

from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any

from tests.elasticsearch.bulk import Action, carry_out, parse
from tests.elasticsearch.cluster import Cluster, flat, missing
from tests.elasticsearch.faults import Outcome
from tests.elasticsearch.index import Index
from tests.elasticsearch.mapping import Mapping, merged
from tests.elasticsearch.refusal import Refusal
from tests.elasticsearch.search import Searches, shown
from tests.elasticsearch.wire import Answer, Request, filtered

__all__ = ["Routes"]

_DEFAULTS = {
    "index.translog.durability": "REQUEST",
    "index.number_of_replicas": "1",
    "index.number_of_shards": "1",
    "index.mode": "standard",
    "index.default_pipeline": "_none",
    "index.final_pipeline": "_none",
}
_KEPT = (
    "/_index_template/",
    "/_component_template/",
    "/_ingest/pipeline/",
    "/_ilm/policy/",
    "/_security/role/",
)


class Routes:
    """Finds what a path means; faults and HTTP are not its business."""

    def __init__(
        self,
        cluster: Cluster,
        rule: Callable[[Action], Outcome | None],
        version: str,
    ) -> None:
        self._cluster = cluster
        self._searches = Searches(cluster)
        self._rule = rule
        self._version = version

    def answer(self, request: Request, limit: int | None = None) -> Answer:
        """Carry a request out; of a bulk, only so many actions."""
        answer = self._route(request, limit)
        if paths := request.query.get("filter_path"):
            answer.value = filtered(answer.value, paths.split(",")) or {}
        return answer

    def _route(self, request: Request, limit: int | None) -> Answer:
        path = request.path
        if path.startswith(_KEPT):
            return self._keep(request)
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
        if verb == "_cluster" and parts[1] == "health":
            return Answer({"status": "green", "timed_out": False})
        if verb == "" and name is None:
            return self._info()
        if name:
            return self._manage(request, name, parts)
        raise _unknown(request)

    def _info(self) -> Answer:
        return Answer(
            {
                "name": "fake",
                "cluster_name": "fake",
                "cluster_uuid": "_na_",
                "version": {"number": self._version, "build_flavor": "default"},
                "tagline": "You Know, for Search",
            }
        )

    def _bulk(self, request: Request, name: str | None, limit: int | None) -> Answer:
        actions = parse(request.body, name, request.query)
        items = carry_out(self._cluster, actions[:limit], self._rule)
        if request.query.get("refresh", "false") != "false":
            for action in actions:
                for index in self._cluster.find(action.target, lenient=True):
                    index.refresh()
        failed = any("error" in one for item in items for one in item.values())
        return Answer({"errors": failed, "took": 0, "items": items})

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
        return Answer(
            {"id": self._searches.open_point(name or ""), "_shards": _shards(1)}
        )

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
        action = Action(kind, name, id, pipeline, False, request.body)
        ((_, item),) = carry_out(self._cluster, [action])[0].items()
        status = item.pop("status")
        if "error" in item:
            error = item["error"]
            raise Refusal(status, error["type"], error["reason"], name)
        if request.query.get("refresh", "false") != "false":
            self._cluster.indices[item["_index"]].refresh()
        return Answer(item, status)

    def _manage(self, request: Request, name: str, parts: list[str]) -> Answer:
        verb = parts[0] if parts else ""
        method = request.method
        indices = self._cluster.indices
        if verb == "" and method == "PUT":
            self._cluster.create(name, request.json())
            return Answer({"acknowledged": True, "index": name})
        if verb == "_rollover":
            new = self._cluster.roll_over(name)
            return Answer({"acknowledged": True, "rolled_over": True, "new_index": new})
        found = self._cluster.find(name)
        if verb == "" and method == "HEAD":
            return Answer({}, 200 if found else 404)
        if verb == "" and method == "DELETE":
            for index in found:
                if index.stream:
                    reason = f"index [{index.name}] belongs to data stream"
                    raise Refusal(400, "illegal_argument_exception", reason, index.name)
                del indices[index.name]
        elif verb in ("_close", "_open"):
            for index in found:
                index.closed = verb == "_close"
        elif verb == "_settings" and method == "PUT":
            for index in found:
                new_settings = flat(request.json())
                index.settings |= {
                    key if key.startswith("index.") else f"index.{key}": value
                    for key, value in new_settings.items()
                }
        elif verb == "_mapping" and method == "PUT":
            for index in found:
                index.mapping = Mapping(merged(index.mapping.tree, request.json()))
        elif verb == "_mapping":
            return Answer({one.name: {"mappings": one.mapping.tree} for one in found})
        elif verb == "_settings":
            return Answer({one.name: _settings(one, request, parts) for one in found})
        else:
            raise _unknown(request)
        return Answer({"acknowledged": True})

    def _keep(self, request: Request) -> Answer:
        kept = self._cluster.kept
        path = request.path
        if request.method in ("PUT", "POST"):
            kept[path] = request.json()
            return Answer({"acknowledged": True})
        found = {one: kept[one] for one in kept if fnmatchcase(one, path)}
        if not found and "*" not in path:
            raise Refusal(404, "resource_not_found_exception", f"{path} is not there")
        if request.method == "DELETE":
            for one in found:
                del kept[one]
            return Answer({"acknowledged": True})
        if path.startswith(("/_index_template/", "/_component_template/")):
            word = path.split("/")[1].removeprefix("_")
            listed = [
                {"name": one.rpartition("/")[2], word: value}
                for one, value in found.items()
            ]
            return Answer({f"{word}s": listed})
        return Answer({one.rpartition("/")[2]: value for one, value in found.items()})


def _settings(index: Index, request: Request, parts: list[str]) -> dict[str, Any]:
    wanted = parts[1].split(",") if len(parts) > 1 else ["*"]

    def fits(key: str) -> bool:
        return any(fnmatchcase(key, one) for one in wanted)

    own = {key: value for key, value in index.settings.items() if fits(key)}
    answer: dict[str, Any] = {"settings": own}
    if request.query.get("include_defaults") == "true":
        rest = {key: one for key, one in _DEFAULTS.items() if key not in index.settings}
        answer["defaults"] = {key: one for key, one in rest.items() if fits(key)}
    return answer


def _shards(number: int) -> dict[str, int]:
    return {"total": number, "successful": number, "skipped": 0, "failed": 0}


def _unknown(request: Request) -> Refusal:
    reason = f"no handler found for uri [{request.path}] and method [{request.method}]"
    return Refusal(400, "illegal_argument_exception", reason)
