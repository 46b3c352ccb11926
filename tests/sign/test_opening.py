"""When a signer starts, and when it refuses to because it might sign a number twice."""

import asyncio
import shutil
from dataclasses import replace

import pytest

from beats_signer.chain.records import FoundRecord
from beats_signer.chain.seal import SealRecord
from beats_signer.errors import ForkError
from tests.fakes.faulty import Delay, FaultyStore
from tests.sign.lives import chain_of, die_when, die_with_a_window, live, refused, start
from tests.sign.raising import raising
from tests.sign.senders import Sender
from tests.sign.watched import WatchedStore
from tests.sign.world import SIGNER, World


async def test_a_signer_goes_on_where_it_stopped(world: World) -> None:
    sender = Sender(world)
    await live(world, sender)
    await live(world, sender)
    assert world.events() == sender.sent
    assert world.verify()[chain_of(world)[0]].entries == 4


async def test_a_signer_goes_on_after_many_crashes(world: World) -> None:
    sender = Sender(world)
    for _ in range(5):
        async with world.running() as signer:
            sender.connect(signer)
            sender.send()
            await sender.take_acks()
    await live(world, sender)
    assert world.events() == sender.sent
    world.verify()


async def test_a_signer_waits_for_a_store_that_does_not_answer(world: World) -> None:
    class Away(FaultyStore):
        refusals = 3

        async def chains(self, signer: str) -> dict[str, bytes]:
            self.unreachable = self.refusals > 0
            self.refusals -= 1
            return await super().chains(signer)

    world.store = WatchedStore(Away(world.memory))
    await live(world, Sender(world))
    assert world.messages().count("the store does not answer") == 3


async def test_a_restored_backup_is_refused(world: World) -> None:
    sender = Sender(world)
    await live(world, sender)
    backup = world.copy_state("backup")
    await live(world, sender)

    caught = await refused(world, backup)

    assert str(caught).startswith(f"the store has seals of {SIGNER} beyond number 4")
    assert "Go back to the original state directory" in caught.hint


async def test_a_backup_of_the_journal_alone_is_refused(world: World) -> None:
    sender = Sender(world)
    await live(world, sender)
    journal = (world.state / "journal.db").read_bytes()
    await die_when(world, "catalogue 5")
    for path in world.state.glob("journal.db*"):
        path.unlink()
    (world.state / "journal.db").write_bytes(journal)
    (world.state / "journal.db").chmod(0o600)

    world.script({})
    caught = await refused(world)

    assert "the keys do not fit the journal: seal 5 is next" in str(caught)


async def test_a_clone_that_runs_after_the_original_went_on_is_refused(
    world: World,
) -> None:
    sender = Sender(world)
    await live(world, sender)
    clone = world.copy_state("clone")
    async with world.running() as original:
        sender.connect(original)
        sender.send()
        await sender.take_acks()
        caught = await refused(world, clone)
        sender.send()
        await sender.take_acks()
        await original.stop()

    assert "beyond number" in str(caught)
    assert world.events() == sender.sent
    world.verify()


async def test_of_an_original_and_a_clone_that_start_at_once_one_ends(
    world: World,
) -> None:
    await live(world, Sender(world))
    clone = world.copy_state("clone")
    start = Delay()
    world.script({"catalogue 5": [start]})
    other = Sender(world, "10.0.0.2")
    with raising(ForkError) as caught:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(live(world, Sender(world)))
            await start.arrived.wait()
            world.clock.advance(1)
            async with world.running(state=clone, store=world.memory) as signer:
                other.connect(signer)
                other.send()
                await other.take_acks()
                await signer.stop()
            start.released.set()

    assert "the catalogue cannot go on: another seal stands under number 5" in str(
        caught
    )
    assert "Two processes signed as this signer" in caught.hint
    assert world.events()[-2:] == other.sent
    world.verify()


async def test_an_empty_state_directory_beside_a_store_with_chains_is_refused(
    world: World,
) -> None:
    await live(world, Sender(world))
    world.initialise(world.folder / "new")

    caught = await refused(world, world.folder / "new")

    assert str(caught) == (
        f"the store has the chain {SIGNER}, the journal in {world.folder / 'new'} "
        "does not"
    )
    assert "The catalogue cannot be replaced" in caught.hint


async def test_the_state_directory_of_another_signer_is_refused(world: World) -> None:
    world.initialise(world.folder / "other", "audit-2")
    caught = await refused(world, world.folder / "other")
    assert f"not the state directory of the signer {SIGNER}" in str(caught)
    assert "The name of a signer cannot be changed" in caught.hint


async def test_another_identity_key_is_refused(world: World) -> None:
    world.initialise(world.folder / "other", "audit-2")
    shutil.copy(world.folder / "other" / "identity.pem", world.state)
    caught = await refused(world)
    assert "it is not the identity key that the catalogue names" in str(caught)


@pytest.mark.parametrize("part", [".", "keys", "identity.pem", "journal.db"])
async def test_a_state_directory_that_others_may_read_is_refused(
    world: World, part: str
) -> None:
    path = world.state / part
    path.chmod(path.stat().st_mode | 0o044)
    caught = await refused(world)
    assert "so that others may have read it" in str(caught)
    assert "chmod" in caught.hint


