"""Data streams and blocks, held by the fake server and by the real one alike."""

import pytest
from elasticsearch import ApiError, Elasticsearch

from tests.elasticsearch.asking import (
    CONFLICT,
    CREATED,
    UNPARSABLE,
    bulk,
    event,
    gist,
    post,
    put_pipeline,
    put_template,
)


@pytest.mark.parametrize(
    ("block", "status"),
    [("write", 403), ("read_only", 403), ("read_only_allow_delete", 429)],
)
def test_a_block_refuses_each_item(
    client: Elasticsearch, name: str, block: str, status: int
) -> None:
    client.indices.create(index=name)
    client.indices.put_settings(index=name, settings={f"index.blocks.{block}": True})

    (item,) = bulk(client, name, [("a", {})])

    assert gist(item) == (status, None, "cluster_block_exception")


def test_a_closed_index_refuses_each_item(client: Elasticsearch, name: str) -> None:
    client.indices.create(index=name)
    client.indices.close(index=name)

    (item,) = bulk(client, name, [("a", {})])

    assert gist(item) == (400, None, "index_closed_exception")


def test_where_a_data_stream_is_required_nothing_else_is_made(
    client: Elasticsearch, name: str
) -> None:
    (item,) = bulk(client, name, [("a", event())], require_data_stream="true")

    assert gist(item) == (404, None, "index_not_found_exception")


def test_a_template_turns_the_first_write_into_a_data_stream(
    client: Elasticsearch, stream: str
) -> None:
    (item,) = bulk(client, stream, [("a", event())], require_data_stream="true")

    assert gist(item) == CREATED
    assert item["_index"].startswith(f".ds-{stream}-")


def test_a_document_without_a_time_is_refused(
    client: Elasticsearch, stream: str
) -> None:
    (item,) = bulk(client, stream, [("a", {"a": 1})])

    assert gist(item) == UNPARSABLE
    assert item["failure_store"] == "not_enabled"


def test_a_document_is_not_read_under_the_name_of_the_stream(
    client: Elasticsearch, stream: str
) -> None:
    bulk(client, stream, [("a", event())])

    with pytest.raises(ApiError) as caught:
        client.get(index=stream, id="a")

    assert caught.value.status_code == 404


def test_only_create_is_allowed(client: Elasticsearch, stream: str) -> None:
    answer = post(client, stream, b'{"index":{"_id":"a"}}\n{"@timestamp":1}\n')

    item = answer["items"][0]["index"]
    assert gist(item) == (400, None, "illegal_argument_exception")


def test_an_id_is_free_again_after_a_rollover(
    client: Elasticsearch, stream: str
) -> None:
    (first,) = bulk(client, stream, [("a", event())])
    client.indices.rollover(alias=stream)

    (second,) = bulk(client, stream, [("a", event())])

    assert gist(second) == CREATED
    assert second["_index"] != first["_index"]
    client.indices.refresh(index=stream)
    assert client.count(index=stream)["count"] == 2


@pytest.fixture
def storing(client: Elasticsearch, name: str) -> str:
    put_template(
        client,
        name,
        mappings={"properties": {"n": {"type": "long"}}},
        data_stream_options={"failure_store": {"enabled": True}},
    )
    return name


def test_what_no_mapping_accepts_looks_like_a_success(
    client: Elasticsearch, storing: str
) -> None:
    bulk(client, storing, [("a", event(n=1))])

    (item,) = bulk(client, storing, [("b", event(n="x"))])

    assert gist(item) == CREATED
    assert item["failure_store"] == "used"
    assert item["_id"] != "b"
    assert item["_index"].startswith(".fs-")


def test_what_a_pipeline_fails_looks_like_a_success(
    client: Elasticsearch, storing: str
) -> None:
    put_pipeline(client, storing, {"fail": {"message": "never"}})

    (item,) = bulk(client, storing, [("b", event())], {"pipeline": storing})

    assert gist(item) == CREATED
    assert item["failure_store"] == "used"


def test_a_conflict_does_not_go_there(client: Elasticsearch, storing: str) -> None:
    bulk(client, storing, [("a", event(n=1))])

    (item,) = bulk(client, storing, [("a", event(n=1))])

    assert gist(item) == CONFLICT
    assert "failure_store" not in item


@pytest.mark.parametrize(
    ("rules", "created"),
    [
        ("-{name}*,+*", False),
        ("+{name}*,-*", True),
        ("+none*", False),
        ("false", False),
        ("true", True),
    ],
)
@pytest.mark.parametrize("leave", [None, False, True])
def test_an_index_is_made_where_its_template_or_else_the_rules_allow_it(
    client: Elasticsearch, name: str, rules: str, created: bool, leave: bool | None
) -> None:
    client.indices.put_index_template(
        name=name, index_patterns=[name], priority=500, allow_auto_create=leave
    )
    setting = "action.auto_create_index"
    client.cluster.put_settings(persistent={setting: rules.format(name=name)})
    try:
        (item,) = bulk(client, name, [("a", {})])
    finally:
        client.cluster.put_settings(persistent={setting: None})

    missing = (404, None, "index_not_found_exception")
    is_allowed = created if leave is None else leave
    assert gist(item) == (CREATED if is_allowed else missing)
