"""Requests and answers of the fake server, and what ``filter_path`` makes of them."""

import json
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import msgspec
from aiohttp import web

__all__ = ["Answer", "Request", "encode", "filtered"]

_OPERATIONS = {
    "_bulk": "bulk",
    "_doc": "get",
    "_source": "get",
    "_mget": "get",
    "_search": "search",
    "_count": "count",
    "_pit": "point",
    "_refresh": "refresh",
    "_simulate": "trial",
}


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came, its body decompressed."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    operation: str

    @classmethod
    def of(cls, raw: web.Request, body: bytes) -> "Request":
        """Take a request over from the HTTP server."""
        parts = raw.path.strip("/").split("/")
        named = [_OPERATIONS[part] for part in parts[:2] if part in _OPERATIONS]
        reading = raw.method in ("GET", "POST", "HEAD")
        return cls(
            raw.method,
            raw.path,
            dict(raw.query),
            {key.lower(): value for key, value in raw.headers.items()},
            body,
            named[0] if named and (reading or named[0] == "bulk") else "other",
        )

    def json(self) -> dict[str, Any]:
        """Return the body as values; an empty one as no values."""
        parsed: dict[str, Any] = json.loads(self.body or b"{}")
        return parsed


@dataclass(slots=True)
class Answer:
    """A value to be sent as JSON, and its status."""

    value: Any
    status: int = 200


def encode(value: Any) -> bytes:
    """Return an answer as JSON; sources keep their exact text."""
    return msgspec.json.encode(value)


def filtered(value: Any, paths: list[str]) -> Any:
    """Return the parts of an answer that the patterns of ``filter_path`` name."""
    return _filtered(value, [path.split(".") for path in paths])


def _filtered(value: Any, paths: list[list[str]]) -> Any:
    if any(not path for path in paths):
        return value
    if isinstance(value, msgspec.Raw):
        value = json.loads(bytes(value))
    if isinstance(value, list):
        kept = [_filtered(one, paths) for one in value]
        return [one for one in kept if one is not None] or None
    if not isinstance(value, dict):
        return None
    found = {}
    for key, one in value.items():
        below = [path[1:] for path in paths if fnmatchcase(key, path[0])]
        below += [path for path in paths if path[0] == "**"]
        part = _filtered(one, below) if below else None
        if part is not None:
            found[key] = part
    return found or None
