"""Windows that come again after a lost connection, a crash or a stop."""

import asyncio
import sqlite3
from contextlib import closing

import pytest

from tests.fakes.faulty import Delay
from tests.sign.senders import Sender
from tests.sign.world import SIGNER, World


def same(world: World) -> list[int]:
    """Return what the records of repeated windows point to."""
    (origin,) = world.origins()
    return [one.same for one in world.windows(origin) if one.same is not None]


async def catalogue_of(world: World, seals: int) -> None:
    await world.store.until(lambda: len(world.seals(SIGNER)) == seals)


def journaled_windows(world: World) -> int:
    with closing(sqlite3.connect(world.state / "journal.db")) as database:
        (count,) = database.execute("SELECT count(*) FROM windows").fetchone()
    return int(count)


async def test_a_window_that_comes_again_is_sealed_once(world: World) -> None:
    delay = Delay()
    world.script({"generic 1": [delay]})
    sender = Sender(world)
    async with world.running() as signer:
        sender.connect(signer)
        sender.send()
        await delay.arrived.wait()
        sender.lose()
        sender.connect(signer)
        delay.released.set()
        await sender.take_acks()
        sender.send()
        await sender.take_acks()
        await signer.stop()

    assert world.events() == sender.sent
    assert same(world) == [0]
    world.verify()


async def test_the_ack_of_a_repeated_window_waits_for_the_earlier_seal(
    world: World,
) -> None:
    first = Delay()
    world.script({"generic 1": [first]})
    sender, other = Sender(world), Sender(world, "10.0.0.2")
    async with world.running() as signer:
        sender.connect(signer)
        sender.send()
        await first.arrived.wait()
        sender.lose()
        sender.connect(signer)
        other.connect(signer)
        other.send()
        await other.take_acks()  # a later seal is stored
        assert not sender.open[0].receipt.done()
        first.released.set()
        await sender.take_acks()
        await signer.stop()

    assert same(world) == [0]
    world.verify()


async def test_the_ack_of_a_repeated_window_does_not_wait_for_its_record(
    world: World,
) -> None:
    sender = Sender(world)
    async with world.running() as signer:
        sender.connect(signer)
        await sender.send()
        sender.lose()
        sender.connect(signer)
        await sender.take_acks()
        await signer.stop()

    assert world.events() == sender.sent
    assert same(world) == []  # no seal with entries has followed
    world.verify()


async def test_both_copies_of_a_window_in_one_group_are_sealed_once(
    world: World,
) -> None:
    world.pace(in_flight=1)
    delay = Delay()
    world.script({"generic 1": [delay]})
    sender, other = Sender(world), Sender(world, "10.0.0.2")
    async with world.running() as signer:
        other.connect(signer)
        other.send()
        await delay.arrived.wait()
        sender.connect(signer)
        sender.send()
        sender.lose()
        sender.connect(signer)
        delay.released.set()
        await sender.take_acks()
        await other.take_acks()
        sender.send()
        await sender.take_acks()
        await signer.stop()

    assert world.events() == other.sent + sender.sent
    assert same(world) == [2]
    world.verify()


async def live_until_crash(world: World, sender: Sender, acknowledged: int) -> None:
    """Have seven windows stored, and the acks of some of them written."""
    async with world.running() as signer:
        sender.connect(signer)
        for _ in range(7):
            await sender.send()
        # The acks are written, and none of them reaches the sender.
        for number in range(1, acknowledged + 1):
            signer.acknowledged(sender.source.connection, number)
        await sender.send(b"news are journaled with the next seal")


@pytest.mark.parametrize("lost_acks", [0, 1, 2, 3])
async def test_after_a_crash_the_last_windows_of_an_open_connection_are_recognised(
    world: World, lost_acks: int
) -> None:
    sender = Sender(world)
    await live_until_crash(world, sender, acknowledged=7)
    sender.open = sender.open[7 - lost_acks :]
    async with world.running() as signer:
        sender.connect(signer)
        await sender.take_acks()
        await signer.stop()

    assert world.events() == sender.sent
    world.verify()


