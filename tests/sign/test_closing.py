"""The end of a chain: a ``close``, after which nothing of it can be signed."""

import asyncio
import re
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from beats_signer.chain.body import EMPTY_BODY
from beats_signer.chain.records import HeadRecord
from beats_signer.chain.seal import ZERO, Kind
from beats_signer.errors import DurabilityError, ForkError, StateError
from tests.fakes.faulty import Delay, Outcome
from tests.sign.faults import Crashed, Fault, Faults, mortal
from tests.sign.lives import chain_of, live, refused
from tests.sign.raising import raising
from tests.sign.senders import Sender
from tests.sign.world import SIGNER, World

ONLY = {Fault.TORN: r" write$", Fault.LOST: r"^(?!folder).* sync$"}
"""Steps that can have these faults; all others can happen at every step."""


async def close(world: World, origin: str) -> None:
    """Close a chain as the command does."""
    async with world.running() as signer:
        if not signer.has_closed(origin):
            await signer.close_chain(origin)
        await signer.stop()


async def close_with(world: World, faults: Faults, origin: str) -> None:
    async with mortal(world, faults) as signer:
        await signer.close_chain(origin)
        await signer.stop()


def key_files(world: World) -> set[str]:
    return {path.stem for path in (world.state / "keys").iterdir()}


def last_head(world: World, origin: str) -> HeadRecord:
    heads = [one for one in world.records() if isinstance(one, HeadRecord)]
    return [head for head in heads if head.origin == origin][-1]


def is_active(world: World, chain: bytes) -> bool:
    with closing(sqlite3.connect(world.state / "journal.db")) as database:
        statement = "SELECT active FROM chains WHERE chain = ?"
        ((active,),) = database.execute(statement, (chain,))
    return bool(active)


async def test_a_chain_ends_with_a_close_that_names_no_key(world: World) -> None:
    await live(world, Sender(world))
    origin, chain = chain_of(world)

    await close(world, origin)

    (*_, (seal, body)) = world.sealed(origin)
    assert (seal.kind, seal.next, body) == (Kind.CLOSE, ZERO, EMPTY_BODY)
    assert last_head(world, origin).size == seal.number + 1
    assert key_files(world) == {world.trust.catalogue.hex()}
    assert not is_active(world, chain)
    world.verify()


async def test_what_waits_when_a_chain_is_closed_is_sealed_before(
    world: World,
) -> None:
    sender = Sender(world)
    async with world.running() as signer:
        sender.connect(signer)
        sender.send()
        await sender.take_acks()
        origin, _ = chain_of(world)
        sender.send()
        closing_it = asyncio.create_task(signer.close_chain(origin))
        await sender.take_acks()
        head = await closing_it
        await signer.stop()

    assert world.payloads(origin) == sender.sent
    assert (head.entries, head.closed) == (4, True)
    world.verify()


async def test_a_window_that_comes_during_a_close_comes_again(world: World) -> None:
    sender = Sender(world)
    never = Delay()
    async with world.running() as signer:
        sender.connect(signer)
        sender.send()
        await sender.take_acks()
        origin, _ = chain_of(world)
        world.script({"generic 2": [never]})
        closing_it = asyncio.create_task(signer.close_chain(origin))
        await never.arrived.wait()
        assert sender.send().cancelled()
        never.released.set()
        await closing_it
        sender.connect(signer)
        await sender.take_acks()
        await signer.stop()

    (new,) = set(world.origins()) - {origin}
    assert world.payloads(origin) + world.payloads(new) == sender.sent
    world.verify()


async def test_the_next_event_founds_another_chain_that_continues_none(
    world: World,
) -> None:
    sender = Sender(world)
    await live(world, sender)
    origin, _ = chain_of(world)
    await close(world, origin)

    await live(world, sender)

    (new,) = set(world.origins()) - {origin}
    assert world.payloads(origin) + world.payloads(new) == sender.sent
    world.verify(discontinuities=0)


async def test_a_closed_chain_is_left_alone_by_later_starts(world: World) -> None:
    await live(world, Sender(world))
    origin, _ = chain_of(world)
    await close(world, origin)
    seals = world.seals(origin)
    heads = [one for one in world.records() if isinstance(one, HeadRecord)]

    async with world.running() as signer:
        await signer.stop()

    assert world.seals(origin) == seals
    assert [one for one in world.records() if isinstance(one, HeadRecord)] == heads


async def test_a_chain_can_be_closed_while_others_go_on(world: World) -> None:
    sender = Sender(world)
    async with world.running() as signer:
        sender.connect(signer)
        sender.send()
        await sender.take_acks()
        old, _ = chain_of(world)
        await signer.close_chain(old)
        sender.send()
        await sender.take_acks()
        await signer.stop()

    (new,) = set(world.origins()) - {old}
    assert world.payloads(old) + world.payloads(new) == sender.sent
    world.verify()


def rows() -> Iterator[ParameterSet]:
    """Yield each durable step of a closing with each fault that it can have."""
    with tempfile.TemporaryDirectory() as folder:
        steps = asyncio.run(steps_of(Path(folder)))
    for step in dict.fromkeys(steps):
        for fault in Fault:
            if re.search(ONLY.get(fault, ""), step):
                yield pytest.param(step, fault, id=f"{step}: {fault.value}")


