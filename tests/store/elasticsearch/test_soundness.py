"""One place, judged by its settings and its mapping: a verdict for each check."""

from typing import Any

import pytest

from beats_signer.store.elasticsearch.check.mapping import judge_mapping
from beats_signer.store.elasticsearch.check.place import (
    Place,
    judge_failure_store,
    newest,
)
from beats_signer.store.elasticsearch.check.soundness import (
    Mark,
    Verdict,
    judge_settings,
)
from tests.store.elasticsearch.verdicts import marks

OPAQUE = {"type": "keyword", "index": False, "doc_values": False}
STEERING = {
    "chain": {"type": "keyword"},
    "index": {"type": "long"},
    "seal": {"type": "long"},
}
OURS = {**STEERING, "payload": OPAQUE, "payload_base64": OPAQUE}


@pytest.mark.parametrize(
    ("settings", "check", "mark"),
    [
        ({}, "durability", Mark.OK),
        ({"index.translog.durability": "REQUEST"}, "durability", Mark.OK),
        ({"index.translog.durability": "ASYNC"}, "durability", Mark.BROKEN),
        ({"index.mode": "time_series"}, "index-mode", Mark.BROKEN),
        ({"index.mode": "time_series"}, "ids", Mark.BROKEN),
        ({"index.mode": "logsdb"}, "index-mode", Mark.OK),
        ({"index.mode": "logsdb"}, "ids", Mark.OK),
        ({"index.logsdb.route_on_sort_fields": "true"}, "ids", Mark.BROKEN),
        ({"index.logsdb.route_on_sort_fields": "true"}, "index-mode", Mark.OK),
        ({"index.number_of_replicas": "0"}, "replicas", Mark.NOTICE),
        (
            {
                "index.number_of_replicas": "0",
                "index.auto_expand_replicas": "0-1",
            },
            "replicas",
            Mark.OK,
        ),
        ({"index.number_of_replicas": "1"}, "replicas", Mark.OK),
        ({"index.blocks.read_only_allow_delete": "true"}, "blocks", Mark.NOTICE),
        ({"index.final_pipeline": "x"}, "pipelines", Mark.OK),
        ({"index.mapping.ignore_malformed": "true"}, "malformed", Mark.OK),
    ],
)
def test_settings_are_judged(
    settings: dict[str, str], check: str, mark: Mark | None
) -> None:
    assert marks(judge_settings("i", settings), check) == {mark}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "pipelines: i: none"),
        (
            {"index.default_pipeline": "a", "index.final_pipeline": "b"},
            "pipelines: i: a, b may change what is shown",
        ),
        ({"index.final_pipeline": "_none"}, "pipelines: i: none"),
        ({"index.mapping.ignore_malformed": True}, "malformed: i: ignored: a field"),
        ({}, "malformed: i: not ignored: an event"),
        ({"index.mode": "logsdb"}, "index-mode: i: logsdb"),
        ({"index.number_of_replicas": "2"}, "replicas: i: 2"),
    ],
)
def test_what_breaks_nothing_is_said_too(settings: dict[str, Any], said: str) -> None:
    lines = [str(verdict) for verdict in judge_settings("i", settings)]

    assert [line for line in lines if line.startswith(f"ok       {said}")]


def events(**payload: Any) -> dict[str, Any]:
    fields = {**OURS, "payload": payload}
    return {"properties": {"beats_signer": {"properties": fields}}}


