"""How an event is shown: spliced, never written anew, and always one line."""

import datetime
import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beats_signer.store.elasticsearch.document import (
    METADATA,
    TIMESTAMP,
    WRAPPER_TAG,
    is_reserved,
    is_usable,
    shape,
)
from lumberjack import build_pairs

RECEIVED = '"2026-11-23T09:00:01.500000000Z"'
BEATS = (
    b'{"@timestamp":"2026-11-23T09:00:00.123Z","@metadata":{"beat":"filebeat",'
    b'"type":"_doc","version":"8.19.3"},"message":"a \\"b\\"","log":{"offset":1}}'
)
NO_OBJECT = "the payload is not one JSON object"
TOO_DEEP = f"{NO_OBJECT}, or is nested deeper than 500"
TAKEN = "the payload has a field beats_signer, which only the signer may set"


def shaped(payload: bytes, form: str = "J") -> bytes:
    """Return the members as a whole object."""
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        text = None
    members = shape(ord(form), payload, text, RECEIVED.encode())
    assert b"\n" not in members and b"\r" not in members
    return b"{" + members


def shown(payload: bytes, form: str = "J") -> Any:
    return json.loads(shaped(payload, form))


def test_an_event_of_beats_keeps_its_bytes_but_for_metadata() -> None:
    assert shaped(BEATS) == (
        b'{"@timestamp":"2026-11-23T09:00:00.123Z","message":"a \\"b\\"",'
        b'"log":{"offset":1}}'
    )


@pytest.mark.parametrize(
    "kept",
    [
        b'"n":1e999,"f":1.00,"e":1E+2,"big":123456789012345678901234567890',
        b'"a":[1, 2,\t3],"o":{ "z":1,"y":2 }',
        b'"e":"\\u003cb\\u003e \\ud83d\\ude00 \\/"',
        b'"message":"no \\u2028 line"',
        b'"nested":{"beats_signer":1,"@timestamp":"x"}',
        b'"text":"\\"@metadata\\":{}"',
        b'"twice":1,"twice":2',
        '"ü":"\u2028 \U0001f600"'.encode(),
    ],
)
def test_values_are_never_written_anew(kept: bytes) -> None:
    payload = b'{"@timestamp":"2026-11-23T09:00:00Z",%b}' % kept

    assert shaped(payload) == payload


@pytest.mark.parametrize(
    "payload",
    [
        b'{"@metadata":{"a":1},"b":2}',
        b'{"b":2,"@metadata":{"a":1}}',
        b'{"b":2,"@metadata":{"a":1}} ',
        b'{"@metadata" : {"a":1} , "b":2}',
        b' {"b":2}',
        b'\t{ "b":2}',
        b'{"\\u0040metadata":{"a":1},"b":2}',
        b'{"@met\\u0061data":[1],"b":2}',
        b'{"@metadata":{"a":1},"@metadata":{"a":2},"b":2}',
        b'{"@metadata":{"a":1},"\\u0040metadata":{"a":1},"b":2}',
        b'{"@metadata":"@metadata","b":2}',
        b'{"@metadata":null,"b":2}',
    ],
)
def test_metadata_is_cut_however_it_is_spelled(payload: bytes) -> None:
    assert shown(payload) == {TIMESTAMP: json.loads(RECEIVED), "b": 2}


@pytest.mark.parametrize(
    "payload",
    [
        b'{"a":{"@metadata":{"x":1}},"@metadata":{"x":1},"b":2}',
        b'{"a":{"@metadata":{"x":1}},"\\u0040metadata":{"x":1},"b":2}',
        b'{"@metadata":{"x":1},"a":{"@metadata":{"x":1}},"b":2}',
        b'{"a":{"@metadata":{"x":1}},"b":2}',
    ],
)
def test_nested_metadata_stays(payload: bytes) -> None:
    members = shown(payload)

    assert members["a"] == {METADATA: {"x": 1}}
    assert METADATA not in members
    assert members["b"] == 2


