"""Searches, held by the fake server and by the real one alike."""

from typing import Any

import pytest
from elasticsearch import ApiError, Elasticsearch

from tests.elasticsearch.asking import bulk


@pytest.fixture
def numbered(client: Elasticsearch, name: str) -> str:
    """An index of 25 documents, numbered 0 to 24, of two chains."""
    client.indices.create(
        index=name,
        mappings={
            "properties": {
                "chain": {"type": "keyword"},
                "n": {"type": "long"},
                "time": {"type": "date"},
            }
        },
    )
    documents = (
        (
            str(n),
            {
                "chain": "ab"[n % 2],
                "n": n,
                "time": f"2026-11-23T09:00:{n:02}.5Z",
                "part": {"text": f"word {n}"},
            },
        )
        for n in range(25)
    )
    bulk(client, name, documents, refresh="true")
    return name


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"match_all": {}}, 25),
        ({"term": {"chain": "a"}}, 13),
        ({"term": {"chain": {"value": "a"}}}, 13),
        ({"terms": {"n": [1, 2, 99]}}, 2),
        ({"range": {"n": {"gte": 5, "lt": 10}}}, 5),
        ({"range": {"time": {"gt": "2026-11-23T09:00:20.000Z"}}}, 5),
        ({"prefix": {"chain": "a"}}, 13),
        ({"wildcard": {"chain": "?"}}, 25),
        ({"ids": {"values": ["1", "x"]}}, 1),
        ({"exists": {"field": "part.text"}}, 25),
        ({"exists": {"field": "part"}}, 25),
        ({"exists": {"field": "lost"}}, 0),
        ({"term": {"part.text.keyword": "word 7"}}, 1),
        ({"term": {"lost": 1}}, 0),
        (
            {
                "bool": {
                    "filter": [{"term": {"chain": "a"}}],
                    "must_not": {"term": {"n": 0}},
                }
            },
            12,
        ),
        ({"bool": {"should": [{"term": {"n": 1}}, {"term": {"n": 2}}]}}, 2),
        (
            {
                "bool": {
                    "should": [{"term": {"n": 1}}],
                    "filter": [{"term": {"chain": "a"}}],
                }
            },
            13,
        ),
    ],
)
def test_a_query_finds_what_it_says(
    client: Elasticsearch, numbered: str, query: Any, count: int
) -> None:
    assert client.count(index=numbered, query=query)["count"] == count


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_pages_over_a_point_in_time_give_each_document_once(
    client: Elasticsearch, numbered: str, order: str
) -> None:
    point = client.open_point_in_time(index=numbered, keep_alive="1m")["id"]
    bulk(client, numbered, [("new", {"n": 3})], refresh="true")
    found: list[int] = []
    after: list[Any] | None = None
    while True:
        page = client.search(
            pit={"id": point, "keep_alive": "1m"},
            query={"range": {"n": {"gte": 2}}},
            sort=[{"n": order}],
            size=10,
            track_total_hits=False,
            allow_partial_search_results=False,
            search_after=after,
        )
        point = page["pit_id"]
        hits = page["hits"]["hits"]
        if not hits:
            break
        found += [hit["_source"]["n"] for hit in hits]
        after = hits[-1]["sort"]
        assert len(after) == 2
        assert "total" not in page["hits"]

    assert found == sorted(range(2, 25), reverse=order == "desc")
    assert client.close_point_in_time(id=point)["succeeded"] is True


def test_a_point_in_time_that_is_closed_is_not_found(
    client: Elasticsearch, numbered: str
) -> None:
    point = client.open_point_in_time(index=numbered, keep_alive="1m")["id"]
    client.close_point_in_time(id=point)

    with pytest.raises(ApiError) as caught:
        client.search(pit={"id": point}, sort=["n"])

    assert caught.value.status_code == 404


def test_the_highest_is_found_by_order_and_by_aggregation(
    client: Elasticsearch, numbered: str
) -> None:
    found = client.search(
        index=numbered,
        query={"term": {"chain": "a"}},
        sort=[{"n": {"order": "desc"}}],
        size=1,
        aggs={
            "top": {"max": {"field": "n"}},
            "low": {"min": {"field": "n"}},
            "all": {"value_count": {"field": "n"}},
            "different": {"cardinality": {"field": "chain"}},
        },
    )

    assert [hit["_source"]["n"] for hit in found["hits"]["hits"]] == [24]
    assert found["hits"]["total"] == {"value": 13, "relation": "eq"}
    results = {key: one["value"] for key, one in found["aggregations"].items()}
    assert results == {"top": 24.0, "low": 0.0, "all": 13, "different": 1}


def test_terms_are_counted_with_what_is_asked_of_each(
    client: Elasticsearch, numbered: str
) -> None:
    found = client.search(
        index=numbered,
        size=0,
        aggs={
            "chains": {
                "terms": {"field": "chain", "size": 5},
                "aggs": {"top": {"max": {"field": "n"}}},
            }
        },
    )

    buckets = found["aggregations"]["chains"]["buckets"]
    assert [(one["key"], one["doc_count"], one["top"]["value"]) for one in buckets] == [
        ("a", 13, 24.0),
        ("b", 12, 23.0),
    ]


def test_dates_sort_as_milliseconds(client: Elasticsearch, numbered: str) -> None:
    found = client.search(index=numbered, sort=[{"time": "asc"}], size=1)

    (hit,) = found["hits"]["hits"]
    assert hit["sort"] == [1795424400500]


def test_values_are_read_without_their_source(
    client: Elasticsearch, numbered: str
) -> None:
    found = client.search(
        index=numbered,
        query={"term": {"n": 4}},
        source=False,
        docvalue_fields=[{"field": "n"}, {"field": "chain"}],
    )

    (hit,) = found["hits"]["hits"]
    assert hit["fields"] == {"n": [4], "chain": ["a"]}
    assert "_source" not in hit


def test_an_order_by_a_field_that_no_mapping_knows_is_refused(
    client: Elasticsearch, numbered: str
) -> None:
    with pytest.raises(ApiError) as caught:
        client.search(index=numbered, sort=["lost"])

    assert caught.value.status_code == 400
    order = {"lost": {"order": "asc", "unmapped_type": "long"}}
    assert client.search(index=numbered, sort=[order])["hits"]["hits"]


def test_a_window_above_ten_thousand_is_refused(
    client: Elasticsearch, numbered: str
) -> None:
    with pytest.raises(ApiError) as caught:
        client.search(index=numbered, size=10_001)

    assert caught.value.status_code == 400


def test_a_pattern_that_fits_nothing_finds_nothing(
    client: Elasticsearch, name: str
) -> None:
    assert client.count(index=f"{name}-*")["count"] == 0
    with pytest.raises(ApiError) as caught:
        client.count(index=name)
    assert caught.value.status_code == 404