@pytest.mark.parametrize(
    ("mapping", "mark"),
    [
        (events(**OPAQUE), Mark.OK),
        (events(type="keyword"), Mark.BROKEN),
        (events(type="keyword", index=False), Mark.BROKEN),
        (events(type="keyword", doc_values=False), Mark.BROKEN),
        (events(type="keyword", ignore_above=1024), Mark.OK),
        (events(type="keyword", ignore_above=8191), Mark.OK),
        (events(type="keyword", ignore_above=8192), Mark.BROKEN),
        (events(type="text"), Mark.OK),
        (events(type="constant_keyword"), Mark.BROKEN),
        (events(type="object", enabled=False), Mark.OK),
        ({"properties": {}}, Mark.NOTICE),
        ({"dynamic": "runtime"}, Mark.NOTICE),
        ({"dynamic": "false"}, Mark.BROKEN),
        ({"dynamic": "strict"}, Mark.BROKEN),
        ({"properties": {"beats_signer": {"type": "keyword"}}}, Mark.BROKEN),
        ({"properties": {"beats_signer": {"enabled": False}}}, Mark.BROKEN),
        (
            {
                "properties": {
                    "beats_signer": {
                        "properties": {**OURS, "index": {"type": "keyword"}}
                    }
                }
            },
            Mark.BROKEN,
        ),
        (
            {"properties": {f"beats_signer.{key}": one for key, one in OURS.items()}},
            Mark.OK,
        ),
    ],
)
def test_a_mapping_has_to_take_a_payload_of_any_size_and_find_it_again(
    mapping: dict[str, Any], mark: Mark
) -> None:
    found = judge_mapping("i", mapping, {}, is_own=False)

    assert marks(found, "payload-mapping") == {mark}


@pytest.mark.parametrize(("limit", "mark"), [("8191", Mark.OK), ("2147483647", None)])
def test_a_limit_of_the_whole_index_counts_when_it_is_one(
    limit: str, mark: Mark | None
) -> None:
    settings = {"index.mapping.ignore_above": limit}
    found = judge_mapping("i", events(type="keyword"), settings, is_own=False)

    assert marks(found, "payload-mapping") == {mark or Mark.BROKEN}


@pytest.mark.parametrize(
    "source", [{"enabled": False}, {"excludes": ["a"]}, {"mode": "disabled"}]
)
def test_an_index_without_its_source_cannot_be_verified(source: dict[str, Any]) -> None:
    mapping = {"_source": source, **events(**OPAQUE)}

    found = judge_mapping("i", mapping, {}, is_own=False)

    assert marks(found, "source") == {Mark.BROKEN}


@pytest.mark.parametrize(
    ("mode", "mark"),
    [("stored", Mark.OK), ("SYNTHETIC", Mark.OK), ("disabled", Mark.BROKEN)],
)
def test_a_setting_says_how_the_source_is_kept(mode: str, mark: Mark) -> None:
    settings = {"index.mapping.source.mode": mode}

    found = judge_mapping("i", events(**OPAQUE), settings, is_own=False)

    assert marks(found, "source") == {mark}


def test_a_seal_without_our_mapping_stops_the_start() -> None:
    found = judge_mapping("i", {"properties": {}}, {}, is_own=True)

    assert marks(found, "payload-mapping") == {Mark.BROKEN}


@pytest.mark.parametrize(
    ("is_stream", "is_own", "mark"),
    [
        (True, False, Mark.OK),
        (False, False, Mark.OK),
        (False, True, Mark.OK),
        (True, True, Mark.BROKEN),
    ],
)
def test_seals_are_no_data_stream(is_stream: bool, is_own: bool, mark: Mark) -> None:
    place = Place("i", {}, {}, is_stream=is_stream)

    assert marks(place.judge(is_own=is_own), "op-type") == {mark}


@pytest.mark.parametrize(
    ("told", "mark"),
    [
        ({}, Mark.OK),
        ({"enabled": False}, Mark.OK),
        ({"enabled": True}, Mark.NOTICE),
        ({"enabled": "true"}, Mark.NOTICE),
    ],
)
def test_a_failure_store_is_noticed(told: dict[str, Any], mark: Mark) -> None:
    assert judge_failure_store("s", told).mark is mark


def test_of_a_data_stream_the_newest_index_is_judged() -> None:
    names = [
        ".ds-logs-a-b-2026.01.01-000009",
        ".ds-logs-a-b-2026.02.01-000010",
        ".ds-logs-c-d-2026.01.01-000001",
        "plain",
    ]

    assert list(newest({name: {} for name in names})) == names[1:]


def test_a_verdict_is_one_line() -> None:
    verdict = Verdict(Mark.BROKEN, "ids", "i", "why", "do this")

    assert str(verdict) == "broken   ids: i: why"
