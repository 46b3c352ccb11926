"""Read some fields of an event, and nothing else of it.

Only rules that look into events need this. The fields are decoded by a type
that is built once from their names; everything else is skipped by the decoder.
A field is found nested (``{"event": {"module": …}}``) and, at the top, under
its dotted name (``{"event.module": …}``).
"""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from beats_signer.store.elasticsearch.pairs import read_pairs

__all__ = ["FieldReader", "Value", "Values"]

Value = str | tuple[str, ...] | None
"""Text of a scalar, or of the scalars of an array; ``None``: no such field."""
Values = tuple[Value, ...]

_PAIRS = ord("D")
_VALUE_CHARACTERS = 1024
"""A longer value is no name and matches no pattern but ``*``: it is cut."""

_Tree = dict[str, "_Tree"]


class FieldReader:
    """Read the same fields of many events."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        paths = [tuple(name.split(".")) for name in names]
        tree: _Tree = {}
        for path in paths:
            below = tree
            for step in path:
                below = below.setdefault(step, {})
        dotted = [name for name in names if "." in name]
        kind, self._paths = _build(tree, paths, dotted)
        self._decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(kind)

    def read(self, form: int, payload: bytes) -> Values:
        """Return the values in the order of ``names``.

        An event that is not one JSON object, or a block of pairs, has none.
        """
        if form == _PAIRS:
            pairs = read_pairs(payload)
            return tuple(_text_of(pairs.get(name)) for name in self.names)
        try:
            event = self._decoder.decode(payload)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return (None,) * len(self.names)
        return tuple(_find(event, paths) for paths in self._paths)


def _build(
    tree: _Tree, paths: Sequence[tuple[str, ...]], dotted: Sequence[str]
) -> tuple[type, list[tuple[tuple[str, ...], ...]]]:
    """Return the type to decode, and for each field its ways through the type."""
    keys: dict[str, str] = {}

    def attribute(key: str) -> str:
        # Keys of JSON are not always names of Python.
        return keys.setdefault(key, f"f{len(keys)}")

    def build(below: _Tree, more: Sequence[str]) -> type:
        fields: list[tuple[str, Any, Any]] = [
            (attribute(key), _kind(build(deeper, ()) if deeper else None), None)
            for key, deeper in below.items()
        ]
        fields += [(attribute(key), Any, None) for key in more]
        renamed = {attribute(key): key for key in (*below, *more)}
        return msgspec.defstruct("Fields", fields, rename=renamed)

    kind = build(tree, dotted)
    ways = [
        (
            tuple(attribute(step) for step in path),
            *([(attribute(".".join(path)),)] if len(path) > 1 else []),
        )
        for path in paths
    ]
    return kind, ways


def _kind(deeper: type | None) -> Any:  # noqa: ANN401
    """Return a type that takes whatever stands there, so that nothing is refused."""
    if deeper is None:
        return Any
    return deeper | str | int | float | bool | list[Any] | None


def _find(event: Any, ways: Iterable[tuple[str, ...]]) -> Value:  # noqa: ANN401
    for way in ways:
        value = event
        for step in way:
            value = getattr(value, step, None)
        found = _text_of(value)
        if found is not None:
            return found
    return None


def _text_of(value: Any) -> Value:  # noqa: ANN401
    if type(value) is list:
        texts = (_scalar(one) for one in value)
        return tuple(text for text in texts if text is not None)
    return _scalar(value)


def _scalar(value: Any) -> str | None:  # noqa: ANN401
    if type(value) is str:
        return value[:_VALUE_CHARACTERS]
    if value is True or value is False:
        return "true" if value else "false"
    return str(value) if type(value) in (int, float) else None