async def steps_of(folder: Path) -> list[str]:
    """Return the durable steps of a closing without a fault."""
    world = World(folder)
    await live(world, Sender(world))
    faults = Faults(world)
    await close_with(world, faults, chain_of(world)[0])
    return faults.steps


def test_each_step_of_a_closing_is_among_the_faults() -> None:
    with tempfile.TemporaryDirectory() as folder:
        steps = asyncio.run(steps_of(Path(folder)))
    order = [
        "chain seal 2 journal",
        "erased file write",
        "erased file sync",
        "folder keys sync",
        "chain seal 2 store",
        "chain mark 2 journal",
        "catalogue seal 6 journal",
    ]
    assert [step for step in steps if step in order] == order


@pytest.mark.parametrize(("step", "fault"), tuple(rows()))
@pytest.mark.parametrize("is_closed_again", [True, False])
async def test_whatever_goes_wrong_a_chain_is_open_or_closed(
    world: World, step: str, fault: Fault, is_closed_again: bool
) -> None:
    sender = Sender(world)
    await live(world, sender)
    old, chain = chain_of(world)
    faults = Faults(world, step, fault)
    try:
        await close_with(world, faults, old)
    except* (Crashed, DurabilityError):
        assert faults.survivor is not None
    assert faults.has_happened
    if faults.survivor is not None:
        world.state = faults.survivor

    if is_closed_again:
        await close(world, old)
    await live(world, sender)

    kinds = [seal.kind for seal in world.seals(old)]
    was_closed = Kind.CLOSE in kinds
    assert was_closed or not is_closed_again
    assert kinds.count(Kind.CLOSE) == was_closed
    assert is_active(world, chain) == (not was_closed)
    assert (chain.hex() in key_files(world)) == (not was_closed)
    assert len(world.origins()) == 1 + was_closed
    assert sorted(world.events()) == sorted(sender.sent)
    assert last_head(world, old).size == len(kinds)
    world.verify()


async def test_what_is_closed_already_is_said_to_be(world: World) -> None:
    await live(world, Sender(world))
    origin, _ = chain_of(world)
    said = []
    for _ in range(2):
        async with world.running() as signer:
            said.append(signer.has_closed(origin))
            await signer.stop()
        await close(world, origin)

    assert said == [False, True]


async def refusal(world: World, origin: str) -> StateError:
    """Ask for the end of a chain, and return why it is refused."""
    async with world.running() as signer:
        with pytest.raises(StateError) as caught:
            signer.has_closed(origin)
        await signer.stop()
    return caught.value


async def test_the_catalogue_is_not_closed(world: World) -> None:
    error = await refusal(world, SIGNER)
    assert str(error) == "audit-1 is the catalogue, which cannot be closed"
    assert "A signer that ends for good is stopped" in error.hint


async def test_a_chain_that_does_not_exist_is_not_closed(world: World) -> None:
    await live(world, Sender(world))
    origin, _ = chain_of(world)
    error = await refusal(world, f"{SIGNER}/a/b/20200101T000000Z")
    assert str(error) == "there is no chain audit-1/a/b/20200101T000000Z"
    assert error.hint == f"The open chains of this signer are: {origin}."


async def test_a_chain_that_has_a_successor_is_not_closed(world: World) -> None:
    await live(world, Sender(world))
    old, chain = chain_of(world)
    (world.state / "keys" / f"{chain.hex()}.key").write_bytes(b"damaged")
    async with world.running(old) as signer:
        await signer.stop()
    error = await refusal(world, old)
    assert str(error) == f"{old} has a successor: nothing can be sealed in it any more"
    assert "Close the successor instead" in error.hint


async def test_a_closed_chain_gets_no_successor(world: World) -> None:
    await live(world, Sender(world))
    origin, _ = chain_of(world)
    await close(world, origin)
    caught = await refused(world, found=origin)
    assert str(caught) == f"{origin} is closed, and not damaged"
    assert "the next event founds a new chain" in caught.hint


async def test_a_copy_of_the_state_from_before_a_close_is_refused(
    world: World,
) -> None:
    await live(world, Sender(world))
    origin, _ = chain_of(world)
    before = world.copy_state("before")
    await close(world, origin)
    caught = await refused(world, state=before)
    assert "the store has seals of" in str(caught)


async def test_a_chain_that_somebody_else_has_written_is_not_closed(
    world: World,
) -> None:
    await live(world, Sender(world))
    origin, _ = chain_of(world)
    world.script({"generic 2": [Outcome.FORK]})

    async with world.running() as signer:
        with raising(ForkError) as caught:
            await signer.close_chain(origin)

    assert str(caught).startswith(f"{origin}: ")


async def test_a_window_without_an_ack_comes_again_in_the_next_chain(
    world: World,
) -> None:
    sender = Sender(world)
    async with world.running() as signer:
        sender.connect(signer)
        await sender.send()
        sender.lose()
        await signer.stop()
    origin, _ = chain_of(world)
    await close(world, origin)

    async with world.running() as signer:
        sender.connect(signer)
        await sender.take_acks()
        await signer.stop()

    (new,) = set(world.origins()) - {origin}
    assert world.payloads(origin) == world.payloads(new) == sender.sent
    world.verify()
