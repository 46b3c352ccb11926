"""Appending to the fake server and to a real one, with the same outcome."""

import asyncio
import base64
from dataclasses import replace

import pytest

from beats_signer.chain.merkle import leaf_hash
from beats_signer.errors import ForkError, RefusedError
from beats_signer.store.contract import Destination, Sealed
from beats_signer.store.elasticsearch.client import Client
from beats_signer.store.elasticsearch.places import id_of
from beats_signer.store.elasticsearch.write.body import split_body
from beats_signer.store.elasticsearch.write.outcomes import FILTER_PATH
from tests.elasticsearch.asking import put_pipeline
from tests.store.chains import Chain
from tests.store.elasticsearch.conftest import Place
from tests.store.elasticsearch.rooms import append, opened, to_write

ODD = [
    b"",
    b"null",
    b'{"a":1,"a":2}',
    b'{"a":\r\n1}\n',
    b'{"beats_signer":{"index":7}}',
    b'\xef\xbb\xbf{"a":1}',
    b"\xff\xfe\x00",
    b'{"n":1e999}',
    b'{"n":1.00}',
    b'{"s":"\\ud83d\\ude00\\u0000\\u2028"}',
    '{"s":"\u2028\U0001f600"}'.encode(),
    b'{"@timestamp":"2026-11-31T00:00:00Z"}',
    b'{"@timestamp":"?"}',
    b'{"":1}',
    b'{".":1}',
    b'{"d":' + b'{"d":' * 30 + b"1" + b"}" * 31,
    b'{"l":' + b"[" * 5000 + b"]" * 5000 + b"}",
    b'{"x":"' + b"x" * 100_000 + b'"}',
]


def names(sealed: Sealed) -> list[str]:
    first, leaves = sealed.seal.first, sealed.record.leaves
    return [
        id_of(sealed.chain, first + n, leaves[n * 32 : n * 32 + 32])
        for n in range(sealed.seal.count)
    ]


async def stored(place: Place, *writes: Sealed) -> list[tuple[int, ...]]:
    async with opened(place.access) as store:
        return [
            (await append(store, to_write(store, sealed), 3)).bare for sealed in writes
        ]


async def test_events_and_seal_are_there_once_however_often_they_are_sent(
    place: Place,
) -> None:
    chain = place.chain
    sealed = chain.events([b'{"n":1}', b'{"n":2}'])
    assert await stored(place, chain.founding, sealed) == [(), ()]
    assert await stored(place, chain.founding, sealed) == [(), ()]

    documents = place.documents()
    assert list(documents) == names(sealed)
    assert [one["n"] for one in documents.values()] == [1, 2]


async def test_all_created_is_answered_as_one_text(place: Place) -> None:
    """The quick judging depends on it: a longer way is right, and slower."""
    client = Client(place.access.url)
    async with opened(place.access) as store:
        (part,) = split_body(store.encode(place.chain.events([b"{}", b"{}"])))
    answer = await client.bulk(part.data, filter_path=FILTER_PATH)
    await client.close()

    item = b'{"create":{"result":"created","status":201}}'
    assert answer.data == b'{"errors":false,"items":[%b]}' % b",".join([item] * 3)


async def test_every_payload_is_stored_with_its_leaf(place: Place) -> None:
    sealed = place.chain.events(ODD)
    await stored(place, sealed)

    documents = place.documents()
    leaves = []
    for name in names(sealed):
        signed = documents[name]["beats_signer"]
        payload = signed.get("payload")
        data = _raw(signed) if payload is None else payload.encode()
        leaves.append(leaf_hash(signed["form"].encode(), data))
    assert b"".join(leaves) == sealed.record.leaves
    assert await stored(place, sealed) == await stored(place, sealed)


async def test_a_mapping_that_does_not_fit_leaves_a_bare_document(
    place: Place,
) -> None:
    fits = place.chain.events([b'{"n":{"deep":1}}'])
    does_not = place.chain.events([b'{"n":7}', b'{"n":{"deep":2}}'])

    assert await stored(place, fits, does_not) == [(), (1,)]
    assert await stored(place, does_not) == [(1,)]
    bare = place.documents()[names(does_not)[0]]
    assert bare["tags"] == ["_beats_signer_bare"]
    assert bare["error"]["type"] == "document_parsing_exception"
    assert bare["beats_signer"]["payload"] == '{"n":7}'


async def test_no_error_of_an_event_can_keep_its_bare_document_out(
    place: Place,
) -> None:
    """Here its sender has seen to it that no document may have an error or tags."""
    hostile = b'{"error":"text","tags":{"a":1},"n":{"deep":1}}'
    first = place.chain.events([hostile])
    second = place.chain.events([b'{"n":7}'])

    assert await stored(place, first, second) == [(), (1,)]
    assert place.documents()[names(second)[0]].keys() == {"@timestamp", "beats_signer"}
    assert await stored(place, second) == [(1,)]


@pytest.mark.parametrize("processor", ["drop", "fail", "remove"])
async def test_a_pipeline_that_takes_an_event_away_leaves_a_bare_document(
    place: Place, processor: str
) -> None:
    configs = {"fail": {"message": "never"}, "remove": {"field": "gone"}, "drop": {}}
    put_pipeline(place.client, place.target, {processor: configs[processor]})
    through = Destination(place.target, place.target)
    sealed = replace(
        place.chain.events([b'{"n":1}', b'{"n":2}']), destinations=[None, through]
    )

    assert await stored(place, sealed) == [(1,)]
    assert place.documents()[names(sealed)[1]]["tags"] == ["_beats_signer_bare"]


