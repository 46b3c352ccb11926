"""The fake server does what a test scripts, and no more than that."""

import asyncio
from collections.abc import Iterator

import pytest
from elastic_transport import (
    ConnectionError,
    ConnectionTimeout,
    SerializationError,
    TransportError,
)
from elasticsearch import ApiError, AsyncElasticsearch, Elasticsearch

from tests.elasticsearch.asking import CREATED, bulk, gist
from tests.elasticsearch.fake import Fake
from tests.elasticsearch.faults import Fault, Outcome

TWO = [("a", {"n": 1}), ("b", {"n": 2})]


@pytest.fixture
def fake() -> Iterator[Fake]:
    with Fake() as serving:
        yield serving


@pytest.fixture
def client(fake: Fake) -> Iterator[Elasticsearch]:
    with fake.access.connect(max_retries=0, request_timeout=0.3) as connected:
        yield connected


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault.timed_out, ConnectionTimeout),
        (Fault.cut, ConnectionError),
        (Fault.garbled, SerializationError),
        (lambda applied: Fault.cut(applied, after=20), TransportError),
    ],
    ids=["timed out", "cut", "garbled", "cut in the answer"],
)
@pytest.mark.parametrize(("applied", "kept"), [(0, ""), (1, "a"), (None, "ab")])
def test_a_failed_request_may_have_been_carried_out_in_part(
    fake: Fake,
    client: Elasticsearch,
    fault: type[Fault],
    error: type[Exception],
    applied: int | None,
    kept: str,
) -> None:
    fake.fail(fault(applied))

    with pytest.raises(error):
        bulk(client, "x", TWO)

    assert "".join(fake.documents("x")) == kept
    assert len(bulk(client, "x", TWO)) == 2


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 503])
def test_a_refused_request_leaves_nothing(
    fake: Fake, client: Elasticsearch, status: int
) -> None:
    fake.fail(Fault.refused(status, "some_exception"))

    with pytest.raises(ApiError) as caught:
        bulk(client, "x", TWO)

    assert caught.value.status_code == status
    assert caught.value.error == "some_exception"
    assert fake.documents("x") == {}


def test_an_answer_may_lack_items_of_what_was_stored(
    fake: Fake, client: Elasticsearch
) -> None:
    fake.fail(Fault.short())

    assert len(bulk(client, "x", TWO)) == 1
    assert "".join(fake.documents("x")) == "ab"


def test_a_body_above_the_limit_is_answered_413_with_nothing_in_it(
    fake: Fake, client: Elasticsearch
) -> None:
    fake.max_body_bytes = 1_000

    with pytest.raises(ApiError) as caught:
        bulk(client, "x", [("a", {"a": "x" * 2_000})])

    assert caught.value.status_code == 413
    assert not caught.value.body
    assert gist(*bulk(client, "x", [("a", {})])) == CREATED


def test_the_items_that_a_test_picks_have_the_outcome_of_its_choice(
    fake: Fake, client: Elasticsearch
) -> None:
    fake.judge(Outcome.rejected(), when=lambda action: action.id == "b")

    first = bulk(client, "x", TWO)
    second = bulk(client, "x", TWO)

    assert [item["status"] for item in first] == [201, 429]
    assert [item["status"] for item in second] == [409, 201]


@pytest.mark.parametrize(
    ("outcome", "seen"),
    [
        (Outcome.dropped(), (200, "noop", None)),
        (Outcome.redirected(), CREATED),
        (Outcome.rejected(503, "some"), (503, None, "some")),
    ],
)
def test_an_outcome_is_seen_as_the_server_would_show_it(
    fake: Fake,
    client: Elasticsearch,
    outcome: Outcome,
    seen: tuple[int, str | None, str | None],
) -> None:
    fake.judge(outcome)

    (item,) = bulk(client, "x", [("a", {})])

    assert gist(item) == seen
    assert item.get("failure_store") == outcome.failure_store
    assert fake.documents("x") == {}


def test_faults_strike_in_order_and_until_they_are_mended(
    fake: Fake, client: Elasticsearch
) -> None:
    fake.fail(Fault.refused(429))
    fake.fail(Fault.refused(503), times=None)
    seen = []
    for _ in range(3):
        with pytest.raises(ApiError) as caught:
            bulk(client, "x", TWO)
        seen.append(caught.value.status_code)

    fake.mend()

    assert seen == [429, 503, 503]
    assert len(bulk(client, "x", TWO)) == 2


def test_a_read_may_fail_while_writes_go_on(fake: Fake, client: Elasticsearch) -> None:
    fake.fail(Fault.page(502), on="get")
    bulk(client, "x", TWO)

    with pytest.raises(ApiError) as caught:
        client.get(index="x", id="a")

    assert caught.value.status_code == 502
    assert client.get(index="x", id="a")["found"]


def test_part_of_the_shards_may_fail_a_search(
    fake: Fake, client: Elasticsearch
) -> None:
    bulk(client, "x", TWO, refresh="true")
    fake.fail(Fault.partial(), on="search")

    answer = client.search(index="x")

    assert answer["_shards"]["failed"] == 1
    assert answer["timed_out"] is True


async def test_what_is_held_goes_on_when_it_is_released(fake: Fake) -> None:
    fake.hold("bulk")
    async with AsyncElasticsearch(**fake.access.options(), max_retries=0) as client:
        writing = client.bulk(operations=[{"create": {"_index": "x"}}, {}])
        asked = asyncio.create_task(writing)
        await asyncio.to_thread(fake.wait_for, "bulk")
        assert fake.documents("x") == {}

        fake.release()

        assert not (await asked)["errors"]


def test_what_came_is_kept(fake: Fake, client: Elasticsearch) -> None:
    bulk(client, "x", [("a", {})], filter_path="items")

    (request,) = fake.requests
    assert (request.method, request.path, request.operation) == (
        "POST",
        "/x/_bulk",
        "bulk",
    )
    assert request.query == {"filter_path": "items"}
    assert request.body == b'{"create": {"_id": "a"}}\n{}\n'
