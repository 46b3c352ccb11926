"""Tell which index template a new index would be made from, and what it says.

The server has an API for this, and asks more rights for it than a signer should
have. The templates themselves are shown to whoever may monitor the cluster.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

__all__ = ["Winner", "find_winner", "flat"]


@dataclass(frozen=True, slots=True)
class Winner:
    """The template of the highest priority, laid together with its components."""

    name: str
    priority: int
    body: Mapping[str, Any]
    """The part ``template``: settings, mappings and more."""
    is_stream: bool


def find_winner(
    name: str,
    templates: Sequence[Mapping[str, Any]],
    components: Sequence[Mapping[str, Any]],
) -> Winner | None:
    """Return what a new index of this name would be made from.

    Args:
        name: Of the index or data stream.
        templates: ``index_templates`` of the answer to ``GET /_index_template``.
        components: ``component_templates`` of ``GET /_component_template``.
    """
    fitting = [
        (one["index_template"].get("priority", 0), one["name"], one["index_template"])
        for one in templates
        if _fits(name, one["index_template"]["index_patterns"])
    ]
    if not fitting:
        return None
    priority, own, template = max(fitting, key=lambda one: one[:2])
    parts = {one["name"]: one["component_template"] for one in components}
    whole: dict[str, Any] = {}
    for part in template.get("composed_of", ()):
        whole = _merged(whole, parts.get(part, {}).get("template", {}))
    whole = _merged(whole, template.get("template", {}))
    return Winner(own, priority, whole, "data_stream" in template)


def _fits(name: str, patterns: str | Sequence[str]) -> bool:
    listed = [patterns] if isinstance(patterns, str) else patterns
    return any(fnmatchcase(name, pattern) for pattern in listed)


def _merged(base: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    both = dict(base)
    for key, value in other.items():
        known = both.get(key)
        is_tree = isinstance(known, Mapping) and isinstance(value, Mapping)
        both[key] = _merged(known, value) if is_tree and known else value
    return both


def flat(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the settings of a tree under their full names."""
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
