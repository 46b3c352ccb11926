"""Fields of an event that rules name: found, bounded, and nothing else of it read."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beats_signer.sign.fields import FieldReader, Values

J = ord("J")


def read(payload: bytes, *names: str) -> Values:
    return FieldReader(names).read(J, payload)


@pytest.mark.parametrize(
    ("payload", "values"),
    [
        (b'{"a":{"b":"x"},"c":"y"}', ("x", "y")),
        (b'{"a.b":"x","c":["y",1]}', ("x", ("y", "1"))),
        (b'{"a":{"b":null},"a.b":"x"}', ("x", None)),
        (b'{"a":{"b":"x"},"a.b":"z","c":true}', ("x", "true")),
        (b'{"a":7,"c":{"d":1}}', (None, None)),
        (b'{"a":[{"b":"x"}],"c":1.5}', (None, "1.5")),
        (b'{"\\u0061":{"\\u0062":"\\u0078"},"c":""}', ("x", "")),
        (b'{"a":{"b":"x"},"a":{"b":"z"},"c":"y"}', ("z", "y")),
        (b'{"a":{"b":"x"},"c":"y"', (None, None)),
        (b"[1]", (None, None)),
        (b"\xff", (None, None)),
    ],
)
def test_a_field_is_found_nested_and_under_its_dotted_name(
    payload: bytes, values: Values
) -> None:
    assert read(payload, "a.b", "c") == values


def test_a_field_may_be_part_of_another() -> None:
    names = ("a", "a.b", "a.b.c")

    assert read(b'{"a":{"b":{"c":"x"}}}', *names) == (None, None, "x")
    assert read(b'{"a":{"b":"x"}}', *names) == (None, "x", None)
    assert read(b'{"a":"x","a.b.c":"y"}', *names) == ("x", None, "y")


@pytest.mark.parametrize("bad", ["1e999999", "[" * 5000 + "]" * 5000, '"\\ud800"'])
def test_a_value_that_cannot_be_read_hides_no_other(bad: str) -> None:
    assert read(f'{{"a":{bad},"b":"x"}}'.encode(), "a", "b")[1] in ("x", None)


def test_a_long_text_is_cut() -> None:
    assert read(b'{"a":"%b"}' % (b"x" * 1_000_000), "a") == ("x" * 1024,)


@pytest.mark.parametrize("long", [b"1," * 50_000 + b"1", b'{"a":1},' * 20_000 + b"1"])
def test_a_long_list_is_no_value(long: bytes) -> None:
    """Nobody may let the signer build objects of megabytes for a look at one name."""
    assert read(
        b'{"a":[%b],"b":{"c":[%b]},"d":"x"}' % (long, long), "a", "b.c", "d"
    ) == (
        None,
        None,
        "x",
    )


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b", "c", "a.b", "b.c"]), inner)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["a", "b", "a.b", "a.b.c"]), _VALUES))
def test_any_event_is_read_as_its_values_are(event: dict[str, object]) -> None:
    payload = msgspec.json.encode(event)
    (found,) = read(payload, "a.b")
    nested = event.get("a")
    values = [
        nested.get("b") if isinstance(nested, dict) else None,
        event.get("a.b"),
    ]
    texts = [text for value in values if (text := _text(value)) is not None]

    assert found == (texts[0] if texts else None)


def _text(value: object) -> object:
    if isinstance(value, list):
        return tuple(text for one in value if (text := _scalar(one)) is not None)
    return _scalar(value)


def _scalar(value: object) -> str | None:
    if value is None or isinstance(value, dict | list):
        return None
    return value if isinstance(value, str) else json.dumps(value)
