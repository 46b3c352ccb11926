"""Settings and templates, held by the fake server and by the real one alike."""

from elasticsearch import Elasticsearch

from tests.elasticsearch.asking import bulk, event


def test_settings_are_told_with_their_defaults(
    client: Elasticsearch, stream: str
) -> None:
    bulk(client, stream, [("a", event())])
    names = "index.translog.durability,index.number_of_replicas"

    found = client.indices.get_settings(
        index=stream, name=names, include_defaults=True, flat_settings=True
    )

    (only,) = found.values()
    whole = only.get("defaults", {}) | only["settings"]
    assert whole["index.translog.durability"] == "REQUEST"
    assert whole["index.number_of_replicas"] == "1"


def test_a_mapping_that_was_learnt_is_told(client: Elasticsearch, name: str) -> None:
    bulk(client, name, [("a", {"n": 1, "o": {"b": True}, "t": "x"})])

    found = client.indices.get_mapping(index=name)[name]["mappings"]["properties"]

    keyword = {"type": "keyword", "ignore_above": 256}
    assert found == {
        "n": {"type": "long"},
        "o": {"properties": {"b": {"type": "boolean"}}},
        "t": {"type": "text", "fields": {"keyword": keyword}},
    }


def test_a_template_is_laid_together_from_its_components(
    client: Elasticsearch, name: str
) -> None:
    client.cluster.put_component_template(
        name=name,
        template={"mappings": {"properties": {"n": {"type": "long"}}}},
    )
    client.indices.put_index_template(
        name=name,
        index_patterns=[name],
        priority=500,
        composed_of=[name],
        template={"mappings": {"dynamic": "strict"}},
    )

    items = bulk(client, name, [("a", {"n": 1}), ("b", {"m": 1})])

    assert [item["status"] for item in items] == [201, 400]


def test_documents_are_changed_and_deleted_under_their_index(
    client: Elasticsearch, stream: str
) -> None:
    (item,) = bulk(client, stream, [("a", event(n=1)), ("b", event(n=1))])[:1]
    index = item["_index"]

    client.delete(index=index, id="b")
    found = client.get(index=index, id="a")
    client.index(
        index=index,
        id="a",
        document=event(n=2),
        if_seq_no=found["_seq_no"],
        if_primary_term=found["_primary_term"],
    )

    client.indices.refresh(index=stream)
    hits = client.search(index=stream)["hits"]["hits"]
    assert [hit["_source"]["n"] for hit in hits] == [2]
