"""Whatever goes wrong at whatever durable step, nothing acknowledged is lost.

Each row is one step of the first life of a signer, or of a life after a crash,
and one fault there. Afterwards a signer starts over what survived, every sender
sends again what got no ack, and an auditor verifies the store.
"""

import asyncio
import re
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
import uvloop
from _pytest.mark import ParameterSet

from beats_signer.errors import DurabilityError
from tests.sign.faults import Crashed, Fault, Faults, mortal
from tests.sign.senders import Sender
from tests.sign.world import World

Life = Callable[[World, Faults, list[Sender]], Awaitable[None]]


async def live(world: World, faults: Faults, senders: list[Sender]) -> None:
    """Found a chain, take a window of each sender, and stop."""
    async with mortal(world, faults) as signer:
        for sender in senders:
            sender.connect(signer)
            sender.send()
            await sender.take_acks()
            sender.lose()
        await signer.stop()


async def live_again(world: World, faults: Faults, senders: list[Sender]) -> None:
    """Die with a seal on its way to the store, then live on what survived."""
    first = Faults(world, "chain seal 2 store", Fault.CRASH_BEFORE)
    await die(live, world, first, senders)
    assert first.survivor is not None
    world.state = first.survivor.rename(world.folder / "second")
    await live(world, faults, senders)


async def die(life: Life, world: World, faults: Faults, senders: list[Sender]) -> None:
    """Live until the fault ends it, if it does."""
    try:
        await life(world, faults, senders)
    except* (Crashed, DurabilityError):
        assert faults.survivor is not None


async def steps_of(life: Life, folder: Path) -> list[str]:
    """Return the durable steps of a life without a fault."""
    world = World(folder)
    faults = Faults(world)
    await life(world, faults, build_senders(world))
    return faults.steps


def build_senders(world: World) -> list[Sender]:
    return [Sender(world, "10.0.0.1"), Sender(world, "10.0.0.2", "ab" * 32)]


def rows() -> Iterator[ParameterSet]:
    """Yield each step of each life with each fault that it can have."""
    for life in (live, live_again):
        with (
            tempfile.TemporaryDirectory() as folder,
            asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
        ):
            steps = runner.run(steps_of(life, Path(folder)))
        for step in dict.fromkeys(steps):
            for fault in Fault:
                if not re.search(ONLY.get(fault, ""), step):
                    continue
                name = f"{life.__name__}: {step}: {fault.value}"
                yield pytest.param(life, step, fault, id=name)


ONLY = {Fault.TORN: r" write$", Fault.LOST: r"^(?!folder).* sync$"}
"""Steps that can have these faults; all others can happen at every step."""


@pytest.mark.parametrize(("life", "step", "fault"), tuple(rows()))
async def test_what_is_acknowledged_is_in_the_chain_once(
    world: World, life: Life, step: str, fault: Fault
) -> None:
    senders = build_senders(world)
    faults = Faults(world, step, fault)
    await die(life, world, faults, senders)
    assert faults.has_happened

    if faults.survivor is not None:
        world.state = faults.survivor
    async with world.running() as signer:
        for sender in senders:
            sender.connect(signer)
            sender.send()
            await sender.take_acks()
        await signer.stop()

    sent = [event for sender in senders for event in sender.sent]
    assert sorted(world.events()) == sorted(sent)
    world.verify()