def test_an_object_without_members_has_a_time() -> None:
    assert shown(b"{}") == {TIMESTAMP: json.loads(RECEIVED)}
    assert shown(b'{"@metadata":{}}') == {TIMESTAMP: json.loads(RECEIVED)}


def test_a_missing_timestamp_is_the_time_of_receipt() -> None:
    assert shaped(b'{"a":1}') == b'{"@timestamp":%b,"a":1}' % RECEIVED.encode()


@pytest.mark.parametrize(
    "timestamp",
    [
        '"2026-11-23T09:00:00Z"',
        '"2026-11-23T09:00:00.123456789Z"',
        '"2026-11-23T09:00:00.5+01:00"',
        '"2026-11-23T09:00:00-0230"',
        '"2026-11-23T09:00:00,5Z"',
        '"2026-11-30T00:00:00+18:00"',
        '"2026-12-31T23:59:59-17:59"',
        '"2024-02-29T00:00:00Z"',
        '"2000-02-29T00:00:00Z"',
        '"0000-01-01T00:00:00Z"',
        "0",
        "1795424400000",
        "99999999999999",
    ],
)
def test_a_timestamp_that_can_be_used_is_kept(timestamp: str) -> None:
    payload = b'{"@timestamp":%b,"a":1}' % timestamp.encode()

    assert is_usable(timestamp.encode())
    assert shaped(payload) == payload


@pytest.mark.parametrize(
    "timestamp",
    [
        '"yesterday"',
        '"2026-13-01T00:00:00Z"',
        '"2026-11-23 09:00:00Z"',
        '"2026-11-23T24:00:00Z"',
        '"2026-11-31T00:00:00Z"',
        '"2026-02-29T00:00:00Z"',
        '"1900-02-29T00:00:00Z"',
        '"2026-02-30T00:00:00Z"',
        '"2026-00-01T00:00:00Z"',
        '"2026-11-23T09:00:60Z"',
        '"2026-11-23T09:00:00+18:01"',
        '"2026-11-23T09:00:00+17:60"',
        '"2026-11-23T09:00:00+19:00"',
        '"2026-11-23T09:00:00.1234567890Z"',
        '""',
        "null",
        "true",
        "1.5",
        "-1",
        "123456789012345",
        '{"a":1}',
        "[]",
    ],
)
def test_a_timestamp_that_cannot_be_used_is_kept_as_logstash_does(
    timestamp: str,
) -> None:
    assert shown(b'{"a":1,"tags":["x"],"@timestamp":%b}' % timestamp.encode()) == {
        TIMESTAMP: json.loads(RECEIVED),
        "a": 1,
        "_@timestamp": json.loads(timestamp),
        "tags": ["x", "_timestampparsefailure"],
    }


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        (b"", ["_timestampparsefailure"]),
        (b'"tags":[],', ["_timestampparsefailure"]),
        (b'"tags":[ ],', ["_timestampparsefailure"]),
        (b'"tags":"x",', ["x", "_timestampparsefailure"]),
        (b'"tags":{"a":1},', [{"a": 1}, "_timestampparsefailure"]),
    ],
)
def test_a_tag_is_added_to_whatever_there_is(
    tags: bytes, expected: Sequence[object]
) -> None:
    assert shown(b'{%b"@timestamp":"?"}' % tags)["tags"] == expected


@pytest.mark.parametrize(
    "payload",
    [
        b'{\n  "a": 1,\r\n  "b": [\n1,\r2]\n}\n',
        b'\n{"a":1,"b":[1,2]}',
        b'{"a":1,"b":[1,2]}\r\n',
        b'{"@timestamp":"2026-11-23T09:00:00Z","a":1,\n"b":[1,2]}',
    ],
)
def test_lines_within_a_payload_become_one(payload: bytes) -> None:
    members = shown(payload)

    assert (members["a"], members["b"]) == (1, [1, 2])


