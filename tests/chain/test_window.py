import json
from dataclasses import replace
from typing import Any

import pytest

from beats_signer.chain.errors import FormatError
from beats_signer.chain.window import EventsBody, WindowRecord
from tests.chain.samples import TIME_TEXT, WINDOW

JSON = {
    "sender": "web-1.example.com",
    "certificate": "ab" * 32,
    "peer": "192.0.2.7:50012",
    "connection": "c1",
    "window": 1,
    "version": 2,
    "size": 2,
    "events": 2,
    "received": TIME_TEXT,
}


def test_windows_are_written_in_the_order_of_the_vectors() -> None:
    repeated = replace(WINDOW, events=0, same=4)
    first, second = json.loads(EventsBody((WINDOW, repeated)).to_json())["windows"]
    assert list(first.items()) == list(JSON.items())
    assert list(second) == [*list(JSON)[:-1], "same", "received"]


@pytest.mark.parametrize(
    "window",
    [
        WINDOW,
        replace(WINDOW, certificate=None),
        replace(WINDOW, events=0, same=0),
        replace(WINDOW, version=1, events=1),
        replace(WINDOW, sender='\u00e9\U0001f600"\\\n', peer="", connection=""),
    ],
)
def test_windows_read_as_they_are_written(window: WindowRecord) -> None:
    body = EventsBody((window, WINDOW))
    assert EventsBody.parse(body.to_json()) == body


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"x": 1}, "body of events: Object contains unknown field `x`"),
        ({"sender": None}, "body of events: Expected `str`, got `null`"),
        ({"certificate": "AB" * 32}, "certificate 'ABABABABABABABABABABABABABABABABA"),
        ({"certificate": "ab"}, "certificate 'ab' is not 64 lower-case hex digits"),
        ({"window": 0}, "window 0: windows are counted from 1"),
        ({"window": 1.0}, "body of events: number '1.0' is not a decimal number"),
        ({"version": 3}, "window has version 3 instead of 1 or 2"),
        ({"events": 3}, "3 events of a window of 2"),
        ({"events": "2"}, "body of events: Expected `int`, got `str`"),
        ({"size": 1 << 48}, "body of events: number '281474976710656' is not a decim"),
        ({"received": "2026"}, "received '2026' is not spelled like 2026-11-23T09:00"),
        ({"same": 1}, "2 events of a window sealed before"),
        ({"same": None}, "body of events: Expected `int`, got `null`"),
    ],
)
def test_a_malformed_window_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(FormatError) as caught:
        EventsBody.parse(json.dumps({"windows": [JSON | changes]}))
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("key", list(JSON))
def test_a_window_needs_every_key(key: str) -> None:
    members = {name: value for name, value in JSON.items() if name != key}
    with pytest.raises(FormatError, match=f"missing required field `{key}`"):
        EventsBody.parse(json.dumps({"windows": [members]}))


def test_a_sender_that_is_not_unicode_cannot_be_written() -> None:
    with pytest.raises(FormatError, match=r"^body of events has a text that is not Un"):
        EventsBody((replace(WINDOW, sender="\ud800"),)).to_json()


@pytest.mark.parametrize("name", ["window", "size", "events", "same"])
def test_a_number_below_zero_cannot_be_built(name: str) -> None:
    changes: dict[str, Any] = {"events": 0} | {name: -1}
    with pytest.raises(FormatError, match=f"^{name} -1 is not between 0 and "):
        replace(WINDOW, **changes)
