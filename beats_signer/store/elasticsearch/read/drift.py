"""Compare what a document shows with what its payload says; all pure.

A server may show the same in other words: dotted names as objects, one value for a
list of one, nothing for null, the values of a field in order and once each, dates to
the millisecond, floats to the seventh digit, numbers as text. All that is the same.
Any other difference is drift, and named by the field's path.
"""

import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from fnmatch import fnmatchcase
from ipaddress import ip_address
from typing import Any, Final, TypeGuard

__all__ = ["Derived", "find_drift"]

_SINGLE_DIGITS: Final = 9
"""Digits that tell any two floats of single precision apart."""
_IGNORED_CHARACTERS: Final = 256
"""Values that are longer are kept apart by a server, behind the others."""
_FEW: Final = 100
"""Values of a field that are compared each with each."""
_MILLISECONDS: Final = 1000
_LONGEST_DATE: Final = 40

Object = Mapping[str, Any]


class Derived:
    """The fields that ingest pipelines add, rename or remove."""

    def __init__(self, patterns: Sequence[str]) -> None:
        """Take paths, in which * stands for anything; a path covers all below it."""
        self._patterns = tuple(patterns)

    def covers(self, path: str) -> bool:
        """Tell whether a field may differ."""
        return any(
            fnmatchcase(path, one) or fnmatchcase(path, f"{one}.*")
            for one in self._patterns
        )


def find_drift(expected: Object, actual: Object, derived: Derived) -> list[str]:
    """Return the paths of the fields that differ, in the order of their names."""
    differing = _differ(_expanded(expected), _expanded(actual), "")
    return sorted({path for path in differing if not derived.covers(path)})


def _differ(expected: Object, actual: Object, prefix: str) -> Iterator[str]:
    for key in expected.keys() | actual.keys():
        path = prefix + key
        one, other = expected.get(key), actual.get(key)
        if one == other and type(one) is type(other):
            continue
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            yield from _differ(one, other, f"{path}.")
        elif not _is_same(one, other):
            yield from _leaves(path, one, other)


def _leaves(path: str, one: object, other: object) -> Iterator[str]:
    """Yield what differs below a field that only one side has, else the field."""
    if other is None and isinstance(one, Mapping):
        yield from _differ(one, {}, f"{path}.")
    elif one is None and isinstance(other, Mapping):
        yield from _differ({}, other, f"{path}.")
    else:
        yield path


def _is_same(one: object, other: object) -> bool:
    """Tell whether two values of a field are the same in other words."""
    ones, others = list(_values(one)), list(_values(other))
    if _has_objects(ones) or _has_objects(others):
        return _are_same_objects(ones, others)
    if len(ones) == len(others) and all(map(_is_same_scalar, ones, others)):
        return True
    return _are_in_order(others) and _hold_the_same(ones, others)


def _values(value: object) -> Iterator[Any]:
    """Yield the values of a field: lists are flat, and null is no value."""
    if isinstance(value, list):
        for one in value:
            yield from _values(one)
    elif value is not None and value != {}:
        yield value


def _has_objects(values: Sequence[Any]) -> bool:
    return any(isinstance(value, Mapping) for value in values)


def _are_same_objects(ones: list[Any], others: list[Any]) -> bool:
    """Compare lists of objects, one by one or folded into one of lists."""
    if not all(isinstance(value, Mapping) for value in [*ones, *others]):
        return False
    if len(ones) == len(others):
        pairs = zip(ones, others, strict=True)
        if not any(True for one, other in pairs for _ in _differ(one, other, "")):
            return True
    if len(others) != 1:
        return not ones and not others
    return not any(True for _ in _differ(_folded(ones), others[0], ""))


def _folded(objects: Sequence[Object]) -> dict[str, Any]:
    """Return a list of objects as one object of lists."""
    folded: dict[str, list[Any]] = {}
    for one in objects:
        for key, value in one.items():
            folded.setdefault(key, []).extend(_values(value))
    return {
        key: _folded(values) if values and _has_objects(values) else values
        for key, values in folded.items()
    }


