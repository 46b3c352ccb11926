"""Read some fields of an event, and nothing else of it.

Only rules that look into events need this. The fields are decoded by types
that are built once from their names; everything else is skipped by the decoder.
A field is found nested (``{"event": {"module": …}}``) and, at the top, under
its dotted name (``{"event.module": …}``).
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import UNSET, Raw, UnsetType

from beats_signer.store.elasticsearch.pairs import read_pairs

__all__ = ["FieldReader", "Value", "Values"]

Value = str | tuple[str, ...] | None
"""Text of a scalar, or of the scalars of an array; ``None``: no such field."""
Values = tuple[Value, ...]

_PAIRS = ord("D")
_VALUE_CHARACTERS = 1024
"""A longer value is no name and matches no pattern but ``*``: it is cut."""

_VALUE_BYTES = 64 << 10
"""A longer list is no value: nobody may have megabytes of objects built here."""

_ANY = msgspec.json.Decoder().decode
_QUOTE, _BACKSLASH = b'"\\'


class FieldReader:
    """Read the same fields of many events."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        paths = [(tuple(name.split(".")), at) for at, name in enumerate(names)]
        dotted = [((name,), at) for at, name in enumerate(names) if "." in name]
        # What is nested comes first.
        self._level = _Level([*paths, *dotted])

    def read(self, form: int, payload: bytes) -> Values:
        """Return the values in the order of ``names``.

        An event that is not one JSON object, or a block of pairs, has none.
        """
        if form == _PAIRS:
            pairs = read_pairs(payload)
            return tuple(_text_of(pairs.get(name)) for name in self.names)
        found: list[Value] = [None] * len(self.names)
        self._level.read(payload, found)
        return tuple(found)


class _Level:
    """The fields of one object, decoded no further than their bytes."""

    def __init__(self, paths: Sequence[tuple[tuple[str, ...], int]]) -> None:
        """Take the paths from here on, each with its place among the values."""
        keys = dict.fromkeys(steps[0] for steps, _ in paths)
        # Keys of JSON are not always names of Python.
        names = {key: f"f{number}" for number, key in enumerate(keys)}
        kind = msgspec.defstruct(
            "Fields",
            [(name, Raw | UnsetType, UNSET) for name in names.values()],
            rename={name: key for key, name in names.items()},
        )
        self._decode = msgspec.json.Decoder(kind).decode
        self._below: list[tuple[str, _Level]] = []
        self._values: list[tuple[str, int]] = []
        for key, name in names.items():
            deeper = [(steps[1:], at) for steps, at in paths if steps[0] == key]
            self._values += [(name, at) for steps, at in deeper if not steps]
            if nested := [(steps, at) for steps, at in deeper if steps]:
                self._below.append((name, _Level(nested)))

    def read(self, data: bytes | Raw, found: list[Value]) -> None:
        """Put the values into their places; what cannot be read has none."""
        try:
            fields = self._decode(data)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return
        for name, level in self._below:
            raw = getattr(fields, name)
            if raw is not UNSET:
                level.read(raw, found)
        for name, at in self._values:
            raw = getattr(fields, name)
            if raw is not UNSET and found[at] is None:
                found[at] = _value_of(raw)


def _value_of(raw: Raw) -> Value:
    data = bytes(raw)
    is_text = data[0] == _QUOTE
    if len(data) > _VALUE_BYTES and not is_text:
        return None
    try:
        if is_text and _BACKSLASH not in data:
            return data[1:-1].decode()[:_VALUE_CHARACTERS]
        return _text_of(_ANY(data))
    except (msgspec.MsgspecError, ValueError, RecursionError):
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
