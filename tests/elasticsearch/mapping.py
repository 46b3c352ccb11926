"""Judge documents by a mapping, as far as the tests go, and learn new fields."""

import ipaddress
import json
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from tests.elasticsearch.refusal import Refusal

__all__ = ["Mapping", "merged", "parse_document", "to_millis"]

_TERM_BYTES = 32_766
_NUMBERS = {"long", "integer", "short", "byte", "unsigned_long"}
_FLOATS = {"double", "float", "half_float", "scaled_float"}


def merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Lay one tree of objects over another."""
    result = dict(base)
    for key, value in over.items():
        old = result.get(key)
        if isinstance(old, dict) and isinstance(value, dict):
            value = merged(old, value)
        result[key] = value
    return result


def parse_document(source: bytes) -> dict[str, Any]:
    """Return the document, or refuse what the server's parser refuses."""
    try:
        parsed = json.loads(source, object_pairs_hook=_without_repeats)
    except (ValueError, UnicodeDecodeError) as error:
        raise _unparsable(f"failed to parse: {error}") from error
    if not isinstance(parsed, dict):
        raise _unparsable("failed to parse: not an object")
    return parsed


def to_millis(value: Any) -> int:
    """Return a date as the server keeps it: milliseconds since 1970.

    Raises:
        ValueError: It is no date in the format of a fresh mapping.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if not isinstance(value, str):
        raise ValueError(f"no date: {value!r}")
    if re.fullmatch(r"-?\d{5,}", value):
        return int(value)
    text = re.sub(r"(\.\d{6})\d+", r"\1", value)
    read = datetime.fromisoformat(text)
    moment = read if read.tzinfo else read.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000)


class Mapping:
    """The fields of one index; a document may add some."""

    def __init__(self, tree: dict[str, Any], limit: int = 1000) -> None:
        self.tree = merged({"properties": {}}, tree)
        self._limit = limit

    def admit(self, document: dict[str, Any]) -> None:
        """Take a document's fields in.

        Raises:
            Refusal: A value does not fit; nothing was learnt.
        """
        tree = json.loads(json.dumps(self.tree))
        _admit(tree, document, "", "true")
        if sum(1 for _ in _fields(tree)) > self._limit:
            raise _unparsable(
                f"Limit of total fields [{self._limit}] has been exceeded"
            )
        self.tree = tree

    def copied(self) -> "Mapping":
        """Return another mapping that may learn without this one."""
        return Mapping(self.tree, self._limit)

    def kind(self, path: str) -> str | None:
        """Return the type of a field, or ``None`` when it has none."""
        node = self.tree
        for part in path.split("."):
            node = node.get("properties", {}).get(part) or node.get("fields", {}).get(
                part, {}
            )
        return node.get("type")


def _admit(tree: dict[str, Any], value: dict[str, Any], prefix: str, way: str) -> None:
    if tree.get("enabled") in (False, "false"):
        return
    way = str(tree.get("dynamic", way)).lower()
    properties = tree.setdefault("properties", {})
    for key, one in value.items():
        head, _, rest = key.partition(".")
        if not head or key.endswith("."):
            raise _unparsable(f"field name [{key}] is not usable")
        path = prefix + head
        content = {rest: one} if rest else one
        known = properties.get(head)
        if known is None:
            if way == "strict":
                raise Refusal(
                    400,
                    "strict_dynamic_mapping_exception",
                    f"mapping set to strict, dynamic introduction of [{path}] within"
                    " [_doc] is not allowed",
                )
            known = _learn(content) if way != "false" else None
            if known is None:
                continue
            properties[head] = known
        for part in _each(content):
            _check(known, part, path, way)


def _check(field: dict[str, Any], value: Any, path: str, way: str) -> None:
    kind = field.get("type", "object")
    if kind == "object":
        if not isinstance(value, dict):
            if field.get("enabled") in (False, "false"):
                return
            raise _unparsable(
                f"object mapping for [{path}] tried to parse field [{path}] as object,"
                " but found a concrete value"
            )
        _admit(field, value, f"{path}.", way)
    elif kind == "flattened":
        if not isinstance(value, dict):
            raise _failed(path, kind)
    elif isinstance(value, dict) or not _fits(field, kind, value):
        raise _failed(path, kind)


def _fits(field: dict[str, Any], kind: str, value: Any) -> bool:
    if field.get("ignore_malformed") in (True, "true"):
        return True
    try:
        if kind in _NUMBERS or kind in _FLOATS:
            float(value)
            return not isinstance(value, bool)
        if kind in ("date", "date_nanos"):
            to_millis(value)
        elif kind == "ip":
            ipaddress.ip_address(value)
        elif kind == "boolean":
            return value in (True, False, "true", "false", "")
        elif kind == "keyword" and "ignore_above" not in field:
            kept = field.get("index", True) or field.get("doc_values", True)
            return (
                not kept or len(_text(value).encode("utf-8", "replace")) <= _TERM_BYTES
            )
    except (TypeError, ValueError, OverflowError):
        return False
    return True


def _learn(value: Any) -> dict[str, Any] | None:
    """Return the field that a first value makes; ``None``: none yet."""
    for one in _each(value):
        if isinstance(one, dict):
            return {"properties": {}}
        if isinstance(one, bool):
            return {"type": "boolean"}
        if isinstance(one, int):
            return {"type": "long"}
        if isinstance(one, float):
            return {"type": "float"}
        try:
            datetime.fromisoformat(one)
        except ValueError:
            keyword = {"type": "keyword", "ignore_above": 256}
            return {"type": "text", "fields": {"keyword": keyword}}
        return {"type": "date"}
    return None


def _each(value: Any) -> Iterator[Any]:
    if isinstance(value, list):
        for one in value:
            yield from _each(one)
    elif value is not None:
        yield value


def _fields(tree: dict[str, Any]) -> Iterator[None]:
    for field in tree.get("properties", {}).values():
        yield None
        yield from (None for _ in field.get("fields", {}))
        yield from _fields(field)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _without_repeats(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"Duplicate field '{key}'")
        found[key] = value
    return found


def _failed(path: str, kind: str) -> Refusal:
    return _unparsable(f"failed to parse field [{path}] of type [{kind}]")


def _unparsable(reason: str) -> Refusal:
    return Refusal(400, "document_parsing_exception", reason)
