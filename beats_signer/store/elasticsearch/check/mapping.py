"""Judge whether a mapping keeps what is signed, and finds it again; all pure."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from beats_signer.store.elasticsearch.check.soundness import Mark, Verdict

__all__ = ["judge_mapping"]

_PAYLOADS: Final = ("payload", "payload_base64")
_TEXTS: Final = ("note", "body", "leaves")
_MAPPING: Final = ("true", "runtime")
"""What ``dynamic`` has to be, for a field without a mapping to be found."""
_TERM_CHARACTERS: Final = 32_766 // 4
"""So many characters are a term that Lucene takes, whatever they are."""
_SETUP: Final = (
    "Run `beats-signer setup`, then roll the data stream over; a plain index has to be "
    "made anew."
)
_FOUND_AS: Final = {
    "chain": ("keyword", "text", "wildcard", "constant_keyword"),
    "index": ("long", "integer", "unsigned_long"),
    "seal": ("long", "integer", "unsigned_long"),
}
"""Types by which a query finds the fields that steer it."""


def judge_mapping(
    name: str, mapping: Mapping[str, Any], settings: Mapping[str, Any], *, is_own: bool
) -> Iterator[Verdict]:
    """Judge where the payload, or the texts of a seal, are kept.

    Args:
        name: Of the index, or of the pattern that a template makes it for.
        mapping: As the server tells it.
        settings: Flat, in which defaults stand too.
        is_own: An index of seals, and no place of events.
    """
    yield _source(name, mapping, settings)
    properties = _properties(mapping, is_own)
    opaque = _TEXTS if is_own else _PAYLOADS
    limited = [
        field
        for field in opaque
        if field in properties and not _takes_all(properties[field], settings)
    ]
    if limited:
        why = f"{', '.join(limited)}: not every text would be taken"
    elif why := _unfound(mapping, properties, is_own):
        pass
    elif missing := [field for field in opaque if field not in properties]:
        yield Verdict(
            Mark.BROKEN if is_own else Mark.NOTICE,
            "payload-mapping",
            name,
            f"{', '.join(missing)} has no mapping of ours",
            _SETUP,
        )
        return
    else:
        yield Verdict(Mark.OK, "payload-mapping", name, "takes every payload")
        return
    yield Verdict(Mark.BROKEN, "payload-mapping", name, why, _SETUP)


def _source(
    name: str, mapping: Mapping[str, Any], settings: Mapping[str, Any]
) -> Verdict:
    source = mapping.get("_source", {})
    mode = settings.get("index.mapping.source.mode") or source.get("mode") or "stored"
    mode = str(mode).lower()
    is_off = mode == "disabled" or str(source.get("enabled", True)).lower() == "false"
    if not (is_off or source.get("excludes") or source.get("includes")):
        return Verdict(Mark.OK, "source", name, f"kept whole, {mode}")
    return Verdict(
        Mark.BROKEN,
        "source",
        name,
        "_source is not kept whole: nothing can be verified",
        "Take its settings out of the mapping, and roll over or make a new index.",
    )


def _unfound(
    mapping: Mapping[str, Any], properties: Mapping[str, Any], is_own: bool
) -> str:
    """Say why a query would not find what is stored, or nothing."""
    taken = mapping.get("properties", {}).get("beats_signer", {})
    if not is_own and taken.get("type", "object") != "object":
        return f"beats_signer is of type {taken['type']}: no event would be taken"
    if not is_own and str(taken.get("enabled", True)).lower() == "false":
        return "beats_signer is not enabled: no event would be found again"
    dynamic = str(taken.get("dynamic", mapping.get("dynamic", True))).lower()
    for field, types in _FOUND_AS.items():
        if field not in properties:
            if field in ("chain", "index") and not is_own and dynamic not in _MAPPING:
                return f"{field} would not be mapped, as dynamic is {dynamic}"
        elif properties[field].get("type") not in types:
            return f"{field} is of type {properties[field].get('type')}"
    return ""


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
    limit = field.get("ignore_above", settings.get("index.mapping.ignore_above"))
    if limit is not None and int(limit) <= _TERM_CHARACTERS:
        return True
    return not any(
        str(field.get(part, True)).lower() == "true" for part in ("index", "doc_values")
    )