def test_a_line_feed_within_a_string_stays() -> None:
    assert shown(b'{"a":"x\\ny\\r"}')["a"] == "x\ny\r"


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"null",
        b"7",
        b'"text"',
        b"[{}]",
        b"{} {}",
        b'{"a":1}x',
        b'\xef\xbb\xbf{"a":1}',
        b'{"a":1',
        b"{'a':1}",
        b'{"a":NaN}',
        b'{"a":01}',
        b'{"a":"x\ny"}',
        b'{"a":"\\ud800"}',
        b'{"\\ud800":1}',
    ],
)
def test_what_is_not_one_object_is_wrapped(payload: bytes) -> None:
    assert shown(payload) == {
        TIMESTAMP: json.loads(RECEIVED),
        "message": payload.decode(),
        "error": {"message": NO_OBJECT},
        "tags": [WRAPPER_TAG],
    }


def _nested(levels: int, mark: str) -> bytes:
    opening, closing = {"array": (b"[", b"]"), "object": (b'{"a":', b"}")}[mark]
    inner = b'"]]}}\\"{{[["'
    return b'{"a":' + opening * (levels - 1) + inner + closing * (levels - 1) + b"}"


@pytest.mark.parametrize("mark", ["array", "object"])
@pytest.mark.parametrize("levels", [501, 502, 950, 990, 1000, 50_000])
def test_what_is_nested_too_deeply_is_wrapped(levels: int, mark: str) -> None:
    """Whoever reads it, with whatever Python and stack, is to see the same."""
    assert shown(_nested(levels, mark))["error"] == {"message": TOO_DEEP}


@pytest.mark.parametrize("mark", ["array", "object"])
@pytest.mark.parametrize("levels", [1, 20, 499, 500])
def test_what_is_nested_less_is_shown(levels: int, mark: str) -> None:
    payload = _nested(levels, mark)

    assert shaped(payload) == b'{"@timestamp":%b,%b' % (RECEIVED.encode(), payload[1:])


@pytest.mark.parametrize(
    "payload",
    [
        b'{"a":[%b1]}' % (b"[{}]," * 600),
        b'{"a":"%b"}' % (b"[{" * 600),
        b'{"a":"%b"}' % (b'\\"[\\\\' * 600),
        b'{"%b":[{"b":1}]}' % (b"[" * 1000),
    ],
)
def test_many_brackets_are_not_deep(payload: bytes) -> None:
    assert shaped(payload) == b'{"@timestamp":%b,%b' % (RECEIVED.encode(), payload[1:])


@pytest.mark.parametrize(
    "payload", [b'{"a":' + b"[" * 1200, b"[" * 1250, b"{" * 99_999]
)
def test_of_many_brackets_nobody_says_more_than_is_known(payload: bytes) -> None:
    assert shown(payload)["error"] == {"message": TOO_DEEP}


@pytest.mark.parametrize(
    "payload", [b'{"a":"\xff"}', b'{"\xff":1}', b"\xff", b'{"a":1}\xc3']
)
def test_what_is_not_utf8_is_wrapped(payload: bytes) -> None:
    assert shown(payload) == {
        TIMESTAMP: json.loads(RECEIVED),
        "message": payload.decode(errors="replace"),
        "error": {"message": "the payload is not UTF-8"},
        "tags": [WRAPPER_TAG],
    }


@pytest.mark.parametrize(
    "key",
    [
        "beats_signer",
        "beats_signer.index",
        "beats_signer.",
        "beats\\u005fsigner",
        "\\u0062eats_signer.payload",
        "beats_signer\\u002Echain",
        "beats_si\\u0067ner",
    ],
)
@pytest.mark.parametrize("form", ["J", "L"])
def test_nobody_else_sets_the_signed_object(key: str, form: str) -> None:
    payload = b'{"a":1,"%b":{"index":1}}' % key.encode()

    assert shown(payload, form) == {
        TIMESTAMP: json.loads(RECEIVED),
        "message": payload.decode(),
        "error": {"message": TAKEN},
        "tags": [WRAPPER_TAG],
    }


@pytest.mark.parametrize("key", ["beats_signers", "beats_signer_sender", "beats"])
def test_names_that_only_begin_alike_are_free(key: str) -> None:
    assert not is_reserved(key)
    assert shown(b'{"%b":1}' % key.encode())[key] == 1


