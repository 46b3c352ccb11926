"""Made up events: like those of Filebeat, and the same again for the same seed."""

import json

import pytest

from beats_signer.cli.sample import line_windows, sample_events, sample_windows


def test_the_same_seed_gives_the_same_bytes() -> None:
    first = sample_events(50, host="web-1", seed=7)

    assert sample_events(50, host="web-1", seed=7) == first


@pytest.mark.parametrize(("host", "seed"), [("web-2", 7), ("web-1", 8)])
def test_another_seed_or_host_gives_other_bytes(host: str, seed: int) -> None:
    events = set(sample_events(50, host="web-1", seed=7))

    assert events.isdisjoint(sample_events(50, host=host, seed=seed))


def test_a_run_can_be_made_in_parts() -> None:
    whole = sample_events(50, host="web-1", seed=7)

    assert sample_events(20, host="web-1", seed=7, first=30) == whole[30:]


@pytest.mark.parametrize("host", ["a", "web-1.example.com"])
def test_sizes_are_those_of_real_events(host: str) -> None:
    sizes = [len(event) for event in sample_events(2000, host=host, seed=7)]

    assert min(sizes) >= 600
    assert max(sizes) <= 900


def test_an_event_has_what_filebeat_sends() -> None:
    event = json.loads(sample_events(1, host="web-1", seed=7)[0])

    assert event["@timestamp"] == "2026-11-23T09:00:00.000Z"
    assert event["@metadata"] == {
        "beat": "filebeat",
        "type": "_doc",
        "version": "9.2.0",
    }
    assert event["host"]["name"] == event["agent"]["name"] == "web-1"
    assert "[23/Nov/2026:09:00:00 +0000]" in event["message"]


def test_events_follow_one_another() -> None:
    events = [json.loads(event) for event in sample_events(3, host="a", seed=7)]

    times = [event["@timestamp"].partition(".")[2] for event in events]
    assert times == ["000Z", "001Z", "002Z"]
    assert [event["log"]["offset"] for event in events] == [0, 256, 512]


def test_windows_hold_all_events_in_order() -> None:
    windows = list(sample_windows(25, window=10, host="a", seed=7, start_ms=0))

    assert [len(window) for window in windows] == [10, 10, 5]
    whole = sample_events(25, host="a", seed=7, start_ms=0)
    assert [event for window in windows for event in window] == whole


def test_lines_are_cut_into_windows() -> None:
    lines = [b"1\n", b"22\n", b"3"]

    windows = line_windows(lines, window=2, host="a", path="/p", moment_ms=0)

    found = [[json.loads(event) for event in window] for window in windows]
    assert [[event["message"] for event in window] for window in found] == [
        ["1", "22"],
        ["3"],
    ]
    assert found[1][0]["log"]["offset"] == 5
    assert found[0][0]["@timestamp"] == "1970-01-01T00:00:00.000Z"
