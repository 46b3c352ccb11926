"""Several senders at once, life after life, each ended by a fault at any step.

The seed of a run decides what the senders do and where each life ends, not how
threads interleave.
"""

import asyncio
import random

import pytest

from beats_signer.errors import DurabilityError
from beats_signer.sign.signer import Signer
from tests.fakes.faulty import Outcome
from tests.sign.faults import Crashed, Fault, Faults, mortal
from tests.sign.senders import Sender
from tests.sign.world import World

LIVES = 4
FAULTS = (Fault.CRASH_BEFORE, Fault.CRASH_AFTER, Fault.FAILED, Fault.FAILED_BUT_DONE)


async def send(signer: Signer, sender: Sender, chance: random.Random) -> None:
    """Send windows, at most two ahead of their acks, over connections that end."""
    sender.connect(signer)
    for _ in range(8):
        sender.send()
        if len(sender.open) >= 2 or chance.random() < 0.3:
            await sender.take_acks()
        if chance.random() < 0.2:
            sender.lose()
            sender.connect(signer)
    await sender.take_acks()
    sender.lose()


async def live(
    world: World, faults: Faults, senders: list[Sender], chance: random.Random
) -> None:
    async with mortal(world, faults) as signer:
        async with asyncio.TaskGroup() as tasks:
            for sender in senders:
                tasks.create_task(send(signer, sender, chance))
        await signer.stop()


@pytest.mark.parametrize("seed", range(40))
async def test_many_lives_lose_and_repeat_nothing(world: World, seed: int) -> None:
    chance = random.Random(seed)
    world.pace(in_flight=chance.randint(1, 4), max_entries=chance.choice([2, 6, 100]))
    outcomes = [Outcome.STORED, Outcome.FAILED, Outcome.FAILED_BUT_STORED]
    world.script(
        {f"generic {number}": chance.choices(outcomes, k=4) for number in range(30)}
    )
    senders = [Sender(world, f"10.0.0.{number}") for number in range(3)]
    for life in range(LIVES):
        faults = Faults(world, chance.randint(1, 90), chance.choice(FAULTS))
        try:
            await live(world, faults, senders, chance)
        except* (Crashed, DurabilityError):
            assert faults.survivor is not None
            world.state = faults.survivor.rename(world.folder / f"life-{life}")
    await live(world, Faults(world), senders, chance)

    sent = [event for sender in senders for event in sender.sent]
    assert sorted(world.events()) == sorted(sent)
    world.verify()