def test_a_line_that_is_an_object_is_shown_as_one() -> None:
    assert shown(BEATS, "L") == shown(BEATS)


@pytest.mark.parametrize("line", [b"plain text\r", b"[1]", b'"x"', b"", b'{"a":'])
def test_any_other_line_is_a_message(line: bytes) -> None:
    assert shown(line, "L") == {
        TIMESTAMP: json.loads(RECEIVED),
        "message": line.decode(),
    }


def test_a_line_that_is_not_utf8_is_shown_with_replacements() -> None:
    assert shown(b"a\xffb", "L")["message"] == "a\ufffdb"


def test_pairs_are_shown_as_strings() -> None:
    pairs = [
        (b"line", b"one"),
        (b"n", b"1"),
        (b"line", b"two\n"),
        (b"bad", b"\xff"),
        (b"@metadata", b"x"),
        (b"beats_signers", b"y"),
    ]

    assert shown(build_pairs(pairs), "D") == {
        TIMESTAMP: json.loads(RECEIVED),
        "line": "two\n",
        "n": "1",
        "bad": "\ufffd",
        "beats_signers": "y",
    }


def test_pairs_may_say_when() -> None:
    good = build_pairs([(b"@timestamp", b"2026-11-23T09:00:00Z")])
    bad = build_pairs([(b"@timestamp", b"now")])

    assert shown(good, "D") == {TIMESTAMP: "2026-11-23T09:00:00Z"}
    assert shown(bad, "D")["_@timestamp"] == "now"


def test_no_pairs_at_all_have_a_time() -> None:
    assert shown(build_pairs([]), "D") == {TIMESTAMP: json.loads(RECEIVED)}


def test_pairs_with_a_reserved_key_are_wrapped() -> None:
    payload = build_pairs([(b"beats_signer.index", b"1")])

    assert shown(payload, "D")["error"] == {"message": TAKEN}


def test_a_record_of_the_catalogue_shows_its_time_only() -> None:
    assert shown(b'{"kind":"start"}', "R") == {TIMESTAMP: json.loads(RECEIVED)}


@given(st.dates(), st.integers(0, 32), st.integers(0, 13))
def test_a_date_is_usable_exactly_when_the_calendar_has_it(
    date: datetime.date, day: int, month: int
) -> None:
    text = f"{date.year:04}-{month:02}-{day:02}"
    try:
        datetime.date(date.year, month, day)
    except ValueError:
        expected = False
    else:
        expected = True

    assert is_usable(f'"{text}T00:00:00Z"'.encode()) is expected


_KEYS = st.sampled_from(
    [METADATA, TIMESTAMP, "a", "beats", "ü", "tags", "b\nc", '"@metadata"']
)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.just(METADATA),
    lambda inner: st.lists(inner) | st.dictionaries(_KEYS, inner),
    max_leaves=8,
)


@given(
    st.dictionaries(_KEYS, _VALUES),
    st.sampled_from([None, 1]),
    st.booleans(),
    st.sampled_from([(",", ":"), (" , ", " :\n"), (",\r", ": ")]),
)
def test_any_object_is_shown_with_all_its_members(
    event: dict[str, Any], indent: int | None, is_ascii: bool, marks: tuple[str, str]
) -> None:
    text = json.dumps(event, indent=indent, ensure_ascii=is_ascii, separators=marks)
    members = shown(text.encode("utf-8", "surrogatepass"))

    if members.get("tags") == [WRAPPER_TAG]:
        assert members["message"] == text  # half a surrogate pair
        return
    seen = {key: value for key, value in event.items() if key != METADATA}
    timestamp = seen.pop(TIMESTAMP, None)
    if "_@timestamp" in members:
        assert members.pop("_@timestamp") == timestamp
        assert members.pop("tags")[-1] == "_timestampparsefailure"
        seen.pop("tags", None)
    assert members.pop(TIMESTAMP) in (timestamp, json.loads(RECEIVED))
    assert members == seen
