"""What is the same in other words, and what is drift."""

from typing import Any

import pytest

from beats_signer.store.elasticsearch.read.drift import Derived, find_drift

LONG = "z" * 300


def drift(expected: Any, actual: Any, *derived: str) -> list[str]:
    return find_drift(expected, actual, Derived(derived))


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ({"a.b": 1}, {"a": {"b": 1}}),
        ({"a": {"b.c": 1}}, {"a": {"b": {"c": 1}}}),
        ({"a": {"b": 1}}, {"a.b": 1}),
        ({"a": {"b": 1}, "a.c": 2}, {"a": {"b": 1, "c": 2}}),
        ({"a": 1}, {"a": [1]}),
        ({"a": [1]}, {"a": 1}),
        ({"a": [[1, 2], 3]}, {"a": [1, 2, 3]}),
        ({"a": None, "b": [], "c": {}, "d": 1}, {"d": 1}),
        ({"a": [None, 1]}, {"a": 1}),
        ({"a": ["c", "b", "c"]}, {"a": ["b", "c"]}),
        ({"a": [2, 1, 2]}, {"a": [1, 2, 2]}),
        ({"a": ["b", LONG, "a"]}, {"a": ["a", "b", LONG]}),
        ({"a": [{"b": 1, "c": 2}, {"b": 3}]}, {"a": {"b": [1, 3], "c": 2}}),
        ({"a": [{"b.c": 1}, {"b.c": 2}]}, {"a": [{"b": {"c": 1}}, {"b": {"c": 2}}]}),
        ({"a": 1}, {"a": 1.0}),
        ({"a": 1.00}, {"a": 1}),
        ({"a": 3.14159265358979}, {"a": 3.1415927}),
        ({"a": 200}, {"a": "200"}),
        ({"a": "200"}, {"a": 200}),
        ({"a": True}, {"a": "true"}),
        ({"a": "2026-11-23T09:00:00Z"}, {"a": "2026-11-23T09:00:00.000Z"}),
        ({"a": "2026-11-23T09:00:00.123456789Z"}, {"a": "2026-11-23T09:00:00.123Z"}),
        ({"a": "2026-11-23T10:00:00+01:00"}, {"a": "2026-11-23T09:00:00.000Z"}),
        ({"a": 1795424400500}, {"a": "2026-11-23T09:00:00.500Z"}),
        ({"a": "2001:DB8:0:0::1"}, {"a": "2001:db8::1"}),
        ({"a": list(range(200, 0, -1))}, {"a": list(range(1, 201))}),
    ],
)
def test_the_same_in_other_words_is_no_drift(expected: Any, actual: Any) -> None:
    assert drift(expected, actual) == []


@pytest.mark.parametrize(
    ("expected", "actual", "paths"),
    [
        ({"a": 1}, {"a": 2}, ["a"]),
        ({"a": 1}, {}, ["a"]),
        ({}, {"a": 1}, ["a"]),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}}, ["a.c"]),
        ({"a": {"b": 1, "c": 2}}, {}, ["a.b", "a.c"]),
        ({}, {"a.b": {"c": 1}}, ["a.b.c"]),
        ({"a": {"b": 1}}, {"a": 1}, ["a"]),
        ({"a": [1, 2]}, {"a": [2, 1]}, ["a"]),
        ({"a": ["a", "b"]}, {"a": ["b", "a"]}, ["a"]),
        ({"a": [1, 2]}, {"a": [1]}, ["a"]),
        ({"a": [1]}, {"a": [1, 1]}, ["a"]),
        ({"a": [1, 2]}, {"a": [1, 2, 3]}, ["a"]),
        ({"a": "text"}, {"a": "Text"}, ["a"]),
        ({"a": "1.0"}, {"a": "1"}, ["a"]),
        ({"a": True}, {"a": 1}, ["a"]),
        ({"a": False}, {}, ["a"]),
        ({"a": 0}, {}, ["a"]),
        ({"a": ""}, {}, ["a"]),
        ({"a": 3.14159265358979}, {"a": 3.1415937}, ["a"]),
        ({"a": 16777217}, {"a": 16777216}, ["a"]),
        ({"a": "2026-11-23T09:00:00Z"}, {"a": "2026-11-23T09:00:00.001Z"}, ["a"]),
        ({"a": "2026-11-23"}, {"a": "2026-11-24"}, ["a"]),
        (
            {"a": [{"b": 1, "c": 2}, {"b": 3, "c": 4}]},
            {"a": [{"b": 1, "c": 4}, {"b": 3, "c": 2}]},
            ["a"],
        ),
        ({"a": [{"b": 1}]}, {"a": {"b": 2}}, ["a"]),
        ({"a": list(range(200))}, {"a": list(range(1, 201))}, ["a"]),
    ],
)
def test_anything_else_is_drift_at_its_path(
    expected: Any, actual: Any, paths: list[str]
) -> None:
    assert drift(expected, actual) == paths


@pytest.mark.parametrize(
    ("patterns", "paths"),
    [
        ((), ["geo.city", "old", "user.name"]),
        (("geo",), ["old", "user.name"]),
        (("geo.*", "old"), ["user.name"]),
        (("*",), []),
        (("user", "o?d"), ["geo.city"]),
        (("ge",), ["geo.city", "old", "user.name"]),
    ],
)
def test_what_pipelines_derive_may_differ(
    patterns: tuple[str, ...], paths: list[str]
) -> None:
    expected = {"old": 1, "user": {"name": "x", "id": 7}}
    actual = {"geo": {"city": "y"}, "user": {"name": "z", "id": 7}}

    assert drift(expected, actual, *patterns) == paths
