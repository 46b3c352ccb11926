"""What an operator or ``setup`` asks of the fake server: templates, settings, rights.

It stands for a complete distribution: lifecycle policies and data streams are here,
which the smallest real one does not know.
"""

from fnmatch import fnmatchcase
from typing import Any

from tests.elasticsearch.cluster import Cluster, flat, index_settings, nested
from tests.elasticsearch.index import Index
from tests.elasticsearch.mapping import Mapping, merged
from tests.elasticsearch.refusal import Refusal
from tests.elasticsearch.wire import Answer, Request

__all__ = ["Administration"]

_DEFAULTS = {
    "index.translog.durability": "REQUEST",
    "index.number_of_replicas": "1",
    "index.number_of_shards": "1",
    "index.mode": "standard",
    "index.default_pipeline": "_none",
    "index.final_pipeline": "_none",
}
_CLUSTER_DEFAULTS = {
    "action.auto_create_index": "true",
    "http.max_content_length": "100mb",
    "indexing_pressure.memory.limit": "10%",
    "indexing_pressure.memory.coordinating.limit": "10%",
    "indexing_pressure.memory.primary.limit": "10%",
}
_OPERATION = "indexing_pressure.memory.max_operation_size"
_CLOSED = "index.verified_before_close"
_KEPT = (
    "/_index_template/",
    "/_component_template/",
    "/_ingest/pipeline/",
    "/_ilm/policy/",
    "/_security/role/",
)


class Administration:
    """Answers all that is neither a bulk nor a read."""

    def __init__(self, cluster: Cluster, version: str) -> None:
        self._cluster = cluster
        self._version = version
        self.keys: dict[str, dict[str, Any]] = {}
        """Bodies of the requests that made API keys, by id."""
        self.refused: set[str] = set()
        """Paths that the user has no right to."""
        self.heap_bytes = 4 << 30
        """Memory of its one node."""
        self.secured = False
        """Whether it knows users and their rights."""
        self.denied: set[tuple[str, str]] = set()
        """Rights that the user lacks: ``cluster`` or the name of indices, privilege."""

    def answer(self, request: Request, name: str | None, parts: list[str]) -> Answer:
        """Carry a request out."""
        path = request.path
        if path.startswith("/_security/") and not self.secured:
            raise unknown(request)
        if path.startswith(_KEPT) or f"{path}/" in _KEPT:
            return self._keep(request)
        if name:
            return self._manage(request, name, parts)
        if path == "/":
            return self._info()
        if path == "/_cluster/health":
            return Answer({"status": "green", "timed_out": False})
        if path == "/_cluster/settings":
            return self._settings(request)
        if path == "/_nodes/jvm":
            return self._nodes(request)
        if path == "/_license":
            return Answer({"license": {"status": "active", "type": "basic"}})
        if path == "/_security/_authenticate":
            return Answer({"username": "fake", "roles": ["superuser"], "enabled": True})
        if path == "/_security/api_key" and request.method == "POST":
            return self._make_key(request)
        if path == "/_security/user/_has_privileges":
            return self._privileges(request)
        if parts[:2] == ["_resolve", "index"]:
            return self._resolve(parts[2])
        if parts[0] == "_data_stream" and request.method == "GET":
            return self._streams(parts[1] if len(parts) > 1 else "*")
        raise unknown(request)

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

    def _settings(self, request: Request) -> Answer:
        kept = self._cluster.kept.setdefault(request.path, {})
        if request.method == "PUT":
            for part, values in request.json().items():
                kept[part] = kept.get(part, {}) | flat(values)
            return Answer({"acknowledged": True})
        told: dict[str, Any] = {"persistent": {}, "transient": {}} | kept
        if request.query.get("include_defaults") == "true":
            own = {} if self._version.startswith("8.") else {_OPERATION: "10%"}
            told["defaults"] = _CLUSTER_DEFAULTS | own
        return Answer(told)

    def _nodes(self, request: Request) -> Answer:
        if request.path in self.refused:
            raise Refusal(403, "security_exception", "action is unauthorized")
        memory = {"mem": {"heap_max_in_bytes": self.heap_bytes}}
        node = {"version": self._version, "roles": ["data", "ingest"], "jvm": memory}
        return Answer({"nodes": {"fake": node}})

    def _make_key(self, request: Request) -> Answer:
        if request.path in self.refused:
            raise Refusal(403, "security_exception", "action is unauthorized")
        number = len(self.keys)
        self.keys[f"id-{number}"] = request.json()
        key = {"id": f"id-{number}", "api_key": "secret", "encoded": "not-used"}
        return Answer({"name": request.json()["name"], **key})

    def _privileges(self, request: Request) -> Answer:
        asked = request.json()

        def rights(name: str, privileges: list[str]) -> dict[str, bool]:
            return {one: (name, one) not in self.denied for one in privileges}

        cluster = rights("cluster", asked.get("cluster", []))
        index = {
            name: rights(name, one["privileges"])
            for one in asked.get("index", [])
            for name in one["names"]
        }
        every = [cluster, *index.values()]
        return Answer(
            {
                "username": "fake",
                "has_all_requested": all(all(one.values()) for one in every),
                "cluster": cluster,
                "index": index,
                "application": {},
            }
        )

    def _resolve(self, pattern: str) -> Answer:
        indices = [
            {"name": one.name, "attributes": ["open"]}
            for one in self._cluster.find(pattern, lenient=True)
            if one.stream is None
        ]
        streams = [
            {
                "name": one.name,
                "backing_indices": [index.name for index in one.indices],
                "timestamp_field": "@timestamp",
            }
            for one in self._cluster.streams.values()
            if fnmatchcase(one.name, pattern)
        ]
        return Answer({"indices": indices, "aliases": [], "data_streams": streams})

    def _streams(self, pattern: str) -> Answer:
        found = [
            {
                "name": one.name,
                "timestamp_field": {"name": "@timestamp"},
                "indices": [{"index_name": index.name} for index in one.indices],
                "generation": len(one.indices),
                "status": "GREEN",
                "failure_store": {"enabled": one.failure_store, "indices": []},
            }
            for one in self._cluster.streams.values()
            if fnmatchcase(one.name, pattern)
        ]
        if not found and "*" not in pattern:
            reason = f"no such index [{pattern}]"
            raise Refusal(404, "index_not_found_exception", reason, pattern)
        return Answer({"data_streams": found})

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
        if verb not in ("", "_close", "_open", "_settings", "_mapping"):
            raise unknown(request)
        found = self._cluster.find(
            name,
            lenient=request.query.get("ignore_unavailable") == "true",
            closed=request.query.get("expand_wildcards") == "all",
        )
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
                index.settings.pop(_CLOSED, None)
                if index.closed:
                    index.settings[_CLOSED] = "true"
        elif verb == "_settings" and method == "PUT":
            for index in found:
                index.settings |= index_settings(request.json())
        elif verb == "_mapping" and method == "PUT":
            for index in found:
                index.mapping = Mapping(merged(index.mapping.tree, request.json()))
        elif verb == "_mapping":
            return Answer({one.name: {"mappings": one.mapping.tree} for one in found})
        elif verb == "_settings":
            told = {one.name: _settings(one, request, parts) for one in found}
            return Answer(
                {name: one for name, one in told.items() if any(one.values())}
            )
        else:
            raise unknown(request)
        return Answer({"acknowledged": True})

    def _keep(self, request: Request) -> Answer:
        kept = self._cluster.kept
        path = request.path
        if request.method in ("PUT", "POST"):
            kept[path] = request.json()
            return Answer({"acknowledged": True})
        pattern = f"{path}/*" if f"{path}/" in _KEPT else path
        found = {one: kept[one] for one in kept if fnmatchcase(one, pattern)}
        if not found and pattern == path:
            raise _not_kept(path)
        if request.method == "DELETE":
            for one in found:
                del kept[one]
            return Answer({"acknowledged": True})
        if request.method == "HEAD":
            return Answer({})
        named = {one.rpartition("/")[2]: value for one, value in found.items()}
        word = path.split("/")[1].removeprefix("_")
        if word in ("index_template", "component_template"):
            listed = [
                {"name": name, word: _template(value, word == "index_template")}
                for name, value in named.items()
            ]
            return Answer({f"{word}s": listed})
        return Answer(named)


