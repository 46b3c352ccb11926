"""A real server at its limits: bodies too large, too many at once, no place to go."""

import asyncio
import base64
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from beats_signer.errors import RefusedError, StoreError
from beats_signer.store.contract import Destination, Write
from beats_signer.store.elasticsearch.write.store import ElasticsearchStore
from tests.elasticsearch.server import VERSION, Access, RunElasticsearch
from tests.store.chains import Chain
from tests.store.elasticsearch.conftest import Place
from tests.store.elasticsearch.rooms import append, opened, to_write

SHARE = 1 << 20 if VERSION.startswith("8.") else 1 << 19
"""Of the heap of our servers: from version 9 on, a fiftieth is the largest item."""
REAL = pytest.mark.elasticsearch


@pytest.fixture(scope="module")
def small(run_elasticsearch: RunElasticsearch) -> Iterator[Access]:
    """Run a server that takes bodies of 1 MB, and 1.5 MB of them at a time."""
    limits = {
        "http.max_content_length": "1mb",
        "indexing_pressure.memory.coordinating.limit": "1500kb",
    }
    with run_elasticsearch(settings=limits) as server:
        yield server.access


def documents(access: Access, target: str) -> list[dict[str, Any]]:
    with access.connect() as client:
        client.indices.refresh(index=target)
        found = client.search(index=target, size=1000, sort="beats_signer.index")
    return [hit["_source"] for hit in found["hits"]["hits"]]


@REAL
async def test_bodies_that_are_too_large_are_sent_in_parts(small: Access) -> None:
    chain = Chain("parts")
    sealed = chain.events([b'{"x":"%b"}' % (b"x" * 100_000) for _ in range(20)])
    async with opened(small, part_bytes=8 << 20) as store:
        assert (await append(store, to_write(store, sealed), 50)).bare == ()
        assert store.capacity.part_bytes < 2 << 20

    assert len(documents(small, "logs-parts-acme")) == 20


@REAL
async def test_an_event_that_does_not_fit_twice_is_stored_bare(small: Access) -> None:
    sealed = Chain("twice").events([b"{}", b'{"x":"%b"}' % (b"x" * 700_000)])
    async with opened(small) as store:
        assert (await append(store, to_write(store, sealed), 50)).bare == (1,)

    _, bare = documents(small, "logs-twice-acme")
    assert bare["tags"] == ["_beats_signer_bare"]
    assert "413" in bare["error"]["message"]


@REAL
async def test_an_event_that_does_not_fit_at_all_is_told(small: Access) -> None:
    sealed = Chain("never").events([b"{}", b'{"x":"%b"}' % (b"x" * 1_100_000)])
    async with opened(small) as store:
        with pytest.raises(RefusedError, match=r"1 of 3 items .* 413"):
            await append(store, to_write(store, sealed), 50)

    assert len(documents(small, "logs-never-acme")) == 1


@REAL
async def test_more_than_a_server_takes_at_once_is_stored_all_the_same(
    small: Access,
) -> None:
    async with opened(small, in_flight=8, part_bytes=900 << 10) as store:
        payload = b'{"x":"%b"}' % (b"x" * 40_000)
        told: list[StoreError] = []

        async def insist(write: Write) -> None:
            for _ in range(200):
                try:
                    await store.append(write)
                except StoreError as error:
                    told.append(error)
                    await asyncio.sleep(0.01)
                else:
                    return

        chains = [Chain(f"busy{n}") for n in range(8)]
        await asyncio.gather(
            *(insist(to_write(store, chain.events([payload] * 20))) for chain in chains)
        )

    assert told
    assert all("429 es_rejected_execution_exception" in str(error) for error in told)
    assert len(documents(small, "logs-busy*-acme")) == 160


@REAL
@pytest.mark.parametrize(
    "payload",
    [b'{"x":"%b"}' % (b"x" * (14 * SHARE)), b"\x01" * (8 * SHARE)],
    ids=["text", "escapes"],
)
async def test_no_event_is_so_large_that_it_is_busy_for_ever(
    real_elasticsearch: Access, payload: bytes
) -> None:
    """Twice in its document, it is more than a small server takes at a time."""
    chain = Chain(f"huge{len(payload)}")
    async with opened(real_elasticsearch, timeout_seconds=60) as store:
        await append(store, to_write(store, chain.events([b"{}", payload])), 3)

    _, document = documents(
        real_elasticsearch, f"logs-{chain.origin.split('/')[2]}-acme"
    )
    signed = document["beats_signer"]
    data = base64.b64decode(signed.get("payload_base64", ""))
    assert payload == (data or signed["payload"].encode())


async def refuse(store: ElasticsearchStore, write: Write, words: str) -> str:
    """See an append refused with these words; return what an operator is told."""
    with pytest.raises(RefusedError, match=words) as refused:
        await append(store, write, 2)
    return refused.value.hint


async def test_a_place_that_nobody_may_make_is_waited_for(place: Place) -> None:
    target = f"made-{place.target}"
    sealed = replace(
        place.chain.events([b'{"n":1}', b'{"n":2}']),
        destinations=[Destination(target), None],
    )
    setting = "action.auto_create_index"
    await _put_settings(place, {setting: "-made-*,+*"})
    try:
        async with opened(place.access) as store:
            write = to_write(store, sealed)
            hint = await refuse(store, write, "index_not_found_exception")
            await asyncio.to_thread(place.client.indices.create, index=target)
            assert (await append(store, write, 50)).bare == ()
    finally:
        await _put_settings(place, {setting: None})

    assert "setup" in hint
    assert [one["n"] for one in place.documents().values()] == [2]


async def test_the_same_place_chosen_by_its_sender_is_left(place: Place) -> None:
    target = f"made-{place.target}"
    chosen = Destination(target, is_chosen_by_sender=True)
    sealed = replace(place.chain.events([b'{"n":1}']), destinations=[chosen])
    setting = "action.auto_create_index"
    await _put_settings(place, {setting: "-made-*,+*"})
    try:
        async with opened(place.access) as store:
            assert (await append(store, to_write(store, sealed), 3)).bare == ()
    finally:
        await _put_settings(place, {setting: None})

    (document,) = place.documents().values()
    assert document["tags"] == ["_beats_signer_no_place"]


async def test_a_full_disk_is_waited_for(place: Place) -> None:
    target = f"full-{place.target}"
    await asyncio.to_thread(place.client.indices.create, index=target)
    sealed = replace(
        place.chain.events([b'{"n":1}', b'{"n":2}']),
        destinations=[Destination(target), None],
    )
    block = "index.blocks.read_only_allow_delete"
    put = place.client.indices.put_settings
    await asyncio.to_thread(put, index=target, settings={block: True})
    async with opened(place.access) as store:
        write = to_write(store, sealed)
        hint = await refuse(store, write, "cluster_block_exception")
        await asyncio.to_thread(put, index=target, settings={block: None})
        assert (await append(store, write, 50)).bare == ()

    assert "blocks" in hint


async def _put_settings(place: Place, settings: dict[str, Any]) -> None:
    await asyncio.to_thread(place.client.cluster.put_settings, persistent=settings)
