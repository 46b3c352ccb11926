"""All that the fake server keeps: indices, data streams, templates, pipelines."""

import json
from collections.abc import Mapping as Reading
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from tests.elasticsearch.index import Index
from tests.elasticsearch.mapping import Mapping, merged
from tests.elasticsearch.refusal import Refusal

__all__ = ["Cluster", "Stream", "flat", "index_settings", "missing", "nested"]


@dataclass
class Stream:
    """A data stream: the newest backing index is written."""

    name: str
    indices: list[Index]
    failure_store: bool = False
    failures: list[Index] = field(default_factory=list)


class Cluster:
    """The state of the fake server, without a line of HTTP."""

    def __init__(self) -> None:
        self.indices: dict[str, Index] = {}
        self.streams: dict[str, Stream] = {}
        self.kept: dict[str, dict[str, Any]] = {}
        """Templates, pipelines and the like, by their path."""
        self.operation_bytes: int | None = None
        """Most bytes of one document, as of version 9; ``None``: any number."""

    def pipeline(self, name: str) -> dict[str, Any]:
        """Return an ingest pipeline."""
        found = self.kept.get(f"/_ingest/pipeline/{name}")
        if found is None:
            raise Refusal(
                400,
                "illegal_argument_exception",
                f"pipeline with id [{name}] does not exist",
            )
        return found

    def find(
        self, expression: str, *, lenient: bool = False, closed: bool = False
    ) -> list[Index]:
        """Return the indices that a name, a list or a pattern stands for."""
        found: dict[str, Index] = {}
        for name in expression.split(","):
            wild = "*" in name or name == "_all"
            part = self._matching("*" if name == "_all" else name)
            if not part and not wild and not lenient:
                raise missing(name)
            for index in part:
                if closed or not (wild and index.closed):
                    found[index.name] = index
        return list(found.values())

    def target(self, name: str, *, require_stream: bool = False) -> Index:
        """Return the index to write to, made on the spot when need be."""
        if require_stream and name not in self.streams:
            template = self.template(name)
            if template is None or "data_stream" not in template:
                raise Refusal(
                    404,
                    "index_not_found_exception",
                    "no such index and [require_data_stream] request flag is [true]"
                    f" and [{name}] is not a data stream",
                    name,
                )
        if name not in self.streams and name not in self.indices:
            self._check_creation(name)
            self.create(name)
        if name in self.streams:
            return self.streams[name].indices[-1]
        return self.indices[name]

    def _check_creation(self, name: str) -> None:
        """Refuse what its template, else ``action.auto_create_index``, forbids."""
        leave = (self.template(name) or {}).get("allow_auto_create")
        if leave is None:
            settings = self.kept.get("/_cluster/settings", {}).get("persistent", {})
            leave = _allows(settings.get("action.auto_create_index") or "true", name)
        if not leave:
            raise missing(name)

    def create(self, name: str, body: Reading[str, Any] | None = None) -> None:
        """Create an index or, where a template says so, a data stream."""
        if name in self.indices or name in self.streams:
            raise Refusal(
                400,
                "resource_already_exists_exception",
                f"index [{name}] already exists",
                name,
            )
        if (
            name != name.lower()
            or not name
            or name[0] in "-_+"
            or set(name) & set(' "*\\<>|,/?#:')
        ):
            raise Refusal(
                400, "invalid_index_name_exception", "Invalid index name", name
            )
        template = self.template(name)
        if template is not None and "data_stream" in template and body is None:
            store = template["template"].get("data_stream_options", {})
            enabled = store.get("failure_store", {}).get("enabled", False)
            stream = self.streams[name] = Stream(name, [], enabled)
            self._add_backing(stream, template["template"])
        else:
            whole = merged(template["template"] if template else {}, dict(body or {}))
            self.indices[name] = self._index(name, whole)

    def roll_over(self, name: str) -> str:
        """Start a new backing index of a data stream; return its name."""
        template = self.template(name)
        assert template is not None, "a data stream has a template"
        return self._add_backing(self.streams[name], template["template"])

    def fail_over(self, stream: Stream) -> Index:
        """Return the index that keeps a data stream's failures."""
        if not stream.failures:
            name = f".fs-{stream.name}-2026.01.01-000002"
            stream.failures.append(self._index(name, {}))
            self.indices[name] = stream.failures[0]
        return stream.failures[0]

    def _add_backing(self, stream: Stream, whole: dict[str, Any]) -> str:
        name = f".ds-{stream.name}-2026.01.01-{len(stream.indices) + 1:06}"
        dated = {"properties": {"@timestamp": {"type": "date"}}}
        whole = merged({"mappings": dated}, whole)
        self.indices[name] = self._index(name, whole)
        self.indices[name].stream = stream.name
        stream.indices.append(self.indices[name])
        return name

    @staticmethod
    def _index(name: str, whole: Reading[str, Any]) -> Index:
        settings = index_settings(whole.get("settings", {}))
        limit = int(settings.get("index.mapping.total_fields.limit", 1000))
        return Index(name, settings, Mapping(whole.get("mappings", {}), limit))

    def template(self, name: str) -> dict[str, Any] | None:
        """Return the index template of a new index, with its parts laid together."""
        best: dict[str, Any] | None = None
        for path, one in self.kept.items():
            if not path.startswith("/_index_template/"):
                continue
            patterns = one["index_patterns"]
            patterns = [patterns] if isinstance(patterns, str) else patterns
            fits = any(fnmatchcase(name, pattern) for pattern in patterns)
            if fits and (not best or one.get("priority", 0) > best.get("priority", 0)):
                best = one
        if best is None:
            return None
        whole: dict[str, Any] = {}
        for part in best.get("composed_of", []):
            component = self.kept.get(f"/_component_template/{part}")
            if component is not None:
                whole = merged(whole, component["template"])
        return {**best, "template": merged(whole, best.get("template", {}))}

    def _matching(self, name: str) -> list[Index]:
        if name.endswith("::failures"):
            stream = self.streams.get(name.removesuffix("::failures"))
            return list(stream.failures) if stream else []
        found = []
        for stream in self.streams.values():
            if fnmatchcase(stream.name, name):
                found += stream.indices
        for index in self.indices.values():
            hidden = index.name.startswith(".") and not name.startswith(".")
            if fnmatchcase(index.name, name) and not hidden:
                found.append(index)
        return found