async def test_a_failure_store_keeps_nothing_from_us(place: Place) -> None:
    target = f"{place.target}-fs"
    place.client.perform_request(
        "PUT",
        f"/_index_template/{target}",
        headers={"content-type": "application/json", "accept": "application/json"},
        body={
            "index_patterns": [target],
            "data_stream": {},
            "priority": 600,
            "template": {"data_stream_options": {"failure_store": {"enabled": True}}},
        },
    )
    there = Destination(target)
    chain = place.chain
    fits = replace(chain.events([b'{"n":{"deep":1}}']), destinations=[there])
    does_not = replace(chain.events([b'{"n":7}']), destinations=[there])

    assert await stored(place, fits, does_not) == [(), (1,)]
    assert await stored(place, does_not) == [(1,)]
    place.client.indices.refresh(index=target)
    found = place.client.search(
        index=target, query={"ids": {"values": names(does_not)}}
    )
    assert found["hits"]["total"]["value"] == 1


async def test_a_pipeline_that_does_not_exist_is_left_out(place: Place) -> None:
    nowhere = Destination(place.target, "no-such-pipeline")
    sealed = replace(
        place.chain.events([b'{"n":1}', b'{"n":2}']), destinations=[None, nowhere]
    )

    assert await stored(place, sealed) == [()]
    document = place.documents()[names(sealed)[1]]
    assert (document["n"], document["tags"]) == (2, ["_beats_signer_no_pipeline"])


@pytest.mark.parametrize("name", ["no/such", "UPPER", ".bad*"])
async def test_a_name_that_cannot_be_one_goes_to_the_default_place(
    place: Place, name: str
) -> None:
    chosen = Destination(name, is_chosen_by_sender=True)
    sealed = replace(place.chain.events([b'{"n":1}']), destinations=[chosen])

    assert await stored(place, sealed) == [()]
    (document,) = place.documents().values()
    assert (document["n"], document["tags"]) == (1, ["_beats_signer_no_place"])


async def test_an_index_that_is_blocked_or_closed_is_waited_for(place: Place) -> None:
    target = f"{place.target}-plain"
    place.client.indices.create(index=target)
    there = Destination(target)
    sealed = replace(place.chain.events([b'{"n":1}']), destinations=[there])
    async with opened(place.access) as store:
        write = to_write(store, sealed)
        await asyncio.to_thread(
            place.client.indices.put_settings,
            index=target,
            settings={"index.blocks.write": True},
        )
        with pytest.raises(RefusedError, match="cluster_block_exception"):
            await store.append(write)
        await asyncio.to_thread(
            place.client.indices.put_settings,
            index=target,
            settings={"index.blocks.write": False},
        )
        await asyncio.to_thread(place.client.indices.close, index=target)
        with pytest.raises(RefusedError, match="index_closed_exception"):
            await store.append(write)
        await asyncio.to_thread(place.client.indices.open, index=target)
        assert (await append(store, write, 50)).bare == ()


async def test_after_a_rollover_a_repeated_write_is_a_second_copy(
    place: Place,
) -> None:
    sealed = place.chain.events([b'{"n":1}'])
    await stored(place, sealed)
    place.client.indices.rollover(alias=place.target)

    assert await stored(place, sealed) == [()]
    place.client.indices.refresh(index=place.target)
    found = place.client.search(index=place.target)
    assert [hit["_id"] for hit in found["hits"]["hits"]] == names(sealed) * 2


async def test_another_seal_under_our_number_is_a_fork(place: Place) -> None:
    stream = place.chain.origin.split("/")[2]
    twin = replace(Chain(stream, twin="b").events([b"{}"]), chain=place.chain.id)
    await stored(place, place.chain.events([b"{}"]))
    async with opened(place.access) as store:
        with pytest.raises(ForkError):
            await append(store, to_write(store, twin))


async def test_what_was_stored_is_seen_at_once(place: Place) -> None:
    chain = place.chain
    seals = [chain.founding, *(chain.events([b"{}"]) for _ in range(3))]
    async with opened(place.access) as store:
        assert await store.highest(chain.id) is None
        assert await store.seal(chain.id, 0) is None
        for number, sealed in enumerate(seals):
            await store.append(to_write(store, sealed))
            assert await store.highest(chain.id) == number
            assert await store.seal(chain.id, number) == sealed.record
        found = await store.chains("signer-1.example.com")
        assert await store.seal(chain.id, 4) is None

    assert found[chain.origin] == chain.id


async def test_seals_of_two_months_are_one_chain(place: Place) -> None:
    december = 1_796_083_200_000_000_000
    chain = place.chain
    seals = [chain.founding, *(chain.events([b"{}"]) for _ in range(3))]
    seals[2:] = [replace(s, seal=replace(s.seal, time=december)) for s in seals[2:]]
    for _ in range(2):
        await stored(place, *seals)

    async with opened(place.access) as store:
        assert await store.highest(chain.id) == 3
        found = [await store.seal(chain.id, number) for number in range(4)]
        assert chain.origin not in await store.chains("signer-2.example.com")
    assert found == [sealed.record for sealed in seals]
    query = {"term": {"chain": chain.id.hex()[:32]}}
    counts = [
        place.client.count(index=f"beats-signer-seals-2026.{month}", query=query)
        for month in (11, 12)
    ]
    assert [one["count"] for one in counts] == [2, 2]


async def test_the_newest_checkpoint_takes_the_place_of_the_one_before(
    place: Place,
) -> None:
    signer = f"{place.target}/eu"
    async with opened(place.access) as store:
        await store.publish_checkpoint(signer, "one")
        await store.publish_checkpoint(signer, "two")
    found = place.client.get(index="beats-signer-checkpoints", id=signer)

    assert found["_source"] == {"signer": signer, "note": "two"}


def _raw(signed: dict[str, str]) -> bytes:
    return base64.b64decode(signed["payload_base64"])
