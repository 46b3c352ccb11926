"""What every store promises, held by Elasticsearch; see ``tests/store/test_contract``.

A seal counts by its text. Other entries under a stored seal, and another chain of
an origin, get ids of their own here: the verifier finds them, not the store.
"""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from beats_signer.errors import ForkError
from beats_signer.store.contract import Sealed
from beats_signer.store.elasticsearch.blocking import BlockingClient
from beats_signer.store.elasticsearch.client import Client
from beats_signer.store.elasticsearch.read.questions import Asking
from beats_signer.store.elasticsearch.read.source import ElasticsearchSource
from tests.store.chains import SIGNER, Chain, Content, expected
from tests.store.chains import content as content_of
from tests.store.elasticsearch.conftest import Place
from tests.store.elasticsearch.rooms import append, opened, to_write

ODD = (b"", b"null", b"\xff\xfe\x00", b'{"a":1,"a":2}', b"\n\r\n", b"x" * 300_000)


async def stored(place: Place, *seals: Sealed) -> None:
    """Append in a store of its own, as a signer that starts and ends."""
    async with opened(place.access) as store:
        for sealed in seals:
            await append(store, to_write(store, sealed))


@contextmanager
def reading(place: Place) -> Iterator[ElasticsearchSource]:
    place.client.indices.refresh(index="*", expand_wildcards=["open", "hidden"])
    client = BlockingClient(Client(place.access.url))
    source = ElasticsearchSource(
        Asking(client, place.access.url), SIGNER, now=time.time_ns()
    )
    try:
        yield source
    finally:
        source.close()


def content(place: Place, chain: Chain, first_seal: int = 0) -> list[Content]:
    with reading(place) as source:
        return content_of(source, chain.origin, first_seal)


async def test_what_append_returned_for_is_there_after_reopening(place: Place) -> None:
    chain = place.chain
    seals = [chain.founding, chain.events([b"1", b"2"]), chain.events([b"3"])]
    await stored(place, *seals)

    assert await asyncio.to_thread(content, place, chain) == expected(*seals)


async def test_a_write_that_is_repeated_is_stored_once(place: Place) -> None:
    chain = place.chain
    seals = [chain.founding, chain.events([b"1", b"2"])]
    await stored(place, *seals, *seals)
    await stored(place, *seals)

    assert await asyncio.to_thread(content, place, chain) == expected(*seals)


async def test_another_seal_under_the_same_number_is_a_fork(place: Place) -> None:
    chain = place.chain
    seals = [chain.founding, chain.events([b"1"])]
    await stored(place, *seals)
    note = seals[1].record.note
    other = replace(seals[1].record, note=note.replace("root ", "root A", 1))

    with pytest.raises(ForkError, match="another seal stands under number 1 of"):
        await stored(place, replace(seals[1], record=other))
    assert await asyncio.to_thread(content, place, chain) == expected(*seals)


async def test_writes_may_arrive_out_of_order_and_together(place: Place) -> None:
    chain = place.chain
    seals = [chain.founding, *(chain.events([b"%d" % n] * 3) for n in range(8))]
    async with opened(place.access) as store:
        await asyncio.gather(
            *(append(store, to_write(store, one)) for one in reversed(seals))
        )

    assert await asyncio.to_thread(content, place, chain) == expected(*seals)


async def test_a_store_answers_for_the_chains_that_it_holds(place: Place) -> None:
    chain = place.chain
    sealed = chain.events([b"1"])
    await stored(place, chain.founding, sealed)
    async with opened(place.access) as store:
        assert (await store.chains(SIGNER))[chain.origin] == chain.id
        assert await store.highest(chain.id) == 1
        assert await store.seal(chain.id, 1) == sealed.record


async def test_a_store_knows_nothing_of_what_was_never_stored(place: Place) -> None:
    stranger = Chain("never", twin=place.target)
    await stored(place, place.chain.founding)
    async with opened(place.access) as store:
        assert await store.chains("signer-2.example.com") == {}
        assert await store.highest(stranger.id) is None
        assert await store.seal(stranger.id, 1) is None
    with reading(place) as source:
        assert list(source.read("signer-1.example.com/acme/no/20261123T090000Z")) == []


async def test_a_chain_of_seals_without_entries_reads_as_such(place: Place) -> None:
    chain = place.chain
    seals = [chain.founding, chain.config(), chain.events([b"1"]), chain.config()]
    await stored(place, *seals)

    assert await asyncio.to_thread(content, place, chain) == expected(*seals)


@pytest.mark.parametrize("erasable", [False, True])
async def test_payloads_forms_and_salts_come_back_byte_for_byte(
    place: Place, erasable: bool
) -> None:
    chain = Chain(place.chain.origin.split("/")[2], erasable=erasable)
    pairs = b"\x00\x00\x00\x01\x00\x00\x00\x01a\x00\x00\x00\x01b"
    odd = (*ODD[:3], pairs, *ODD[4:])
    seals = [chain.founding, chain.events(odd, b"JJLDLJ"), chain.events([b"7"], b"L")]
    await stored(place, *seals)

    assert await asyncio.to_thread(content, place, chain) == expected(*seals)


@pytest.mark.filterwarnings("ignore:Sending a large body directly")
async def test_the_largest_seal_is_stored_whole(place: Place) -> None:
    chain = place.chain
    seals = [chain.founding, chain.events([b"%d" % n for n in range(65_536)])]
    async with opened(place.access, timeout_seconds=90) as store:
        for sealed in seals:
            await append(store, to_write(store, sealed))

    assert await asyncio.to_thread(content, place, chain) == expected(*seals)


async def test_reading_on_from_a_number_follows_a_chain_that_grows(
    place: Place,
) -> None:
    chain = place.chain
    early = [chain.founding, chain.events([b"1", b"2"])]
    late = [chain.config(), chain.events([b"3"])]
    await stored(place, *early)

    assert await asyncio.to_thread(content, place, chain, 2) == []
    await stored(place, *late)
    assert await asyncio.to_thread(content, place, chain, 2) == expected(*late)


async def test_the_newest_checkpoint_is_the_one_to_read(place: Place) -> None:
    async with opened(place.access) as store:
        await store.publish_checkpoint("signer-2.example.com", "of another")
        await store.publish_checkpoint(SIGNER, "first")
        await store.publish_checkpoint(SIGNER, "second")
    with reading(place) as source:
        assert source.checkpoint() == "second"


async def test_closing_twice_is_closing_once(place: Place) -> None:
    async with opened(place.access) as store:
        await store.close()
        await store.close()
