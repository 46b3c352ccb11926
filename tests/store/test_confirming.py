"""The benchmark's store confirms at once and remembers where chains end."""

import pytest

from beats_signer.store import ConfirmingStore, Sealed
from tests.store.chains import SIGNER, Chain, to_write


@pytest.fixture
def seals() -> list[Sealed]:
    chain = Chain()
    return [chain.founding, chain.events([b"1"]), chain.events([b"2"])]


async def test_the_newest_seal_is_remembered_in_whatever_order_they_come(
    seals: list[Sealed],
) -> None:
    store = ConfirmingStore()
    await store.open()
    for sealed in (seals[0], seals[2], seals[1]):
        await store.append(to_write(sealed))
    await store.publish_checkpoint(SIGNER, "note")

    assert await store.highest(seals[0].chain) == 2
    assert await store.seal(seals[0].chain, 2) == seals[2].record
    assert await store.chains(SIGNER) == {seals[0].seal.origin: seals[0].chain}
    await store.close()


async def test_nothing_older_is_kept(seals: list[Sealed]) -> None:
    store = ConfirmingStore()
    for sealed in seals:
        await store.append(to_write(sealed))

    assert await store.seal(seals[0].chain, 1) is None
    assert await store.highest(b"another chain") is None
    assert await store.chains("another signer") == {}


def test_it_encodes_what_the_archive_encodes(seals: list[Sealed]) -> None:
    assert ConfirmingStore().encode(seals[1]) == to_write(seals[1]).body
