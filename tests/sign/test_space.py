"""A disk that is nearly full: sealing pauses, loses nothing, and goes on."""

from dataclasses import replace
from pathlib import Path

import pytest

from beats_signer.sign.disk import Disk
from tests.sign.senders import Sender
from tests.sign.world import SIGNER, World

_LIMIT = 64 << 20


class SmallDisk(Disk):
    """A disk whose free space a test sets."""

    def __init__(self) -> None:
        self.free = _LIMIT
        self.is_broken = False

    def free_bytes(self, path: Path) -> int:
        if self.is_broken:
            raise OSError("input/output error")
        return self.free


@pytest.fixture
def disk() -> SmallDisk:
    return SmallDisk()


@pytest.fixture
def world(tmp_path: Path, disk: SmallDisk) -> World:
    world = World(tmp_path)
    world.disk = disk
    world.settings = replace(world.settings, journal_bytes=_LIMIT)
    return world


async def pass_a_minute(world: World) -> None:
    """Let time pass until the catalogue has shown that the signer lives."""
    expected = len(world.seals(SIGNER)) + 1
    world.clock.advance(60)
    world.timer.advance(60)
    await world.store.until(lambda: len(world.seals(SIGNER)) >= expected)


async def test_sealing_pauses_while_space_is_short_and_goes_on_by_itself(
    world: World, disk: SmallDisk
) -> None:
    sender = Sender(world)
    async with world.running() as signer:
        sender.connect(signer)
        sender.send()
        await sender.take_acks()
        disk.free = 1 << 20
        await pass_a_minute(world)
        receipt = sender.send()
        await pass_a_minute(world)
        assert not receipt.done()
        (problem,) = signer.status()["problems"]
        disk.free = _LIMIT
        await pass_a_minute(world)
        await sender.take_acks()
        assert signer.status()["problems"] == []
        await signer.stop()

    assert problem["symptom"].endswith("has 1 MiB of free space")
    assert "lower sealing.journal_bytes" in problem["action"]
    assert world.events() == sender.sent
    world.verify()


async def test_the_catalogue_goes_on_while_chains_pause(
    world: World, disk: SmallDisk
) -> None:
    disk.free = 1 << 20
    async with world.running() as signer:
        before = len(world.seals(SIGNER))
        await pass_a_minute(world)
        assert len(world.seals(SIGNER)) > before
        await signer.stop()


async def test_what_the_journal_has_already_counts_as_its_own(
    world: World, disk: SmallDisk
) -> None:
    disk.free = _LIMIT - (world.state / "journal.db").stat().st_size

    async with world.running() as signer:
        assert signer.status()["problems"] == []


async def test_a_disk_that_does_not_tell_pauses_nothing(
    world: World, disk: SmallDisk
) -> None:
    disk.is_broken = True
    sender = Sender(world)
    async with world.running() as signer:
        sender.connect(signer)
        sender.send()
        await sender.take_acks()

    assert "the free space is not known" in world.messages()
