"""``serve --found``: a damaged chain gets a successor, the catalogue never does."""

import sqlite3
from collections.abc import Callable
from contextlib import closing

import pytest

from beats_signer.chain.body import Found
from beats_signer.chain.records import HeadRecord
from tests.sign.lives import chain_of, die_when, die_with_a_window, live, refused
from tests.sign.senders import Sender
from tests.sign.world import SIGNER, World


def tamper(world: World, statement: str, *values: object) -> None:
    """Change the journal behind the signer's back."""
    with closing(sqlite3.connect(world.state / "journal.db")) as database, database:
        database.execute(statement, values)


def found_in(world: World, origin: str) -> Found:
    (founding, *_) = [
        write.record
        for writes in world.memory.writes.values()
        for write in writes.values()
        if write.seal.origin == origin and write.seal.number == 0
    ]
    return Found.parse(founding.body)


def damage_key_file(world: World, chain: bytes) -> None:
    (world.state / "keys" / f"{chain.hex()}.key").write_bytes(b"damaged")


def drop_key_file(world: World, chain: bytes) -> None:
    (world.state / "keys" / f"{chain.hex()}.key").unlink()


def forget_chain(world: World, chain: bytes) -> None:
    for table in ("chains", "seals", "writes", "windows"):
        tamper(world, f"DELETE FROM {table} WHERE chain = ?", chain)


@pytest.mark.parametrize("damage", [damage_key_file, drop_key_file, forget_chain])
async def test_a_damaged_chain_is_refused_and_gets_a_successor_that_names_it(
    world: World, damage: Callable[[World, bytes], None]
) -> None:
    sender = Sender(world)
    await live(world, sender)
    old, chain = chain_of(world)
    damage(world, chain)

    caught = await refused(world)
    assert f"'beats-signer serve --found {old}'" in caught.hint

    async with world.running(old) as signer:
        sender.connect(signer)
        sender.send()
        await sender.take_acks()
        await signer.stop()
    (new,) = set(world.origins()) - {old}

    predecessor = found_in(world, new).predecessor
    last = world.seals(old)[-1]
    assert predecessor is not None
    assert predecessor.origin == old
    assert predecessor.chain == chain
    assert (predecessor.number, predecessor.hash) == (last.number, last.hash())
    assert world.payloads(old) + world.payloads(new) == sender.sent
    assert not (world.state / "keys" / f"{chain.hex()}.key").exists()
    world.verify(discontinuities=1)

    await live(world, sender)  # without --found again
    assert world.payloads(old) + world.payloads(new) == sender.sent
    world.verify(discontinuities=1)


async def test_a_chain_that_went_on_in_another_one_unnoticed_can_be_replaced(
    world: World,
) -> None:
    sender = Sender(world)
    await live(world, sender)
    old, chain = chain_of(world)
    forget_chain(world, chain)
    hidden = world.memory.writes.pop(chain)
    world.clock.advance(60)
    await live(world, sender)
    second, _ = chain_of(world)
    world.memory.writes[chain] = hidden

    caught = await refused(world)
    assert f"--found {old}" in caught.hint
    world.clock.advance(60)
    async with world.running(old) as signer:
        sender.connect(signer)
        sender.send()
        await sender.take_acks()
        await signer.stop()
    await live(world, sender)

    (third,) = set(world.origins()) - {old, second}
    assert [len(world.payloads(one)) for one in (old, second, third)] == [2, 2, 4]
    assert len(list((world.state / "keys").iterdir())) == 2
    world.verify(discontinuities=1)


async def test_the_origin_of_a_successor_is_new_whatever_the_clock_says(
    world: World,
) -> None:
    await live(world, Sender(world))
    old, chain = chain_of(world)
    forget_chain(world, chain)
    async with world.running(old) as signer:
        await signer.stop()
    assert sorted(world.origins()) == [old, old.replace("090000Z", "090001Z")]


async def test_a_damaged_chain_is_stored_to_its_end_and_reported(world: World) -> None:
    sender = Sender(world)
    await die_with_a_window(world, sender, "generic 1")
    old, chain = chain_of(world)
    damage_key_file(world, chain)

    async with world.running(old) as signer:
        await world.store.until(lambda: (old, 1) in world.store.order)
        await signer.stop()

    assert world.payloads(old) == sender.sent
    heads = [one for one in world.records() if isinstance(one, HeadRecord)]
    assert (old, 2) in {(head.origin, head.size) for head in heads}
    world.verify(discontinuities=1)


async def test_a_chain_with_a_successor_is_not_replaced_again(world: World) -> None:
    await live(world, Sender(world))
    old, chain = chain_of(world)
    damage_key_file(world, chain)
    async with world.running(old) as signer:
        await signer.stop()

    caught = await refused(world, found=old)
    assert str(caught) == f"{old} has a successor already"
    assert caught.hint == "Start without --found."


async def test_a_crash_right_after_the_founding_of_a_successor_changes_nothing(
    world: World,
) -> None:
    sender = Sender(world)
    await live(world, sender)
    old, chain = chain_of(world)
    damage_key_file(world, chain)
    await die_when(world, "catalogue 6", found=old)
    await live(world, sender)

    (new,) = set(world.origins()) - {old}
    assert not (world.state / "keys" / f"{chain.hex()}.key").exists()
    assert world.payloads(old) + world.payloads(new) == sender.sent
    world.verify(discontinuities=1)


async def test_the_catalogue_is_never_replaced(world: World) -> None:
    await live(world, Sender(world))
    damage_key_file(world, world.trust.catalogue)

    without, asked = await refused(world), await refused(world, found=SIGNER)

    assert "the keys do not fit the journal" in str(without)
    assert str(asked) == f"{SIGNER} is the catalogue"
    assert "The catalogue cannot be replaced" in without.hint
    assert "The catalogue cannot be replaced" in asked.hint


async def test_a_chain_that_does_not_exist_is_not_replaced(world: World) -> None:
    await live(world, Sender(world))
    origin, _ = chain_of(world)
    caught = await refused(world, found=f"{SIGNER}/default/generic/20200101T000000Z")
    assert "there is no chain audit-1/default/generic/20200101T000000Z" in str(caught)
    assert origin in caught.hint
