"""Component and index templates: how events, seals and the catalogue are mapped.

The payload and whatever else has to come back byte for byte is a keyword that
is neither indexed nor has doc values. Lucene's limit of 32,766 bytes for a term
does not touch it then, and it survives stored and synthetic ``_source`` as well
as logsdb. What a bare document shows besides has a mapping of its own, so that
no event can take these names for something else.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Final

from beats_signer.store.elasticsearch.config import ElasticsearchConfig
from beats_signer.store.elasticsearch.places import (
    CATALOGUE_INDEX,
    CHECKPOINTS_INDEX,
    SEALS_INDEX,
)
from beats_signer.store.elasticsearch.prepare.lifecycle import lifecycle_settings
from beats_signer.store.elasticsearch.prepare.resource import Resource, owned

__all__ = [
    "EVENT_COMPONENT",
    "EVENT_TEMPLATES",
    "OPAQUE",
    "TargetPattern",
    "build_templates",
]

EVENT_COMPONENT: Final = "beats-signer-event"
"""Component template with the ``beats_signer`` object and what protects it."""
EVENT_TEMPLATES: Final = "beats-signer-events-"
"""Names of the index templates of targets begin so."""
CUSTOM_COMPONENT: Final = "beats-signer@custom"
"""Component template of the operator, if there is one; ours outrank it."""

OPAQUE: Final = {"type": "keyword", "index": False, "doc_values": False}
"""Mapping of a string that is kept and never searched."""

_KEYWORD: Final = {"type": "keyword"}
_NAME: Final = {"type": "keyword", "ignore_above": 1024}
_NUMBER: Final = {"type": "long"}
_INDEX_NUMBER: Final = {"type": "long", "ignore_malformed": False}

_EVENT_OBJECT: Final = {
    "type": "object",
    "dynamic": False,
    "properties": {
        "chain": _KEYWORD,
        "index": _INDEX_NUMBER,
        "seal": _INDEX_NUMBER,
        "form": _KEYWORD,
        "sender": _NAME,
        "payload": OPAQUE,
        "payload_base64": OPAQUE,
        "salt": OPAQUE,
    },
}
_SEAL_PROPERTIES: Final = {
    "chain": _KEYWORD,
    "origin": _KEYWORD,
    "seal": _NUMBER,
    "kind": _KEYWORD,
    "first": _NUMBER,
    "count": _NUMBER,
    "time": {"type": "date"},
    "note": OPAQUE,
    "body": OPAQUE,
    "leaves": OPAQUE,
}
_OWN_RANK: Final = 5000
"""No target, whatever its pattern, outranks what holds the seals."""
_DURABLE: Final = {"index.translog.durability": "request"}
_ELASTIC_COMPONENTS: Final = ("ecs@mappings", "logs@mappings", "logs@settings")
"""What Elastic's own template for logs is made of; not every server has them."""


@dataclass(frozen=True, slots=True)
class TargetPattern:
    """Names that routing may give to targets, and how long their events stay."""

    pattern: str
    """A name in which * stands for anything."""
    retention_days: int | None


def build_templates(
    config: ElasticsearchConfig, targets: Sequence[TargetPattern]
) -> list[Resource]:
    """Return all templates, in the order in which they can be put."""
    own = [
        _own_template(config, "beats-signer-seals", SEALS_INDEX, _SEAL_PROPERTIES),
        _own_template(
            config,
            "beats-signer-catalogue",
            CATALOGUE_INDEX,
            {"@timestamp": {"type": "date"}, "beats_signer": _EVENT_OBJECT},
        ),
        _own_template(
            config,
            "beats-signer-checkpoints",
            CHECKPOINTS_INDEX,
            {"note": OPAQUE},
        ),
    ]
    events = _event_templates(config, targets) if config.index_templates else []
    return [_event_component(), *own, *events]


def _event_component() -> Resource:
    properties = {
        "@timestamp": {"type": "date"},
        "beats_signer": _EVENT_OBJECT,
        "beats_signer_sender": {"properties": {"name": _NAME, "address": _NAME}},
        "error": {"properties": {"message": {"type": "text"}, "type": _NAME}},
        "tags": _NAME,
    }
    body = {
        "template": {
            "settings": dict(_DURABLE),
            "mappings": {"properties": properties},
        }
    }
    return Resource(
        "component template",
        EVENT_COMPONENT,
        f"/_component_template/{EVENT_COMPONENT}",
        {**body, "_meta": owned(body)},
    )


def _own_template(
    config: ElasticsearchConfig, name: str, pattern: str, properties: dict[str, Any]
) -> Resource:
    settings: dict[str, Any] = dict(_DURABLE)
    if config.replicas is not None:
        settings["index.number_of_replicas"] = config.replicas
    return _index_template(
        name,
        {
            "index_patterns": [pattern],
            "priority": config.template_priority + _OWN_RANK,
            "allow_auto_create": True,
            "template": {
                "settings": settings,
                "mappings": {"dynamic": False, "properties": properties},
            },
        },
    )


def _event_templates(
    config: ElasticsearchConfig, targets: Iterable[TargetPattern]
) -> list[Resource]:
    """Return a template for each pattern; the more a pattern says, the higher."""
    retention: dict[str, int | None] = {}
    for target in targets:
        known = retention.get(target.pattern, 0)
        days = target.retention_days
        # Who shares a target shares the longest retention: nothing goes early.
        longest = None if days is None or known is None else max(days, known)
        retention[target.pattern] = longest
    return [
        _event_template(
            config, pattern, days, config.template_priority + _rank(pattern, retention)
        )
        for pattern, days in retention.items()
    ]


def _rank(pattern: str, patterns: Iterable[str]) -> int:
    """Return the place of a pattern among all: the more it says, the higher.

    It depends on no other pattern but those that say as much, and so it stays as
    it is when rules come and go.
    """
    said = _literals(pattern)
    equals = sorted(one for one in patterns if _literals(one) == said)
    return 10 * said + min(equals.index(pattern), 9)


def _literals(pattern: str) -> int:
    return len(pattern) - pattern.count("*")


def _event_template(
    config: ElasticsearchConfig, pattern: str, days: int | None, priority: int
) -> Resource:
    is_stream = not any(fnmatchcase(pattern, index) for index in config.indices)
    # The others are for data streams; fields have the same types everywhere.
    elastic = _ELASTIC_COMPONENTS if is_stream else _ELASTIC_COMPONENTS[:1]
    foreign = [*elastic, CUSTOM_COMPONENT]
    body: dict[str, Any] = {
        "index_patterns": [pattern],
        "priority": priority,
        "allow_auto_create": True,
        "composed_of": [*foreign, EVENT_COMPONENT],
        "ignore_missing_component_templates": foreign,
    }
    if is_stream:
        body["data_stream"] = {}
        if kept := lifecycle_settings(config.lifecycle, days):
            body["template"] = kept
    name = EVENT_TEMPLATES + pattern.replace("*", "~")
    return _index_template(name, body)


def _index_template(name: str, body: dict[str, Any]) -> Resource:
    return Resource(
        "index template",
        name,
        f"/_index_template/{name}",
        {**body, "_meta": owned(body)},
    )
