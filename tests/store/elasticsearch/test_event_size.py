"""A server that could not take the largest event is seen before the start."""

import re
from typing import Any

import pytest

from beats_signer.config import Address, Config, LimitsConfig, ListenerConfig
from beats_signer.store.elasticsearch.check.checks import Checks, refuse_if_broken
from beats_signer.store.elasticsearch.check.event_size import (
    Node,
    judge_event_size,
    read_nodes,
)
from beats_signer.store.elasticsearch.check.soundness import Mark, Verdict
from beats_signer.store.elasticsearch.client import Client
from beats_signer.store.elasticsearch.config import ElasticsearchConfig, HostUrl
from beats_signer.stores import largest_event_bytes
from tests.elasticsearch.fake import Fake
from tests.elasticsearch.faults import Fault
from tests.elasticsearch.server import VERSION, Access

MEMORY = "indexing_pressure.memory."
SETTINGS = {
    "http.max_content_length": "100mb",
    f"{MEMORY}coordinating.limit": "10%",
    f"{MEMORY}primary.limit": "10%",
    f"{MEMORY}max_operation_size": "10%",
}
MIB = 1 << 20


@pytest.mark.parametrize(
    ("major", "heap", "event", "mark"),
    [
        (8, 512 * MIB, 32 * MIB, Mark.OK),
        (8, 256 * MIB, 32 * MIB, Mark.NOTICE),
        (9, 4096 * MIB, 32 * MIB, Mark.OK),
        (9, 1024 * MIB, 32 * MIB, Mark.NOTICE),
        (9, 1024 * MIB, 15 * MIB, Mark.OK),
        (9, 64 * 1024 * MIB, 80 * MIB, Mark.NOTICE),  # the body of a request
    ],
)
def test_the_largest_event_has_to_fit(
    major: int, heap: int, event: int, mark: Mark
) -> None:
    verdict = judge_event_size(SETTINGS, [Node(major, heap)], event)

    assert verdict.mark is mark


@pytest.mark.parametrize(
    ("settings", "major", "words"),
    [
        ({}, 8, "raise the heap of Elasticsearch to 447556280 bytes"),
        ({}, 9, "raise the heap of Elasticsearch to 2237781400 bytes"),
        (
            {f"{MEMORY}primary.limit": "8mb"},
            9,
            f"raise {MEMORY}primary.limit of Elasticsearch to 2237",
        ),
        (
            {"http.max_content_length": "1mb"},
            9,
            "raise http.max_content_length of Elasticsearch to 44755",
        ),
        (
            {f"{MEMORY}max_operation_size": "1048576b"},
            9,
            f"raise {MEMORY}max_operation_size of Elasticsearch to 44755",
        ),
    ],
)
def test_the_tightest_setting_is_named_with_what_it_has_to_be(
    settings: dict[str, str], major: int, words: str
) -> None:
    nodes = [Node(major, 128 * MIB)]
    verdict = judge_event_size(SETTINGS | settings, nodes, 32 * MIB)

    assert verdict.mark is Mark.NOTICE
    assert words in verdict.hint
    assert "Set limits.json_bytes and limits.pairs_bytes to " in verdict.hint


def test_what_is_said_to_fit_fits_and_one_more_would_not() -> None:
    nodes = [Node(9, 1000 * MIB)]
    told = judge_event_size(SETTINGS, nodes, 32 * MIB)
    found = re.search(r"to (\d+) at most", told.hint)
    assert found is not None
    most = int(found[1])

    assert judge_event_size(SETTINGS, nodes, most).mark is Mark.OK
    assert judge_event_size(SETTINGS, nodes, most + 3).mark is Mark.NOTICE


def test_the_smallest_node_that_gets_events_counts() -> None:
    def node(heap: int, *roles: str, version: str = "9.5.2") -> dict[str, Any]:
        memory = {"mem": {"heap_max_in_bytes": heap}}
        return {"version": version, "roles": list(roles), "jvm": memory}

    told = {
        "a": node(5 * MIB, "master"),
        "b": node(7 * MIB, "data_frozen"),
        "c": node(900 * MIB, "data_hot", "master"),
        "d": node(800 * MIB, version="8.19.0"),
        "e": {"version": "9.5.2", "roles": ["data"]},
    }

    assert read_nodes({"nodes": told}) == [Node(9, 900 * MIB), Node(8, 800 * MIB)]


@pytest.mark.parametrize(
    ("settings", "nodes", "message"),
    [
        ({}, [Node(9, MIB)], "its limits are not shown to us"),
        ({"http.max_content_length": "-1"}, [], "its limits are not shown to us"),
        (SETTINGS, [], "takes events of up to 78630912 bytes, if its memory does"),
    ],
)
def test_what_is_not_shown_stops_nothing(
    settings: dict[str, str], nodes: list[Node], message: str
) -> None:
    verdict = judge_event_size(settings, nodes, 32 * MIB)

    assert verdict.mark is Mark.UNKNOWN
    assert message in verdict.message
    assert "http.max_content_length" in verdict.hint


async def event_size(access: Access, size: int, **settings: Any) -> Verdict:
    client = Client(access.url)
    try:
        config = ElasticsearchConfig(hosts=(HostUrl(access.url),), **settings)
        checks = Checks(client, config, [], event_bytes=size)
        (found,) = [one async for one in checks.run() if one.check == "event-size"]
    finally:
        await client.close()
    return found


async def test_a_small_server_is_told_of_and_does_not_stop_the_start() -> None:
    with Fake(version="9.5.2") as fake:
        fake.administration.heap_bytes = 1 << 30
        verdict = await event_size(fake.access, 32 * MIB)

    refuse_if_broken([verdict])
    assert verdict.mark is Mark.NOTICE
    assert "takes events of up to " in verdict.message
    assert "limits.json_bytes" in verdict.hint


async def test_a_user_who_may_not_see_the_nodes_starts_all_the_same(
    fake: Fake,
) -> None:
    fake.administration.refused.add("/_nodes/jvm")

    assert (await event_size(fake.access, MIB)).mark is Mark.UNKNOWN


async def test_a_server_that_shows_nothing_starts_all_the_same(fake: Fake) -> None:
    fake.fail(Fault(status=403), on="other", after=2)
    fake.fail(Fault(status=403), on="other", after=2)

    assert (await event_size(fake.access, MIB)).mark is Mark.UNKNOWN


@pytest.mark.parametrize(
    ("limits", "largest"),
    [
        ({}, 32 * MIB),
        ({"json_bytes": 1024, "pairs_bytes": 4096}, 4096),
        ({"json_bytes": 8192, "pairs_bytes": 4096}, 8192),
        ({"window_bytes": 2048}, 2048),
    ],
)
def test_the_largest_event_is_that_of_the_limits(
    limits: dict[str, int], largest: int
) -> None:
    listener = ListenerConfig(address=Address("127.0.0.1:0"))
    config = Config("a", (listener,), limits=LimitsConfig(**limits))

    assert largest_event_bytes(config) == largest


@pytest.mark.elasticsearch
async def test_a_real_server_shows_what_it_takes(real_elasticsearch: Access) -> None:
    verdict = await event_size(real_elasticsearch, MIB)
    large = await event_size(real_elasticsearch, 64 * MIB)

    assert verdict.mark is Mark.OK, verdict
    assert large.mark is Mark.NOTICE
    assert ("primary.limit" in large.message) is not VERSION.startswith("8.")
