"""Another identity key takes the place of the one in force, whatever goes wrong."""

import asyncio
import re
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from beats_signer.chain.body import ConfigBody, Found
from beats_signer.chain.checkpoint import Checkpoint
from beats_signer.chain.errors import SignatureError
from beats_signer.chain.note import VerifierKey
from beats_signer.chain.seal import Kind
from beats_signer.errors import DurabilityError
from beats_signer.sign.journal import Journal
from beats_signer.sign.state import Identity, StateFolder
from tests.fakes.faulty import Delay
from tests.sign.faults import Crashed, Fault, Faults, mortal
from tests.sign.lives import live, refused
from tests.sign.senders import Sender
from tests.sign.world import SIGNER, World

ONLY = {Fault.TORN: r" write$", Fault.LOST: r"^(?!folder).* sync$"}
"""Steps that can have these faults; all others can happen at every step."""


async def rotate(world: World) -> VerifierKey:
    """Replace the identity as the command does."""
    async with world.running() as signer:
        identity = await signer.rotate_identity()
        await signer.stop()
    return identity


async def rotate_with(world: World, faults: Faults) -> None:
    async with mortal(world, faults) as signer:
        await signer.rotate_identity()
        await signer.stop()


def on_disk(world: World) -> VerifierKey:
    """Return the identity that is left in the state directory, the only one."""
    assert sorted(path.name for path in world.state.glob("identity*")) == [
        "identity.pem"
    ]
    return Identity.read(StateFolder(world.state), SIGNER).public


def named(world: World) -> list[VerifierKey]:
    """Return the identities that the catalogue names after its founding."""
    bodies = [
        ConfigBody.parse(body)
        for seal, body in world.sealed(SIGNER)
        if seal.kind is Kind.CONFIG
    ]
    return [one.identity for one in bodies if isinstance(one.identity, VerifierKey)]


def signers(world: World) -> list[tuple[int, bool]]:
    """Return size and signer of each checkpoint: whether it is the first identity."""
    found = []
    for note in world.store.checkpoints:
        try:
            size = Checkpoint.verify(note, world.trust.identity).size
        except SignatureError:
            found.append((int(note.split("\n")[1]), False))
        else:
            found.append((size, True))
    return found


def founders(world: World) -> set[str]:
    """Return the identities that founded the chains."""
    return {
        str(Found.parse(body).identity)
        for origin in world.origins()
        for seal, body in world.sealed(origin)
        if seal.number == 0
    }


async def test_the_catalogue_names_the_new_identity_and_the_old_one_is_erased(
    world: World,
) -> None:
    await live(world, Sender(world))

    identity = await rotate(world)

    assert named(world) == [identity] == [on_disk(world)]
    assert identity != world.trust.identity
    world.verify()


async def test_the_new_identity_signs_what_comes_after(world: World) -> None:
    identity = await rotate(world)
    await live(world, Sender(world))

    assert founders(world) == {str(identity)}
    newest = Checkpoint.verify(world.store.checkpoints[-1], identity)
    assert newest.size == len(world.seals(SIGNER))
    world.verify()


async def test_chains_of_the_old_identity_go_on(world: World) -> None:
    sender = Sender(world)
    await live(world, sender)
    await rotate(world)

    await live(world, sender)

    assert founders(world) == {str(world.trust.identity)}
    assert world.events() == sender.sent
    world.verify()


async def test_no_checkpoint_over_the_rotation_is_signed_by_the_old_identity(
    world: World,
) -> None:
    await live(world, Sender(world))
    await rotate(world)
    await live(world, Sender(world))

    (number,) = [
        seal.number for seal in world.seals(SIGNER) if seal.kind is Kind.CONFIG
    ]
    assert signers(world) == [(size, size <= number) for size, _ in signers(world)]
    assert {by for _, by in signers(world)} == {True, False}


async def test_a_sign_of_life_during_a_rotation_makes_no_checkpoint(
    world: World,
) -> None:
    config = Delay()
    world.script({"catalogue 2": [config]})
    async with world.running() as signer:
        rotating = asyncio.create_task(signer.rotate_identity())
        await config.arrived.wait()
        world.timer.advance(61)
        await world.store.until(lambda: (SIGNER, 3) in world.store.order)
        assert [size for size, _ in signers(world)] == [2]
        config.released.set()
        await rotating
        await signer.stop()

    assert signers(world)[:2] == [(2, True), (4, False)]
    world.verify()