async def test_after_a_crash_earlier_windows_are_not_recognised(world: World) -> None:
    sender = Sender(world)
    await live_until_crash(world, sender, acknowledged=7)
    twice = sender.open[3].payloads
    sender.open = sender.open[3:4]
    async with world.running() as signer:
        sender.connect(signer)
        await sender.take_acks()
        await signer.stop()

    assert [world.events().count(event) for event in twice] == [2, 2]


async def test_what_a_crash_left_is_recognised_by_its_own_peer_only(
    world: World,
) -> None:
    sender, other = Sender(world), Sender(world, "10.0.0.2")
    async with world.running() as signer:
        sender.connect(signer)
        await sender.send(b"the same")
    async with world.running() as signer:
        other.connect(signer)
        other.send(b"the same")
        await other.take_acks()
        sender.connect(signer)
        await sender.take_acks()
        await signer.stop()

    assert world.events() == [b"the same"] * 2


async def test_after_a_stop_equal_events_are_new_events(world: World) -> None:
    sender = Sender(world)
    for _ in range(2):
        async with world.running() as signer:
            sender.connect(signer)
            sender.send(b"the same")
            await sender.take_acks()
            sender.lose()
            await signer.stop()

    assert journaled_windows(world) == 0
    assert world.events() == [b"the same"] * 2
    assert same(world) == []


async def test_equal_events_of_one_connection_are_all_sealed(world: World) -> None:
    sender = Sender(world)
    async with world.running() as signer:
        sender.connect(signer)
        for _ in range(4):
            sender.send(b"the same")
        await sender.take_acks()
        await signer.stop()
    assert world.events() == [b"the same"] * 4


async def test_equal_events_of_connections_that_are_open_at_once_are_all_sealed(
    world: World,
) -> None:
    senders = [Sender(world) for _ in range(3)]
    async with world.running() as signer:
        for sender in senders:
            sender.connect(signer)
        for sender in senders:
            sender.send(b"the same")
        await asyncio.gather(*(sender.take_acks() for sender in senders))
        await signer.stop()
    assert world.events() == [b"the same"] * 3


async def test_news_that_no_window_follows_reach_the_journal_within_a_minute(
    world: World,
) -> None:
    sender = Sender(world)
    async with world.running() as signer:
        sender.connect(signer)
        sender.send()
        await sender.take_acks()
        sender.lose()
        assert journaled_windows(world) == 1
        seals = len(world.seals(SIGNER))
        # The second seal of the catalogue comes after what the first minute did.
        for minute in (1, 2):
            world.clock.advance(60)
            world.timer.advance(60)
            await catalogue_of(world, seals + minute)
        assert journaled_windows(world) == 0


async def test_windows_that_nobody_sent_again_are_forgotten_in_the_journal(
    world: World,
) -> None:
    sender, other = Sender(world), Sender(world)
    async with world.running() as signer:
        sender.connect(signer)
        await sender.send()
        sender.lose()
        world.clock.advance(3600)
        other.connect(signer)
        other.send()
        await other.take_acks()
        other.lose()
        world.clock.advance(11 * 60)
        await signer.stop()
    assert journaled_windows(world) == 0


async def test_a_window_that_was_never_acknowledged_outlives_a_stop(
    world: World,
) -> None:
    sender = Sender(world)
    async with world.running() as signer:
        sender.connect(signer)
        await sender.send()
        sender.lose()
        await signer.stop()
    async with world.running() as signer:
        sender.connect(signer)
        sender.send()
        await sender.take_acks()
        await signer.stop()

    assert world.events() == sender.sent
    assert same(world) == [0]
    world.verify()


async def test_a_copy_of_a_window_that_a_crash_left_unstored_waits_for_it(
    world: World,
) -> None:
    never, late = Delay(), Delay()
    world.script({"generic 1": [never]})
    sender = Sender(world)
    async with world.running() as signer:
        sender.connect(signer)
        sender.send()
        await never.arrived.wait()

    world.script({"generic 1": [late]})
    async with world.running() as signer:
        await late.arrived.wait()
        sender.connect(signer)
        receipt = sender.send()
        await receipt
        assert not sender.open[0].receipt.done()
        late.released.set()
        await sender.take_acks()
        await signer.stop()

    assert world.events() == sender.sent
    world.verify()
