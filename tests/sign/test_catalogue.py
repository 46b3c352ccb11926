"""What the catalogue says, and when."""

from dataclasses import replace

import pytest

from beats_signer.chain.checkpoint import Checkpoint
from beats_signer.chain.merkle import CompactRange
from beats_signer.chain.records import (
    FoundRecord,
    HeadRecord,
    StartRecord,
    StopRecord,
)
from beats_signer.chain.seal import Kind
from beats_signer.chain.times import format_time
from tests.fakes.faulty import Delay, FaultyStore, Outcome
from tests.fakes.times import START
from tests.sign.senders import Sender
from tests.sign.watched import WatchedStore
from tests.sign.world import SIGNER, World


def heads(world: World) -> list[HeadRecord]:
    return [one for one in world.records() if isinstance(one, HeadRecord)]


def heartbeats(world: World) -> int:
    return [seal.kind for seal in world.seals(SIGNER)].count(Kind.HEARTBEAT)


async def pass_time(world: World, seconds: float, seals: int) -> None:
    """Let time pass until the catalogue has so many seals more."""
    expected = len(world.seals(SIGNER)) + seals
    world.clock.advance(seconds)
    world.timer.advance(seconds)
    await world.store.until(lambda: len(world.seals(SIGNER)) >= expected)


async def test_start_and_stop_are_recorded_with_their_times(world: World) -> None:
    async with world.running() as signer:
        world.clock.advance(90)
        await signer.stop()

    assert world.records() == [
        StartRecord(START),
        StopRecord(START + 90 * 10**9),
    ]
    world.verify()


async def test_a_crash_leaves_no_stop(world: World) -> None:
    async with world.running():
        pass
    async with world.running() as signer:
        await signer.stop()
    kinds = [type(record) for record in world.records()]
    assert kinds == [StartRecord, StartRecord, StopRecord]
    world.verify()


async def test_a_chain_that_has_grown_is_recorded_each_minute(world: World) -> None:
    sender = Sender(world)
    async with world.running() as signer:
        sender.connect(signer)
        for _ in range(3):
            sender.send()
            await sender.take_acks()
            await pass_time(world, 60, seals=1)

    (origin,) = world.origins()
    hashes = [seal.hash() for seal in world.seals(origin)]
    assert heads(world) == [
        HeadRecord(origin, size, CompactRange().extend(hashes[:size]).root())
        for size in (2, 3, 4)
    ]
    world.verify()


async def test_a_chain_that_has_not_grown_is_not_recorded_again(world: World) -> None:
    sender = Sender(world)
    async with world.running() as signer:
        sender.connect(signer)
        sender.send()
        await sender.take_acks()
        await pass_time(world, 60, seals=1)
        await pass_time(world, 60, seals=1)
        await signer.stop()

    assert len(heads(world)) == 1
    assert heartbeats(world) == 1
    world.verify()


async def test_nothing_is_recorded_within_the_minute(world: World) -> None:
    sender = Sender(world)
    async with world.running() as signer:
        sender.connect(signer)
        sender.send()
        await sender.take_acks()
        world.timer.advance(59)
        sender.send()
        await sender.take_acks()
        assert heads(world) == []
        await pass_time(world, 1, seals=1)
        assert [head.size for head in heads(world)] == [3]


async def test_a_silent_catalogue_gets_a_heartbeat(world: World) -> None:
    async with world.running() as signer:
        await pass_time(world, 60, seals=1)
        await pass_time(world, 60, seals=1)
        await pass_time(world, 60, seals=1)
        await signer.stop()
    assert heartbeats(world) == 3
    world.verify()


async def test_one_seal_a_minute_is_enough_when_chains_grow(world: World) -> None:
    sender = Sender(world)
    async with world.running() as signer:
        sender.connect(signer)
        for _ in range(5):
            sender.send()
            await sender.take_acks()
            await pass_time(world, 60, seals=1)
    assert heartbeats(world) == 0


async def test_heads_keep_their_pace_when_heartbeats_are_faster(world: World) -> None:
    world.settings = replace(world.settings, heartbeat_seconds=20)
    sender = Sender(world)
    async with world.running() as signer:
        sender.connect(signer)
        sender.send()
        await sender.take_acks()
        await pass_time(world, 20, seals=1)
        await pass_time(world, 20, seals=1)
        assert heads(world) == []
        await pass_time(world, 20, seals=1)
    assert len(heads(world)) == 1
    assert heartbeats(world) == 2


async def test_a_clock_that_goes_back_delays_no_heartbeat(world: World) -> None:
    async with world.running() as signer:
        world.clock.advance(-86_400)
        await pass_time(world, 60, seals=1)
        await signer.stop()
    assert heartbeats(world) == 1
    world.clock.now = START
    world.verify()


