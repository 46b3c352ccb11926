"""Settings and templates, held by the fake server and by the real one alike."""

import pytest
from elasticsearch import ApiError, Elasticsearch

from tests.elasticsearch.asking import JSON, bulk, event, put_template


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


def test_a_template_is_told_with_its_settings_as_strings(
    client: Elasticsearch, name: str
) -> None:
    put_template(client, name, settings={"number_of_replicas": 0})

    found = client.indices.get_index_template(name=name)["index_templates"]

    (only,) = found
    assert only["name"] == name
    assert only["index_template"]["template"]["settings"] == {
        "index": {"number_of_replicas": "0"}
    }


def test_what_was_never_put_is_not_found(client: Elasticsearch, name: str) -> None:
    with pytest.raises(ApiError) as template:
        client.indices.get_index_template(name=name)
    with pytest.raises(ApiError) as component:
        client.cluster.get_component_template(name=name)
    with pytest.raises(ApiError) as pipeline:
        client.ingest.get_pipeline(id=name)

    assert template.value.error == "resource_not_found_exception"
    assert component.value.error == "resource_not_found_exception"
    assert pipeline.value.body == {}
    assert not client.indices.exists_index_template(name=name)


def test_a_path_that_is_unknown_has_a_string_for_an_error(
    client: Elasticsearch, name: str
) -> None:
    with pytest.raises(ApiError) as caught:
        client.perform_request("POST", f"/{name}/_never", headers=JSON, body={})

    assert caught.value.status_code == 400
    assert caught.value.body["error"].startswith("no handler found for uri")


def test_a_data_stream_is_resolved_to_its_backing_indices(
    client: Elasticsearch, stream: str
) -> None:
    (item,) = bulk(client, stream, [("a", event())])

    found = client.indices.resolve_index(name=f"{stream}*")

    (only,) = found["data_streams"]
    assert only == {
        "name": stream,
        "backing_indices": [item["_index"]],
        "timestamp_field": "@timestamp",
    }
    assert found["indices"] == []


def test_all_templates_and_their_components_are_listed(
    client: Elasticsearch, stream: str
) -> None:
    client.cluster.put_component_template(
        name=stream, template={"settings": {"index.translog.durability": "async"}}
    )

    templates = client.indices.get_index_template()["index_templates"]
    components = client.cluster.get_component_template()["component_templates"]

    (own,) = [one for one in templates if one["name"] == stream]
    assert own["index_template"]["index_patterns"] == [stream]
    assert "data_stream" in own["index_template"]
    (part,) = [one for one in components if one["name"] == stream]
    assert part["component_template"]["template"]["settings"] == {
        "index": {"translog": {"durability": "async"}}
    }