async def test_an_identity_is_replaced_as_often_as_one_likes(world: World) -> None:
    first, second = await rotate(world), await rotate(world)
    await live(world, Sender(world))

    assert named(world) == [first, second]
    assert founders(world) == {str(second)}
    world.verify()


async def test_the_key_of_before_is_refused(world: World) -> None:
    kept = world.folder / "kept.pem"
    shutil.copy(world.state / "identity.pem", kept)
    await rotate(world)
    shutil.copy(kept, world.state / "identity.pem")

    caught = await refused(world)

    assert "it is not the identity key that the catalogue names" in str(caught)
    assert "Put the right file back" in caught.hint


async def test_two_keys_of_which_none_is_in_force_are_refused_and_kept(
    world: World,
) -> None:
    world.initialise(world.folder / "other", "audit-2")
    for name in ("identity.pem", "identity-next.pem"):
        shutil.copy(world.folder / "other" / "identity.pem", world.state / name)

    await refused(world)

    assert (world.state / "identity-next.pem").exists()


def test_a_rotation_that_a_crash_has_ended_is_no_fault_of_the_state(
    world: World,
) -> None:
    (world.state / "identity.pem").rename(world.state / "identity-next.pem")

    StateFolder(world.state).check_private()


async def test_a_next_key_that_others_may_read_is_refused(world: World) -> None:
    path = world.state / "identity-next.pem"
    shutil.copy(world.state / "identity.pem", path)
    path.chmod(0o644)

    assert "so that others may have read it" in str(await refused(world))


async def test_a_journal_of_version_2_has_the_identity_of_its_founding(
    world: World,
) -> None:
    await live(world, Sender(world))
    with closing(sqlite3.connect(world.state / "journal.db")) as database:
        database.executescript(
            "ALTER TABLE chains DROP COLUMN identity; PRAGMA user_version = 2;"
        )

    identity = await rotate(world)

    journal = Journal.open(world.state / "journal.db")
    catalogue, chain = journal.chains()
    journal.close()
    assert (catalogue.identity, chain.identity) == (str(identity), None)
    world.verify()


async def steps_of(folder: Path) -> list[str]:
    """Return the durable steps of a rotation without a fault."""
    world = World(folder)
    await live(world, Sender(world))
    faults = Faults(world)
    await rotate_with(world, faults)
    return faults.steps


def rows() -> Iterator[ParameterSet]:
    """Yield each durable step of a rotation with each fault that it can have."""
    with tempfile.TemporaryDirectory() as folder:
        steps = asyncio.run(steps_of(Path(folder)))
    for number, step in enumerate(steps, 1):
        for fault in Fault:
            if re.search(ONLY.get(fault, ""), step):
                # What a torn or lost write leaves is known by the step's name.
                which = step if fault in ONLY else number
                yield pytest.param(which, fault, id=f"{number} {step}: {fault.value}")


def test_each_step_of_a_rotation_is_among_the_faults() -> None:
    with tempfile.TemporaryDirectory() as folder:
        steps = asyncio.run(steps_of(Path(folder)))
    first = steps.index("identity write")
    assert steps[first : first + 4] == [
        "identity write",
        "identity sync",
        "folder state sync",
        "catalogue seal 6 journal",
    ]
    last = steps.index("identity.pem rename")
    assert steps[last - 4 : last + 2] == [
        "checkpoint 7",
        "erased file write",
        "erased file sync",
        "folder state sync",
        "identity.pem rename",
        "folder state sync",
    ]


@pytest.mark.parametrize(("step", "fault"), tuple(rows()))
async def test_whatever_goes_wrong_one_identity_is_in_force(
    world: World, step: str | int, fault: Fault
) -> None:
    sender = Sender(world)
    await live(world, sender)
    faults = Faults(world, step, fault)
    try:
        await rotate_with(world, faults)
    except* (Crashed, DurabilityError):
        assert faults.survivor is not None
    assert faults.has_happened
    if faults.survivor is not None:
        world.state = faults.survivor

    await live(world, sender)
    in_force = [world.trust.identity, *named(world)][-1]
    assert on_disk(world) == in_force
    Checkpoint.verify(world.store.checkpoints[-1], in_force)
    world.verify()

    again = await rotate(world)
    await live(world, sender)
    assert on_disk(world) == named(world)[-1] == again
    assert world.events() == sender.sent
    world.verify()
