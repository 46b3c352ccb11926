"""Judge the settings and the mapping of an index against what is promised.

All of it is pure: what the server told in, verdicts out.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

__all__ = ["Mark", "Verdict", "judge_mapping", "judge_settings"]

_PAYLOADS: Final = ("payload", "payload_base64")
_BLOCKS: Final = ("write", "read_only", "read_only_allow_delete", "metadata")
_SETUP: Final = "Run `beats-signer setup`, then roll the data stream over."


class Mark(StrEnum):
    """How a check ended."""

    OK = "ok"
    NOTICE = "notice"
    """No promise is broken; an operator may want to know."""
    BROKEN = "broken"
    """A promise would be broken: it stops the start, unless it is accepted."""
    ACCEPTED = "accepted"
    """The same, and the settings accept it."""
    UNKNOWN = "unknown"
    """The server does not tell us."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One line of what the checks say."""

    mark: Mark
    check: str
    """Name of the check, as ``elasticsearch.accept`` takes it."""
    subject: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        """Return the line without the hint."""
        return f"{self.mark:<8} {self.check}: {self.subject}: {self.message}"


def judge_settings(name: str, settings: Mapping[str, Any]) -> Iterator[Verdict]:
    """Judge flat settings, in which defaults stand too."""

    def found(key: str) -> str:
        return str(settings.get(f"index.{key}", "")).lower()

    durability = found("translog.durability") or "request"
    if durability == "request":
        yield Verdict(Mark.OK, "durability", name, "request")
    else:
        yield Verdict(
            Mark.BROKEN,
            "durability",
            name,
            f"{durability}: what was acknowledged may be lost in a crash",
            "Set index.translog.durability to request.",
        )
    mode = found("mode") or "standard"
    if mode == "time_series":
        yield Verdict(
            Mark.BROKEN,
            "index-mode",
            name,
            "time_series takes no _id from us, and may merge events",
            "Send events to a data stream of another mode.",
        )
    if found("logsdb.route_on_sort_fields") == "true":
        yield Verdict(
            Mark.BROKEN,
            "ids",
            name,
            "route_on_sort_fields takes no _id from us",
            "Set index.logsdb.route_on_sort_fields to false.",
        )
    if found("number_of_replicas") == "0" and found("auto_expand_replicas") in (
        "",
        "false",
    ):
        yield Verdict(
            Mark.NOTICE,
            "replicas",
            name,
            "0: what was acknowledged is lost with the disk of one node",
            "Set index.number_of_replicas to 1 or more.",
        )
    blocked = [block for block in _BLOCKS if found(f"blocks.{block}") == "true"]
    if blocked:
        yield Verdict(
            Mark.NOTICE,
            "blocks",
            name,
            f"blocked by {', '.join(blocked)}: nothing is acknowledged until it is not",
        )
    pipelines = [found(f"{kind}_pipeline") for kind in ("default", "final")]
    running = [one for one in pipelines if one not in ("", "_none")]
    if running:
        yield Verdict(
            Mark.OK, "pipelines", name, f"{', '.join(running)} may change what is shown"
        )


def judge_mapping(
    name: str, mapping: Mapping[str, Any], settings: Mapping[str, Any], *, is_own: bool
) -> Iterator[Verdict]:
    """Judge where the payload, or the texts of a seal, are kept."""
    source = mapping.get("_source", {})
    if str(source.get("enabled", True)).lower() == "false" or (
        source.get("excludes") or source.get("includes")
    ):
        yield Verdict(
            Mark.BROKEN,
            "source",
            name,
            "_source is not kept whole: nothing can be verified",
            "Remove _source from the mapping, and roll over.",
        )
    opaque = ("note", "body", "leaves") if is_own else _PAYLOADS
    properties = _properties(mapping, is_own)
    missing = [field for field in opaque if field not in properties]
    limited = [
        field
        for field in opaque
        if field in properties and not _takes_all(properties[field], settings)
    ]
    if limited:
        yield Verdict(
            Mark.BROKEN,
            "payload-mapping",
            name,
            f"{', '.join(limited)}: not every text would be taken",
            _SETUP,
        )
    elif missing:
        yield Verdict(
            Mark.BROKEN if is_own else Mark.NOTICE,
            "payload-mapping",
            name,
            f"{', '.join(missing)} has no mapping of ours",
            _SETUP,
        )
    else:
        yield Verdict(Mark.OK, "payload-mapping", name, "takes every payload")


def _properties(mapping: Mapping[str, Any], is_own: bool) -> dict[str, Any]:
    """Return the fields that matter; ``subobjects: false`` shows dotted names."""
    properties = mapping.get("properties", {})
    if is_own:
        return dict(properties)
    prefix = "beats_signer."
    dotted = {
        key.removeprefix(prefix): value
        for key, value in properties.items()
        if key.startswith(prefix)
    }
    nested = properties.get("beats_signer", {}).get("properties", {})
    return {**dotted, **nested}


def _takes_all(field: Mapping[str, Any], settings: Mapping[str, Any]) -> bool:
    """Tell whether a field takes texts of any size: above 32,766 bytes too."""
    kind = field.get("type")
    if kind in ("text", "match_only_text"):
        return True
    if kind == "object":
        return str(field.get("enabled", True)).lower() == "false"
    if kind != "keyword":
        return False
    if "ignore_above" in field or "index.mapping.ignore_above" in settings:
        return True
    return not any(
        str(field.get(part, True)).lower() == "true" for part in ("index", "doc_values")
    )