@pytest.mark.parametrize("part", ["identity.pem", "journal.db", "keys"])
async def test_a_state_directory_that_lacks_a_part_is_refused(
    world: World, part: str
) -> None:
    path = world.state / part
    path.rename(world.folder / "away")
    caught = await refused(world)
    assert str(caught).startswith(f"{path}: No such file")


async def test_a_refused_start_leaves_the_lock_free(world: World) -> None:
    (world.state / "identity.pem").write_text("no key")
    await refused(world)
    caught = await refused(world)
    assert "the identity key cannot be read" in str(caught)


async def test_a_store_that_lost_the_last_seal_is_refused(world: World) -> None:
    await live(world, Sender(world))
    origin, chain = chain_of(world)
    del world.memory.writes[chain][1]

    caught = await refused(world)

    assert str(caught) == (
        f"the store has lost seal 1 of {origin}, which it had confirmed"
    )
    assert f"serve --found {origin}" in caught.hint


async def test_a_store_that_lost_everything_is_refused(world: World) -> None:
    await live(world, Sender(world))
    world.memory.writes.clear()
    caught = await refused(world)
    assert f"the store has lost seal 4 of {SIGNER}" in str(caught)


@pytest.mark.parametrize("part", ["note", "body", "leaves"])
async def test_a_store_that_changed_the_last_seal_is_refused(
    world: World, part: str
) -> None:
    await live(world, Sender(world))
    origin, chain = chain_of(world)
    write = world.memory.writes[chain][1]
    record = write.record
    changed = {
        "note": SealRecord(record.note + " ", record.body, record.leaves),
        "body": SealRecord(record.note, record.body + " ", record.leaves),
        "leaves": SealRecord(record.note, record.body, record.leaves[::-1]),
    }[part]
    world.memory.writes[chain][1] = replace(write, record=changed)

    caught = await refused(world)

    assert f"seal 1 of {origin} in the store is not the one in the journal" in str(
        caught
    )


async def test_a_journal_that_is_ahead_of_the_store_goes_on(world: World) -> None:
    world.pace(max_entries=2)
    never = Delay()
    world.script({"generic 1": [never], "generic 2": [Delay()], "generic 3": [Delay()]})
    sender = Sender(world)
    async with world.running() as signer:
        sender.connect(signer)
        for _ in range(3):
            sender.send()
        await never.arrived.wait()

    world.script({})
    await live(world, sender)
    assert sorted(world.events()) == sorted(sender.sent)
    world.verify()


async def test_another_seal_in_the_store_for_one_that_is_on_its_way_is_refused(
    world: World,
) -> None:
    sender = Sender(world)
    await die_with_a_window(world, sender, "generic 1")
    origin, chain = chain_of(world)
    foreign = world.memory.writes[chain][0]
    world.memory.writes[chain][1] = foreign

    caught = await refused(world)
    assert f"seal 1 of {origin} in the store is not the one in the journal" in str(
        caught
    )


async def test_a_key_file_of_a_chain_that_never_came_to_be_is_erased(
    world: World,
) -> None:
    orphan = world.state / "keys" / f"{'ab' * 32}.key"
    shutil.copy(next((world.state / "keys").iterdir()), orphan)
    await live(world, Sender(world))
    assert not orphan.exists()


async def test_a_refused_start_erases_no_key(world: World) -> None:
    await live(world, Sender(world))
    orphan = world.state / "keys" / f"{'ab' * 32}.key"
    shutil.copy(next((world.state / "keys").iterdir()), orphan)
    world.memory.writes.clear()
    await refused(world)
    assert orphan.exists()


async def test_a_chain_of_which_the_store_has_nothing_yet_is_no_reason_to_refuse(
    world: World,
) -> None:
    never = Delay()
    world.script({"generic 0": [never], "generic 1": [never]})
    sender = Sender(world)
    async with world.running() as signer:
        sender.connect(signer)
        sender.send()
        await never.arrived.wait()
    assert world.origins() == []

    world.script({})
    await live(world, sender)
    assert world.events() == sender.sent
    world.verify()


async def test_a_founding_is_recorded_once_whatever_ends_the_process(
    world: World,
) -> None:
    sender = Sender(world)
    await die_with_a_window(world, sender, "catalogue 2")

    await live(world, sender)
    records = [one for one in world.records() if isinstance(one, FoundRecord)]
    assert len(records) == 1
    world.verify()


async def test_nothing_of_a_chain_is_sent_before_its_founding_is_confirmed_at_last(
    world: World,
) -> None:
    # The founding is journaled, and that is where it stays.
    await die_with_a_window(world, Sender(world), "catalogue 2")

    late = Delay()
    world.script({"catalogue 2": [late]})
    starting = asyncio.create_task(start(world, None))
    await late.arrived.wait()
    await asyncio.wait([starting], timeout=0.2)
    assert {origin for origin, _ in world.store.sent} == {SIGNER}

    late.released.set()
    await world.store.until(lambda: len(world.origins()) == 1)
    starting.cancel()
    await asyncio.wait([starting])
    world.verify()
