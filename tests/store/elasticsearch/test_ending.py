"""Chains that are closed, and identities that are replaced, over Elasticsearch."""

import asyncio
from pathlib import Path

import pytest

from tests.elasticsearch.fake import Fake
from tests.elasticsearch.faults import Fault
from tests.store.chains import Chain
from tests.store.elasticsearch.conftest import Place
from tests.store.elasticsearch.test_signing import name, said, signing, window
from tests.store.elasticsearch.test_source_live import trust_of, verify, wrong

__all__ = ["name"]


def origins(place: Place, signer: str) -> list[str]:
    """Return the chains of a signer, as their last heads name them."""
    return list(dict.fromkeys(one.origin for one in said(place, signer)))


async def test_a_closed_chain_and_the_next_one_verify(
    place: Place, tmp_path: Path, name: str
) -> None:
    state = tmp_path / "state"
    async with signing(state, place, name) as signer:
        await signer.append(window(1, b'{"n":1}'))
        await signer.stop()
    (old,) = origins(place, name)
    async with signing(state, place, name) as signer:
        head = await signer.close_chain(old)
        await signer.stop()
    async with signing(state, place, name) as signer:
        await signer.append(window(1, b'{"n":2}', connection="c-2"))
        await signer.stop()

    assert head.closed
    report = await asyncio.to_thread(
        lambda: verify(place, trust_of(place, name), delay=0)
    )
    assert wrong(report) == []
    assert sorted(chain.entries for chain in report.chains) == [1, 1]
    assert [one.size for one in said(place, name)] == [2, 3, 2]


async def test_a_replaced_identity_verifies(
    place: Place, tmp_path: Path, name: str
) -> None:
    state = tmp_path / "state"
    async with signing(state, place, name) as signer:
        identity = await signer.rotate_identity()
        await signer.stop()
    async with signing(state, place, name) as signer:
        await signer.append(window(1, b'{"n":1}'))
        await signer.stop()

    report = await asyncio.to_thread(
        lambda: verify(place, trust_of(place, name), delay=0)
    )
    assert wrong(report) == []
    assert report.identity == identity != trust_of(place, name).identity


@pytest.mark.parametrize("applied", [0, None])
async def test_a_close_that_got_no_answer_is_finished_by_the_next_start(
    fake: Fake, tmp_path: Path, applied: int | None
) -> None:
    state = tmp_path / "state"
    with fake.access.connect() as client:
        place = Place(fake.access, client, Chain("closed"), "logs-closed-acme")
        async with signing(state, place, "signer-1") as signer:
            await signer.append(window(1, b'{"n":0}'))
            await signer.stop()
        (origin,) = origins(place, "signer-1")
        async with signing(state, place, "signer-1") as signer:
            before = fake.count("bulk")
            fake.fail(Fault.timed_out(applied))
            closing = asyncio.create_task(signer.close_chain(origin))
            await asyncio.to_thread(fake.wait_for, "bulk", before + 1)
            assert not closing.done()
            closing.cancel()
        fake.mend()
        async with signing(state, place, "signer-1") as signer:
            await signer.stop()
        report = await asyncio.to_thread(
            lambda: verify(place, trust_of(place, "signer-1"), delay=0)
        )

        assert wrong(report) == []
        assert said(place, "signer-1")[-1].size == 3
        assert len(list((state / "keys").iterdir())) == 1
