"""Whole lives of a signer, for tests of how one begins."""

import asyncio
from contextlib import suppress
from pathlib import Path

from beats_signer.errors import StateError
from tests.fakes.faulty import Delay
from tests.sign.raising import Caught, raising
from tests.sign.senders import Sender
from tests.sign.world import World

__all__ = ["chain_of", "die_when", "die_with_a_window", "live", "refused", "start"]


async def live(world: World, sender: Sender, state: Path | None = None) -> None:
    """Start, take one window, and stop."""
    async with world.running(state=state) as signer:
        sender.connect(signer)
        sender.send()
        await sender.take_acks()
        sender.lose()
        await signer.stop()


async def die_when(world: World, seal: str, found: str | None = None) -> None:
    """Start, and crash when this seal is about to be stored."""
    never = Delay()
    world.script({seal: [never]})
    starting = asyncio.create_task(start(world, found))
    async with asyncio.timeout(10):
        await never.arrived.wait()
    starting.cancel()
    with suppress(asyncio.CancelledError):
        await starting
    world.script({})


async def die_with_a_window(world: World, sender: Sender, seal: str) -> None:
    """Take a window, and crash when this seal is about to be stored."""
    never = Delay()
    world.script({seal: [never]})
    async with world.running() as signer:
        sender.connect(signer)
        sender.send()
        await never.arrived.wait()
    world.script({})


async def start(world: World, found: str | None) -> None:
    async with world.running(found):
        await asyncio.Event().wait()


async def refused(
    world: World, state: Path | None = None, found: str | None = None
) -> Caught:
    """Start and expect to be refused, with nothing sent to the store."""
    before = len(world.store.order)
    with raising(StateError) as caught:
        async with world.running(found, state=state):
            pass
    assert len(world.store.order) == before
    return caught


def chain_of(world: World) -> tuple[str, bytes]:
    """Return origin and id of the one chain in the store."""
    (origin,) = world.origins()
    return origin, world.memory.origins()[origin]
