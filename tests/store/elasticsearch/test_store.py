"""Appending to Elasticsearch: what is stored, where, and how often."""

import pytest

from tests.elasticsearch.fake import Fake
from tests.elasticsearch.faults import Fault
from tests.store.chains import Chain
from tests.store.elasticsearch.rooms import opened, to_write


async def test_what_append_returned_for_is_stored_under_its_names(fake: Fake) -> None:
    chain = Chain()
    sealed = chain.events([b'{"message":"one"}', b'{"message":"two"}'])
    async with opened(fake) as store:
        appended = await store.append(to_write(store, chain.founding))
        await store.append(to_write(store, sealed))

    assert appended.bare == ()
    stored = fake.documents("logs-*")
    assert sorted(one["message"] for one in stored.values()) == ["one", "two"]
    assert len(fake.documents("beats-signer-seals-*")) == 2
    assert fake.count("bulk") == 2
    assert fake.count("get") == 0


async def test_a_write_that_is_repeated_is_stored_once(fake: Fake) -> None:
    sealed = Chain().events([b'{"message":"one"}', b'{"message":"two"}'])
    for _ in range(2):
        async with opened(fake) as store:
            await store.append(to_write(store, sealed))

    assert len(fake.documents("logs-*")) == 2
    assert fake.count("bulk") == 2
    assert fake.count("get") == 1


@pytest.mark.parametrize("count", [1, 2, 3])
async def test_the_highest_seal_is_found_without_the_right_to_refresh(
    fake: Fake, count: int
) -> None:
    chain = Chain()
    seals = [chain.founding, *(chain.events([b"{}"]) for _ in range(count - 1))]
    fake.fail(Fault.refused(403, "security_exception"), times=None, on="refresh")
    async with opened(fake) as store:
        for sealed in seals:
            await store.append(to_write(store, sealed))

        assert await store.highest(chain.id) == count - 1
