"""Writing in place and trying out, held by the fake and the real server alike."""

import json
from typing import Any

import pytest
from elasticsearch import ApiError, Elasticsearch

from tests.elasticsearch.asking import (
    CONFLICT,
    CREATED,
    JSON,
    UNPARSABLE,
    bulk,
    event,
    gist,
    post,
    put_pipeline,
    put_template,
)

UPDATED = (200, "updated", None)
LONG = {"properties": {"n": {"type": "long"}}}


@pytest.fixture
def behind(client: Elasticsearch, name: str) -> str:
    """Return the index behind a data stream, with documents a and b in it."""
    put_template(client, name, mappings=LONG)
    items = bulk(client, name, [("a", event()), ("b", event())])
    return str(items[0]["_index"])


def replace(
    client: Elasticsearch, index: str, id: str, document: Any, **meta: Any
) -> dict[str, Any]:
    """Index one document by a bulk; return its item."""
    head = {"index": {"_index": index, "_id": id, **meta}}
    body = b"%b\n%b\n" % (json.dumps(head).encode(), json.dumps(document).encode())
    item: dict[str, Any] = post(client, index, body)["items"][0]["index"]
    return item


def version(client: Elasticsearch, index: str, id: str) -> dict[str, int]:
    """Return how to name the version that stands there."""
    found = client.mget(docs=[{"_index": index, "_id": id}])["docs"][0]
    number, term = found["_seq_no"], found["_primary_term"]
    return {"if_seq_no": number, "if_primary_term": term}


def try_out(
    client: Elasticsearch, index: str, document: Any, pipeline: str | None = None
) -> Any:
    """Return what would become of a document."""
    return client.perform_request(
        "POST",
        "/_ingest/_simulate",
        params={"pipeline": pipeline} if pipeline else {},
        headers=JSON,
        body={"docs": [{"_index": index, "_id": "a", "_source": document}]},
    )["docs"][0]["doc"]


def test_a_version_that_is_named_is_replaced_behind_a_data_stream(
    client: Elasticsearch, behind: str
) -> None:
    item = replace(client, behind, "a", event(n=1), **version(client, behind, "a"))

    assert gist(item) == UPDATED
    assert client.get(index=behind, id="a")["_source"]["n"] == 1


@pytest.mark.parametrize(
    ("id", "change"),
    [
        ("a", {"if_seq_no": 7}),
        ("a", {"if_primary_term": 7}),
        ("c", {}),
    ],
    ids=["another number", "another term", "no document"],
)
def test_another_version_than_the_one_named_is_a_conflict(
    client: Elasticsearch, behind: str, id: str, change: dict[str, int]
) -> None:
    named = version(client, behind, "a") | change

    item = replace(client, behind, id, event(n=1), **named)

    assert gist(item) == CONFLICT
    assert item["error"]["index"] == behind
    assert "n" not in client.get(index=behind, id="a")["_source"]


def test_behind_a_data_stream_nothing_is_replaced_without_its_version(
    client: Elasticsearch, behind: str
) -> None:
    item = replace(client, behind, "a", event(n=1))

    assert gist(item) == (400, None, "illegal_argument_exception")


def test_half_a_version_refuses_the_whole_bulk(
    client: Elasticsearch, behind: str
) -> None:
    with pytest.raises(ApiError) as caught:
        replace(client, behind, "a", event(), if_seq_no=0)

    assert caught.value.status_code == 400


def test_what_does_not_fit_leaves_the_version_that_was_there(
    client: Elasticsearch, behind: str
) -> None:
    named = version(client, behind, "a")

    assert gist(replace(client, behind, "a", event(n="x"), **named)) == UNPARSABLE
    assert version(client, behind, "a") == named


def test_a_failure_store_takes_nothing_that_names_its_index(
    client: Elasticsearch, name: str
) -> None:
    stored = {"data_stream_options": {"failure_store": {"enabled": True}}}
    put_template(client, name, mappings=LONG, **stored)
    (item,) = bulk(client, name, [("a", event())])
    named = version(client, item["_index"], "a")

    again = replace(client, item["_index"], "a", event(n="x"), **named)

    assert gist(item) == CREATED
    assert gist(again) == UNPARSABLE
    assert again.get("failure_store") != "used"


def test_the_pipelines_of_an_index_work_on_what_is_replaced(
    client: Elasticsearch, behind: str, name: str
) -> None:
    put_pipeline(client, name, {"set": {"field": "p", "value": "v"}})
    client.indices.put_settings(index=behind, settings={"index.default_pipeline": name})

    replace(client, behind, "a", event(), **version(client, behind, "a"))
    named = version(client, behind, "b")
    replace(client, behind, "b", event(), pipeline="_none", **named)

    assert client.get(index=behind, id="a")["_source"]["p"] == "v"
    assert "p" not in client.get(index=behind, id="b")["_source"]


def test_what_is_dropped_stays_as_it_was(
    client: Elasticsearch, behind: str, name: str
) -> None:
    put_pipeline(client, name, {"drop": {}})
    named = version(client, behind, "a")

    item = replace(client, behind, "a", event(n=1), pipeline=name, **named)

    assert gist(item) == (200, "noop", None)
    assert version(client, behind, "a") == named


def test_a_trial_shows_what_pipelines_make_and_writes_nothing(
    client: Elasticsearch, behind: str, name: str
) -> None:
    put_pipeline(client, name, {"set": {"field": "p", "value": "v"}})
    named = version(client, behind, "a")

    told = try_out(client, behind, event(n=1, new=1), name)

    assert told["_source"] == event(n=1, new=1, p="v")
    assert told["_index"] == behind
    assert "error" not in told
    assert version(client, behind, "a") == named
    assert "new" not in json.dumps(client.indices.get_mapping(index=behind).body)


def test_a_trial_says_what_no_mapping_takes(client: Elasticsearch, behind: str) -> None:
    told = try_out(client, behind, event(n="x"))

    assert told["error"]["type"] == "document_parsing_exception"


def test_a_trial_says_what_is_dropped_and_what_fails(
    client: Elasticsearch, behind: str, name: str
) -> None:
    put_pipeline(client, name, {"drop": {}})

    assert try_out(client, behind, event(), name)["result"] == "noop"
    told = try_out(client, behind, event(), f"{name}-lost")
    assert told["error"]["type"] == "illegal_argument_exception"


@pytest.mark.parametrize("pattern", ["{}", "{}*", "{},lost"])
def test_a_closed_index_is_left_out_of_a_lenient_view_and_named(
    client: Elasticsearch, behind: str, name: str, pattern: str
) -> None:
    client.indices.rollover(alias=name)
    client.indices.close(index=behind)
    path = f"/{pattern.format(name)}"

    told = client.perform_request(
        "GET",
        f"{path}/_settings/index.verified_before_close",
        params={
            "expand_wildcards": "all",
            "ignore_unavailable": "true",
            "flat_settings": "true",
        },
        headers={"accept": JSON["accept"]},
    )
    opened = client.perform_request(
        "POST",
        f"{path}/_pit",
        params={"keep_alive": "1m", "ignore_unavailable": "true"},
        headers={"accept": JSON["accept"]},
    )
    found = client.search(pit={"id": opened["id"]}, sort=["_shard_doc"])

    assert list(told) == [behind]
    assert found["hits"]["hits"] == []