def _template(kept: dict[str, Any], whole: bool) -> dict[str, Any]:
    """Return a template as the server tells it, with settings as strings."""
    told = {"composed_of": [], **kept} if whole else dict(kept)
    if "settings" in told.get("template", {}):
        settings = nested(told["template"]["settings"])
        told["template"] = {**told["template"], "settings": settings}
    return told


def _not_kept(path: str) -> Refusal:
    _, kind, name = path.rsplit("/", 2)
    if kind == "pipeline" or path.startswith("/_security"):
        return Refusal.empty(404)
    words = kind.removeprefix("_").replace("_", " ")
    reason = f"{words} matching [{name}] not found"
    return Refusal(404, "resource_not_found_exception", reason)


def _settings(index: Index, request: Request, parts: list[str]) -> dict[str, Any]:
    wanted = parts[1].split(",") if len(parts) > 1 else ["*"]

    def fits(key: str) -> bool:
        return any(fnmatchcase(key, one) for one in wanted)

    every = {"index.creation_date": "1795424400000"} | index.settings
    own = {key: value for key, value in every.items() if fits(key)}
    answer: dict[str, Any] = {"settings": own}
    if request.query.get("include_defaults") == "true":
        rest = {key: one for key, one in _DEFAULTS.items() if key not in index.settings}
        answer["defaults"] = {key: one for key, one in rest.items() if fits(key)}
    return answer


def unknown(request: Request) -> Refusal:
    """Return the refusal of a path that the server does not know."""
    return Refusal.unknown(request.path, request.method)
