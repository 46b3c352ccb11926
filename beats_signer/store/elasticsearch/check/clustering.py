"""Judge the settings of a server as a whole; all pure."""

from collections.abc import Mapping
from typing import Any, Final

from beats_signer.store.elasticsearch.check.soundness import Mark, Verdict

__all__ = ["SETUP", "apply_all", "judge_creation"]

SETUP: Final = "Run `beats-signer setup`."


def apply_all(told: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the settings that count, of an answer with flat names and defaults."""
    parts = (told.get(part, {}) for part in ("defaults", "persistent", "transient"))
    return {name: value for part in parts for name, value in part.items()}


def judge_creation(settings: Mapping[str, Any] | None) -> Verdict:
    """Judge whether indices are made when they are needed; ``None``: not shown."""
    if settings is None:
        return Verdict(
            Mark.UNKNOWN, "creation", "server", "its settings are not shown to us"
        )
    value = str(settings.get("action.auto_create_index", "true"))
    if value.lower() == "true":
        return Verdict(Mark.OK, "creation", "server", "places are made when needed")
    return Verdict(
        Mark.NOTICE,
        "creation",
        "server",
        f"action.auto_create_index is {value}: only templates of setup allow it",
        SETUP,
    )
