"""Whatever bytes an event is: it is one line, one object, and its payload is there."""

import base64
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beats_signer.store.contract import Destination, Sealed
from beats_signer.store.elasticsearch.document import METADATA, TIMESTAMP, WRAPPER_TAG
from beats_signer.store.elasticsearch.write.body import (
    build_body,
    open_part,
    split_body,
)
from beats_signer.store.elasticsearch.write.outcomes import Outcome, Verdict
from beats_signer.store.elasticsearch.write.rendering import Item, Rendering, render
from lumberjack import build_pairs
from tests.store.chains import Chain

Members = list[tuple[str, Any]]


def spell(key: str, choices: list[int]) -> str:
    """Write a key as JSON, some of its characters as escapes of either case."""
    written = ""
    for place, character in enumerate(key):
        how = choices[place % len(choices)] if choices else 0
        if how and ord(character) < 1 << 16:
            written += f"\\u{ord(character):04{'xX'[how - 1]}}"
        else:
            written += json.dumps(character)[1:-1]
    return f'"{written}"'


_NAMES = [
    "beats_signer",
    "beats_signer.payload",
    "beats_signers",
    "beats_signer ",
    "Beats_signer",
    METADATA,
    TIMESTAMP,
    "tags",
    "",
    ".",
    "..",
    "a.b",
    "_id",
    "a\0b",
    "\u2028",
    '"@metadata":1,"',
]
_ATOMS = st.sampled_from(
    [
        "1e999",
        "-0",
        "1.00",
        "9" * 400,
        "null",
        "[]",
        '"@metadata"',
        '{"@metadata":{"a":1}}',
        '{"beats_signer":{"index":1}}',
        '"\\u0000"',
        '"\\ud83d\\ude00"',
        '"\u2028\x7f"',
        '"2026-11-23T09:00:00Z"',
        '["\\"@metadata\\":{}"]',
        '{"a":1,"a":2}',
    ]
)
_SPACES = st.sampled_from(["", "", "", " ", "\t", "\n", "\r\n"])
_KEYS = st.builds(
    spell, st.sampled_from(_NAMES), st.lists(st.integers(0, 2), max_size=5)
)


@st.composite
def objects(draw: st.DrawFn) -> bytes:
    """Draw JSON objects of odd members, written oddly."""
    members = draw(st.lists(st.tuples(_KEYS, _ATOMS), max_size=6))
    written = ",".join(
        draw(_SPACES)
        + key
        + draw(_SPACES)
        + ":"
        + draw(_SPACES)
        + value
        + draw(_SPACES)
        for key, value in members
    )
    return (draw(_SPACES) + "{" + written + "}" + draw(_SPACES)).encode()


@st.composite
def broken(draw: st.DrawFn) -> bytes:
    """Draw the same with a few bytes taken away, added or replaced."""
    payload = bytearray(draw(objects()))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(payload)))
        payload[at : at + draw(st.integers(0, 2))] = draw(st.binary(max_size=2))
    return bytes(payload)


_PAIRS = st.lists(
    st.tuples(
        st.sampled_from([name.encode() for name in _NAMES]) | st.binary(max_size=4),
        st.binary(max_size=8),
    )
).map(build_pairs)
_TEXTS = st.binary() | st.text().map(str.encode) | objects() | broken()
EVENTS = st.tuples(st.sampled_from([b"J", b"L"]), _TEXTS) | st.tuples(
    st.just(b"D"), _PAIRS
)


def lines_of(sealed: Sealed, part_bytes: int = 1 << 20) -> list[bytes]:
    parts = split_body(build_body(sealed, part_bytes))
    return [line for part in parts for line in open_part(part)]


def members_of(line: bytes) -> Members:
    """Return the top-level members; none is lost that stands there twice."""
    found: list[Members] = []

    def keep(pairs: Members) -> Members:
        found.append(pairs)
        return pairs

    json.loads(line, object_pairs_hook=keep)
    return found[-1]


def payload_of(members: Members) -> bytes:
    (signed,) = (value for key, value in members if key == "beats_signer")
    fields = dict(signed)
    text = fields.get("payload")
    return base64.b64decode(fields["payload_base64"]) if text is None else text.encode()


@given(EVENTS)
def test_any_event_is_one_line_with_one_signed_object(
    event: tuple[bytes, bytes],
) -> None:
    form, payload = event
    action, document, *_ = lines_of(Chain().events([payload], form))
    members = members_of(document)

    assert json.loads(action)["create"].keys() == {"_index", "_id"}
    assert document.count(b"\n") == 1
    assert payload_of(members) == payload
    assert members[0][0] == "beats_signer"
    keys = [key for key, _ in members]
    assert not any(key.startswith("beats_signer.") for key in keys)
    assert METADATA not in keys
    assert TIMESTAMP in keys


@given(EVENTS, st.sampled_from(Rendering))
def test_what_is_signed_survives_every_rendering(
    event: tuple[bytes, bytes], rendering: Rendering
) -> None:
    form, payload = event
    action, document, *_ = lines_of(Chain().events([payload], form))
    item = Item(0, action, document, Rendering.FULL)
    if rendering not in (Rendering.FULL, Rendering.SEAL):
        why = Outcome(Verdict.REJECTED, "type", 'a "reason"\n')
        item = render(item, rendering, why, target="t", time="2026-11-23T09:00:00Z")
    members = members_of(item.document)

    assert item.document.count(b"\n") == item.action.count(b"\n") == 1
    assert payload_of(members) == payload
    assert TIMESTAMP in dict(members)


@given(st.lists(EVENTS, min_size=1, max_size=8), st.integers(1, 2000))
def test_any_body_can_be_taken_apart_again(
    events: list[tuple[bytes, bytes]], part_bytes: int
) -> None:
    payloads = [payload for _, payload in events]
    sealed = replace(
        Chain().events(payloads, b"".join(form for form, _ in events)),
        destinations=[Destination("other", "p", is_chosen_by_sender=True), None] * 4,
    )
    lines = lines_of(sealed, part_bytes)

    assert len(lines) == 2 * len(events) + 2
    assert [payload_of(members_of(line)) for line in lines[1:-1:2]] == payloads
    assert all(line.endswith(b"\n") and line.count(b"\n") == 1 for line in lines)


@pytest.mark.parametrize(
    "payload",
    [
        b"x" * (10 << 20),
        b'{"a":"%b"}' % (b"x" * (10 << 20)),
        b'{"a":[%b1]}' % (b"1," * (1 << 20)),
        b'{"a":"%b' % (b'\\"' * (1 << 20)),
        b"\xff" * (10 << 20),
    ],
    ids=["text", "string", "array", "unterminated", "no text"],
)
def test_a_large_event_is_rendered_like_any_other(payload: bytes) -> None:
    _, document, *_ = lines_of(Chain().events([payload]))

    assert payload_of(members_of(document)) == payload


def test_a_key_twice_is_shown_twice_where_nothing_else_is_unusual() -> None:
    """The server refuses it, and the event is stored bare: nothing is dropped here."""
    payload = b'{"@timestamp":"2026-11-23T09:00:00Z","a":1,"a":2}'
    _, document, *_ = lines_of(Chain().events([payload]))

    assert [key for key, _ in members_of(document)][1:] == [TIMESTAMP, "a", "a"]


def test_wrapped_events_say_so() -> None:
    _, document, *_ = lines_of(Chain().events([b'{"beats\\u005fsigner":1}']))

    assert dict(members_of(document))["tags"] == [WRAPPER_TAG]