async def test_a_head_names_no_more_than_what_is_stored(world: World) -> None:
    world.pace(max_entries=2)
    delay = Delay()
    world.script({"generic 2": [delay]})
    sender = Sender(world)
    async with world.running() as signer:
        sender.connect(signer)
        receipts = [sender.send() for _ in range(3)]
        await receipts[0]
        await receipts[2]
        await pass_time(world, 60, seals=1)
        assert [head.size for head in heads(world)] == [2]
        delay.released.set()
        await sender.take_acks()
        await pass_time(world, 60, seals=1)
    assert [head.size for head in heads(world)] == [2, 4]
    world.verify()


@pytest.mark.parametrize("is_stopped", [True, False])
async def test_a_restart_does_not_repeat_what_was_recorded(
    world: World, is_stopped: bool
) -> None:
    sender = Sender(world)
    async with world.running() as signer:
        sender.connect(signer)
        sender.send()
        await sender.take_acks()
        await pass_time(world, 60, seals=1)
        if is_stopped:
            await signer.stop()
    async with world.running() as signer:
        await pass_time(world, 60, seals=1)
        await signer.stop()

    assert [head.size for head in heads(world)] == [2]
    world.verify()


async def test_growth_that_a_crash_left_unrecorded_is_recorded_later(
    world: World,
) -> None:
    sender = Sender(world)
    async with world.running() as signer:
        sender.connect(signer)
        sender.send()
        await sender.take_acks()
    async with world.running() as signer:
        await signer.stop()
    assert [head.size for head in heads(world)] == [2]
    world.verify()


async def test_a_founding_is_recorded_with_its_note(world: World) -> None:
    sender = Sender(world)
    async with world.running() as signer:
        sender.connect(signer)
        sender.send()
        await sender.take_acks()

    (origin,) = world.origins()
    (found,) = [one for one in world.records() if isinstance(one, FoundRecord)]
    writes = world.memory.writes[world.memory.origins()[origin]]
    assert (found.origin, found.note) == (origin, writes[0].record.note)


async def test_a_checkpoint_covers_what_is_stored_of_the_catalogue(
    world: World,
) -> None:
    sender = Sender(world)
    async with world.running() as signer:
        sender.connect(signer)
        sender.send()
        await sender.take_acks()
        await pass_time(world, 60, seals=1)
        await signer.stop()

    hashes = [seal.hash() for seal in world.seals(SIGNER)]
    checkpoints = [
        Checkpoint.verify(note, world.trust.identity)
        for note in world.store.checkpoints
    ]
    assert [one.size for one in checkpoints] in ([2, 3, 4, 5], [2, 3, 5])
    assert [one.root for one in checkpoints] == [
        CompactRange().extend(hashes[: one.size]).root() for one in checkpoints
    ]


async def test_no_checkpoint_runs_ahead_of_the_store(world: World) -> None:
    delay = Delay()
    world.script({"catalogue 3": [delay]})
    async with world.running() as signer:
        await pass_time(world, 60, seals=1)
        world.timer.advance(60)
        await delay.arrived.wait()
        sizes = [note.split("\n")[1] for note in world.store.checkpoints]
        delay.released.set()
        await signer.stop()
    assert sizes == ["2", "3"]


async def test_a_checkpoint_that_is_lost_is_replaced_by_the_next(world: World) -> None:
    class NoCheckpoint(FaultyStore):
        async def publish_checkpoint(self, signer: str, note: str) -> None:
            if note.split("\n")[1] == "2":
                self.unreachable = True
            try:
                await super().publish_checkpoint(signer, note)
            finally:
                self.unreachable = False

    world.store = WatchedStore(NoCheckpoint(world.memory))
    async with world.running() as signer:
        await signer.stop()
    sizes = [note.split("\n")[1] for note in world.store.checkpoints]
    assert sizes == ["3"]
    world.verify()


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.FAILED_BUT_STORED])
async def test_the_catalogue_is_sent_until_the_store_confirms_it(
    world: World, outcome: Outcome
) -> None:
    store = world.script({"catalogue 0": [outcome] * 3, "catalogue 1": [outcome] * 2})
    async with world.running() as signer:
        await signer.stop()
    assert store.attempts("catalogue 0") == 4
    assert len(world.records()) == 2
    world.verify()


async def test_status_shows_the_catalogue_beside_the_chains(world: World) -> None:
    sender = Sender(world)
    async with world.running() as signer:
        sender.connect(signer)
        sender.send()
        await sender.take_acks()
        status = signer.status()

    (origin,) = world.origins()
    chain = status["chains"][0]
    assert status["signer"] == SIGNER
    assert status["catalogue"] == {
        "origin": SIGNER,
        "chain": world.trust.catalogue.hex(),
        "state": "running",
        "seals": 3,
        "entries": 2,
        "stored_seals": 3,
        "last_seal_time": format_time(START),
        "waiting_windows": 0,
        "journal_rows": 0,
        "bare_entries": 0,
        "recognised_windows": 0,
        "problem": None,
    }
    assert (chain["origin"], chain["seals"], chain["entries"]) == (origin, 2, 2)