def flat(tree: Reading[str, Any], prefix: str = "") -> dict[str, str]:
    """Return settings with one flat key each, as strings."""
    found: dict[str, str] = {}
    for key, value in tree.items():
        if isinstance(value, dict):
            found |= flat(value, f"{prefix}{key}.")
        else:
            text = value if isinstance(value, str) else json.dumps(value)
            found[prefix + key] = text
    return found


def index_settings(tree: Reading[str, Any]) -> dict[str, str]:
    """Return settings of an index, flat, each with its prefix."""
    return {
        key if key.startswith("index.") else f"index.{key}": value
        for key, value in flat(tree).items()
    }


def nested(tree: Reading[str, Any]) -> dict[str, Any]:
    """Return settings of an index as the server tells them: a tree of strings."""
    found: dict[str, Any] = {}
    for key, value in index_settings(tree).items():
        *parents, last = key.split(".")
        place = found
        for part in parents:
            place = place.setdefault(part, {})
        place[last] = value
    return found


def _allows(rules: str, name: str) -> bool:
    """Tell what the first rule says that a name matches."""
    for rule in str(rules).lower().split(","):
        if rule in ("true", "false"):
            return rule == "true"
        if fnmatchcase(name, rule.lstrip("+-")):
            return not rule.startswith("-")
    return False


def missing(name: str) -> Refusal:
    """Return the refusal of a request for an index that is not there."""
    return Refusal(404, "index_not_found_exception", f"no such index [{name}]", name)
