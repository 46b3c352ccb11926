"""Bulks, held by the fake server and by the real one alike."""

from typing import Any

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
)
from tests.elasticsearch.server import Access


def test_items_stand_in_the_order_of_the_actions(
    client: Elasticsearch, name: str
) -> None:
    bulk(client, name, [("b", {"n": 1})])

    items = bulk(client, name, [("a", {}), ("b", {}), ("c", {"n": "x"}), ("d", {})])

    assert [item["_id"] for item in items] == ["a", "b", "c", "d"]
    assert [*map(gist, items)] == [CREATED, CONFLICT, UNPARSABLE, CREATED]


def test_a_conflict_names_the_index_that_holds_the_document(
    client: Elasticsearch, stream: str
) -> None:
    (first,) = bulk(client, stream, [("a", event(n=1))])
    (second,) = bulk(client, stream, [("a", event(n=2))])

    assert gist(second) == CONFLICT
    assert second["error"]["index"] == first["_index"]
    assert second["_index"] == first["_index"]
    found = client.get(index=first["_index"], id="a")
    assert found["_source"]["n"] == 1


def test_a_repeated_id_within_one_bulk_is_a_conflict(
    client: Elasticsearch, name: str
) -> None:
    items = bulk(client, name, [("a", {}), ("a", {})])

    assert [*map(gist, items)] == [CREATED, CONFLICT]


@pytest.mark.parametrize(
    "document",
    [
        b'{"a":1,"a":2}',
        b'{"a":',
        b"[1]",
        b"1",
        b"",
        b'{"a":"\xff"}',
        b'{"a":"\x01"}',
    ],
    ids=["repeated key", "cut", "list", "number", "empty", "not UTF-8", "control"],
)
def test_what_is_no_object_is_refused_alone(
    client: Elasticsearch, name: str, document: bytes
) -> None:
    items = bulk(client, name, [("a", {}), ("b", document), ("c", {})])

    assert [*map(gist, items)] == [CREATED, UNPARSABLE, CREATED]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("long", "x"),
        ("date", "yesterday"),
        ("ip", "1.2.3"),
        ("boolean", "perhaps"),
        ("object", "x"),
        ("long", {"a": 1}),
        ("keyword", {"a": 1}),
        ("keyword", "x" * 32_767),
    ],
)
def test_a_value_that_does_not_fit_its_field_is_refused_alone(
    client: Elasticsearch, name: str, field: str, value: Any
) -> None:
    client.indices.create(index=name, mappings={"properties": {"f": {"type": field}}})

    items = bulk(client, name, [("a", {"f": value}), ("b", {"g": 1})])

    assert [*map(gist, items)] == [UNPARSABLE, CREATED]


def test_opaque_strings_have_no_limit(client: Elasticsearch, name: str) -> None:
    opaque = {"type": "keyword", "index": False, "doc_values": False}
    client.indices.create(index=name, mappings={"properties": {"f": opaque}})

    (item,) = bulk(client, name, [("a", {"f": "x" * 100_000})])

    assert gist(item) == CREATED


def test_a_strict_mapping_refuses_new_fields(client: Elasticsearch, name: str) -> None:
    client.indices.create(index=name, mappings={"dynamic": "strict"})

    (item,) = bulk(client, name, [("a", {"f": 1})])

    assert gist(item) == (400, None, "strict_dynamic_mapping_exception")


def test_too_many_fields_are_refused(client: Elasticsearch, name: str) -> None:
    client.indices.create(index=name, settings={"index.mapping.total_fields.limit": 5})

    (item,) = bulk(client, name, [("a", {f"f{n}": n for n in range(6)})])

    assert gist(item) == UNPARSABLE


def test_an_empty_id_is_refused_alone(client: Elasticsearch, name: str) -> None:
    items = bulk(client, name, [("", {}), ("b", {})])

    assert [*map(gist, items)] == [
        (400, None, "illegal_argument_exception"),
        CREATED,
    ]


@pytest.mark.parametrize(
    "line",
    [
        b'{"creat":{}}',
        b'{"create":',
        b"x",
        b'{"create":{"_id":"%s"}}' % (b"x" * 513),
    ],
    ids=["unknown action", "cut", "no JSON", "id of 513 bytes"],
)
def test_a_bad_action_refuses_the_whole_bulk(
    client: Elasticsearch, name: str, line: bytes
) -> None:
    good = b'{"create":{"_id":"a"}}\n{}\n'

    with pytest.raises(ApiError) as caught:
        post(client, name, good + line + b"\n{}\n")

    assert caught.value.status_code == 400
    assert not client.indices.exists(index=name)


def test_an_action_without_its_document_is_passed_over_in_silence(
    client: Elasticsearch, name: str
) -> None:
    body = b'{"create":{"_id":"a"}}\n{}\n{"create":{"_id":"b"}}\n'

    answer = post(client, name, body)

    assert len(answer["items"]) == 1
    assert answer["errors"] is False


def test_a_filter_keeps_one_item_per_action(client: Elasticsearch, name: str) -> None:
    wanted = ("status", "result", "error", "failure_store")
    paths = ",".join(["errors", *(f"items.*.{one}" for one in wanted)])

    items = bulk(client, name, [("a", {}), ("a", {})], filter_path=paths)

    assert items[0] == {"result": "created", "status": 201}
    assert set(items[1]) == {"status", "error"}


def test_actions_may_name_their_own_targets(client: Elasticsearch, name: str) -> None:
    other = f"{name}-other"

    (item,) = bulk(client, name, [("a", {})], {"_index": other})

    assert item["_index"] == other


def test_a_compressed_body_is_taken(elasticsearch: Access, name: str) -> None:
    with elasticsearch.connect(http_compress=True) as compressing:
        (item,) = bulk(compressing, name, [("a", {"a": "x" * 10_000})])

    assert gist(item) == CREATED
