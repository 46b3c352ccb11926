"""One thing that setup puts into Elasticsearch, and whether it is there already."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Resource", "holds", "is_owned", "owned"]

_MAKER = "beats-signer"


@dataclass(frozen=True, slots=True)
class Resource:
    """Something with a name that is put under a path."""

    kind: str
    """What it is, for people."""
    name: str
    path: str
    body: Mapping[str, Any]

    def render(self) -> str:
        """Return the request as the Kibana console takes it."""
        return f"PUT {self.path}\n{json.dumps(self.body, indent=2)}\n"


def owned(body: Mapping[str, Any]) -> dict[str, str]:
    """Return what says that a resource was made here, and from which body."""
    text = json.dumps(body, sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    return {"managed_by": _MAKER, "digest": digest}


def is_owned(there: Mapping[str, Any]) -> bool:
    """Tell whether a resource on a server was made here, in whatever version."""
    policy = there.get("policy") or {}
    marks = (there.get("_meta"), there.get("metadata"), policy.get("_meta"))
    return any((mark or {}).get("managed_by") == _MAKER for mark in marks)


def holds(there: Any, wanted: Any) -> bool:  # noqa: ANN401
    """Tell whether a server's own spelling of a resource has all that is wanted.

    The server adds defaults, writes numbers and booleans of settings as text,
    and nests ``index.codec``. What was taken out of a resource since it was put
    shows in its digest.
    """
    if isinstance(wanted, Mapping):
        return isinstance(there, Mapping) and all(
            holds(_find(there, key), value) for key, value in wanted.items()
        )
    if isinstance(wanted, list | tuple):
        if not isinstance(there, list | tuple):
            return len(wanted) == 1 and holds(there, wanted[0])
        return len(there) == len(wanted) and all(map(holds, there, wanted))
    return _text(there) == _text(wanted)


def _find(tree: Mapping[str, Any], path: str) -> Any:  # noqa: ANN401
    """Return what stands under a key that may be spelled flat or nested."""
    if path in tree:
        return tree[path]
    first, dot, rest = path.partition(".")
    if dot and isinstance(tree.get(first), Mapping):
        return _find(tree[first], rest)
    return None


def _text(value: Any) -> str:  # noqa: ANN401
    return str(value).lower() if isinstance(value, bool) else str(value)
