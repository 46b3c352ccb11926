"""Ingest pipelines, held by the fake server and by the real one alike."""

import pytest
from elasticsearch import Elasticsearch

from tests.elasticsearch.asking import CREATED, bulk, event, gist, put_pipeline


@pytest.fixture
def pipeline(client: Elasticsearch, name: str) -> str:
    put_pipeline(client, name, {"set": {"field": "new", "value": "x"}})
    return name


def test_a_pipeline_adds_renames_and_removes(client: Elasticsearch, name: str) -> None:
    put_pipeline(
        client,
        name,
        {"set": {"field": "new.part", "value": "x"}},
        {"rename": {"field": "old", "target_field": "renamed"}},
        {"remove": {"field": "gone"}},
    )

    bulk(client, name, [("a", {"old": 1, "gone": 2, "kept": 3})], pipeline=name)

    assert client.get(index=name, id="a")["_source"] == {
        "kept": 3,
        "new": {"part": "x"},
        "renamed": 1,
    }


def test_an_action_may_ask_for_no_pipeline(
    client: Elasticsearch, name: str, pipeline: str
) -> None:
    settings = {"index.default_pipeline": pipeline}
    client.indices.create(index=name, settings=settings)

    bulk(client, name, [("a", {})])
    bulk(client, name, [("b", {})], {"pipeline": "_none"})

    assert client.get(index=name, id="a")["_source"] == {"new": "x"}
    assert client.get(index=name, id="b")["_source"] == {}


def test_the_final_pipeline_runs_all_the_same(
    client: Elasticsearch, name: str, pipeline: str
) -> None:
    settings = {"index.final_pipeline": pipeline}
    client.indices.create(index=name, settings=settings)

    bulk(client, name, [("b", {})], {"pipeline": "_none"})

    assert client.get(index=name, id="b")["_source"] == {"new": "x"}


def test_a_dropped_document_is_answered_as_a_success(
    client: Elasticsearch, stream: str
) -> None:
    put_pipeline(client, stream, {"drop": {}})

    (item,) = bulk(client, stream, [("a", event())], {"pipeline": stream})

    assert gist(item) == (200, "noop", None)
    assert item["_id"] == "a"
    assert item["_index"] == stream


def test_a_failing_pipeline_is_answered_500(client: Elasticsearch, name: str) -> None:
    put_pipeline(client, name, {"fail": {"message": "never"}})

    items = bulk(client, name, [("a", {}), ("b", {})], {"pipeline": name})

    assert [item["status"] for item in items] == [500, 500]


def test_a_processor_that_lacks_its_field_is_answered_400(
    client: Elasticsearch, name: str
) -> None:
    put_pipeline(client, name, {"remove": {"field": "gone"}})

    (item,) = bulk(client, name, [("a", {})], {"pipeline": name})

    assert gist(item) == (400, None, "illegal_argument_exception")


def test_a_missing_pipeline_refuses_its_items_only(
    client: Elasticsearch, name: str
) -> None:
    (missing,) = bulk(client, name, [("a", {})], {"pipeline": "no-such"})
    (other,) = bulk(client, name, [("b", {})])

    assert gist(missing) == (400, None, "illegal_argument_exception")
    assert "pipeline with id [no-such] does not exist" in missing["error"]["reason"]
    assert gist(other) == CREATED


def test_a_body_that_a_pipeline_cannot_read_is_refused_alone(
    client: Elasticsearch, name: str, pipeline: str
) -> None:
    items = bulk(client, name, [("a", b'{"a":'), ("b", {})], {"pipeline": pipeline})

    assert items[0]["status"] == 400
    assert gist(items[1]) == CREATED
