"""Reading by id, held by the fake server and by the real one alike."""

from typing import Any

import pytest
from elasticsearch import ApiError, Elasticsearch, JsonSerializer

from tests.elasticsearch.asking import JSON, bulk
from tests.elasticsearch.server import Access


def test_a_read_by_id_sees_what_no_search_sees_yet(
    client: Elasticsearch, name: str
) -> None:
    client.indices.create(index=name, settings={"index.refresh_interval": "-1"})
    bulk(client, name, [("a", {"n": 1})])

    assert client.get(index=name, id="a")["_source"] == {"n": 1}
    assert client.count(index=name)["count"] == 0
    client.indices.refresh(index=name)
    assert client.count(index=name)["count"] == 1


def test_many_are_read_by_id_at_once(client: Elasticsearch, name: str) -> None:
    bulk(client, name, [("a", {"n": 1})])

    docs = [{"_index": name, "_id": "a"}, {"_index": name, "_id": "b"}]
    lost = {"_index": f"{name}-lost", "_id": "a"}
    found = client.mget(docs=[*docs, lost])["docs"]

    assert found[0]["_source"] == {"n": 1}
    assert found[1]["found"] is False
    assert found[2]["error"]["type"] == "index_not_found_exception"


class Letters(JsonSerializer):
    """Leave an answer as it came."""

    def loads(self, data: bytes) -> bytes:
        return data


def test_a_source_is_kept_to_the_letter(
    client: Elasticsearch, elasticsearch: Access, name: str
) -> None:
    text = b'{ "z" : 1.00, "a":1e0,"u":"\\u00e9\\/", "n":null }'
    bulk(client, name, [("a", text)])

    with elasticsearch.connect(serializer=Letters()) as plain:
        answer = plain.perform_request("GET", f"/{name}/_doc/a", headers=JSON)
    assert text in bytes(answer.body)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (["a.b"], {"a": {"b": 1}}),
        ("a", {"a": {"b": 1, "c": 2}}),
        ({"excludes": ["a.b"]}, {"a": {"c": 2}, "d": 3}),
        (True, {"a": {"b": 1, "c": 2}, "d": 3}),
        (False, None),
    ],
)
def test_a_search_returns_the_parts_that_are_wanted(
    client: Elasticsearch, name: str, wanted: Any, found: Any
) -> None:
    bulk(client, name, [("a", {"a": {"b": 1, "c": 2}, "d": 3})], refresh="true")

    (hit,) = client.search(index=name, source=wanted)["hits"]["hits"]

    assert hit.get("_source") == found


def test_a_missing_document_and_a_missing_index_are_told_apart(
    client: Elasticsearch, name: str
) -> None:
    bulk(client, name, [("a", {})])

    with pytest.raises(ApiError) as document:
        client.get(index=name, id="b")
    with pytest.raises(ApiError) as index:
        client.get(index=f"{name}-lost", id="b")

    assert document.value.body["found"] is False
    assert index.value.error == "index_not_found_exception"