def _are_in_order(values: Sequence[Any]) -> bool:
    """Tell whether a server may have put them in order."""
    kept = [one for one in values if len(str(one)) <= _IGNORED_CHARACTERS]
    if all(isinstance(one, str) for one in kept):
        keys = [one.encode("utf-8", "replace") for one in kept]
        return keys == sorted(keys)
    try:
        return kept == sorted(kept)
    except TypeError:
        return False


def _hold_the_same(ones: Sequence[Any], others: Sequence[Any]) -> bool:
    """Tell whether the same values are there, however often."""
    if len(others) > len(ones):
        return False
    if len(ones) > _FEW:
        return set(map(_text, ones)) == set(map(_text, others))
    return all(any(_is_same_scalar(a, b) for b in others) for a in ones) and all(
        any(_is_same_scalar(a, b) for a in ones) for b in others
    )


def _is_same_scalar(one: object, other: object) -> bool:
    if isinstance(one, bool) or isinstance(other, bool):
        return _text(one) == _text(other)
    if _is_number(one) and _is_number(other):
        return bool(one == other) or _is_rounded(one, other)
    if isinstance(one, str) and isinstance(other, str):
        return one == other or _is_same_time(one, other) or _is_same_address(one, other)
    if _is_number(one) and isinstance(other, str):
        return _text(one) == other or _is_same_time(one, other)
    if isinstance(one, str) and _is_number(other):
        return one == _text(other) or _is_number_text(one, other)
    return False


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_number_text(text: str, number: float) -> bool:
    try:
        return float(text) == number
    except ValueError:
        return False


def _is_rounded(exact: float, shown: float) -> bool:
    """Tell whether a fraction is another in single precision."""
    if not isinstance(exact, float):
        return False
    try:
        single = struct.unpack("f", struct.pack("f", exact))[0]
        return bool(
            float(f"{shown:.{_SINGLE_DIGITS}g}") == shown
            and struct.unpack("f", struct.pack("f", shown))[0] == single
        )
    except (OverflowError, ValueError):
        return False


def _is_same_time(one: str | float, other: str) -> bool:
    """Tell whether two texts are one time, to the millisecond that a server keeps."""
    millis = _millis(one)
    return millis is not None and millis == _millis(other)


def _millis(value: str | float) -> int | None:
    if not isinstance(value, str):
        return int(value)
    if not 20 <= len(value) <= _LONGEST_DATE or value[4:5] != "-":
        return None
    try:
        moment = datetime.fromisoformat(_to_micros(value))
    except ValueError:
        return None
    if moment.tzinfo is None:
        return None
    whole = moment.replace(microsecond=0).timestamp()
    return int(whole) * _MILLISECONDS + moment.microsecond // _MILLISECONDS


def _to_micros(text: str) -> str:
    """Return a date with six digits of a second at most, which Python reads."""
    head, dot, rest = text.replace(",", ".").partition(".")
    if not dot:
        return text
    digits = len(rest) - len(rest.lstrip("0123456789"))
    return f"{head}.{rest[:digits][:6]}{rest[digits:]}"


def _is_same_address(one: str, other: str) -> bool:
    if ":" not in one or ":" not in other:
        return False
    try:
        return ip_address(one) == ip_address(other)
    except ValueError:
        return False


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _expanded(members: Object) -> dict[str, Any]:
    """Return members with dotted names as the objects that they mean."""
    found: dict[str, Any] = {}
    for key, value in members.items():
        _put(found, key, _expanded_value(value))
    return found


def _expanded_value(value: object) -> object:
    if isinstance(value, dict):
        return _expanded(value)
    if isinstance(value, list):
        return [_expanded_value(one) for one in value]
    return value


def _put(found: dict[str, Any], key: str, value: object) -> None:
    """Put a value at a dotted name; what is there already stays beside it."""
    head, dot, rest = key.partition(".")
    if dot and head and rest:
        below = found.setdefault(head, {})
        if isinstance(below, dict):
            _put(below, rest, value)
            return
        found[head] = [*_values(below), _expanded({rest: value})]
    elif head in found and isinstance(found[key], dict) and isinstance(value, dict):
        for name, one in value.items():
            _put(found[key], name, one)
    elif key in found:
        found[key] = [*_values(found[key]), *_values(value)]
    else:
        found[key] = value
