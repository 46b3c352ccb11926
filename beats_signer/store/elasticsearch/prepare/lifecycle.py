"""Lifecycle policies: how long Elasticsearch keeps events, by retention.

Nothing is deleted early: the age of an index counts from its last event, which
is when it is rolled over. Nothing stays much longer either: an index is rolled
over after a tenth of the retention.
"""

from typing import Any, Final

from beats_signer.store.elasticsearch.config import Lifecycle
from beats_signer.store.elasticsearch.prepare.resource import Resource, owned

__all__ = ["STANDARD_DAYS", "build_policy", "lifecycle_settings", "policy_name"]

STANDARD_DAYS: Final = (90, 180, 365, 730, None)
"""Retentions that always have a policy; ``None`` is for ever."""

_MOST_ROLLOVER_DAYS: Final = 30
_SHARD_SIZE: Final = "50gb"


def policy_name(days: int | None) -> str:
    """Return the name of a retention's policy."""
    return "beats-signer-never" if days is None else f"beats-signer-{days}d"


def build_policy(days: int | None) -> Resource:
    """Return the ILM policy of a retention in days, ``None`` for ever."""
    most = _MOST_ROLLOVER_DAYS
    rollover_days = most if days is None else min(most, max(1, days // 10))
    phases: dict[str, Any] = {
        "hot": {
            "min_age": "0ms",
            "actions": {
                "rollover": {
                    "max_age": f"{rollover_days}d",
                    "max_primary_shard_size": _SHARD_SIZE,
                }
            },
        }
    }
    if days is not None:
        phases["delete"] = {"min_age": f"{days}d", "actions": {"delete": {}}}
    name = policy_name(days)
    return Resource(
        "lifecycle policy",
        name,
        f"/_ilm/policy/{name}",
        {"policy": {"phases": phases, "_meta": owned(phases)}},
    )


def lifecycle_settings(lifecycle: Lifecycle, days: int | None) -> dict[str, Any]:
    """Return the part of a data stream's template that says how long it is kept."""
    match lifecycle:
        case "ilm":
            return {"settings": {"index.lifecycle.name": policy_name(days)}}
        case "data_stream":
            kept = {} if days is None else {"data_retention": f"{days}d"}
            return {
                "settings": {"index.lifecycle.prefer_ilm": "false"},
                "lifecycle": {"enabled": True, **kept},
            }
        case "none":
            return {}
