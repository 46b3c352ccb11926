"""From windows to receipts: what is sealed together, and when a receipt is done."""

import asyncio

from beats_signer.chain.seal import Kind
from beats_signer.sign.window import Receipt
from tests.fakes.faulty import Delay
from tests.fakes.times import START
from tests.sign.senders import Sender
from tests.sign.world import World


async def settle(*receipts: Receipt) -> None:
    async with asyncio.timeout(10):
        await asyncio.wait(receipts)


def counts(world: World) -> list[int]:
    """Return the number of entries of each seal with entries of the one chain."""
    (origin,) = world.origins()
    return [seal.count for seal in world.seals(origin) if seal.kind is Kind.EVENTS]


async def test_a_window_is_sealed_stored_and_verified(world: World) -> None:
    sender = Sender(world)
    async with world.running() as signer:
        sender.connect(signer)
        sender.send(b"1", b"2")
        await sender.take_acks()
        await signer.stop()

    (origin,) = world.origins()
    assert world.payloads(origin) == [b"1", b"2"]
    assert world.verify()[origin].entries == 2


async def test_windows_that_wait_are_sealed_together_in_their_order(
    world: World,
) -> None:
    senders = [Sender(world, f"10.0.0.{n}") for n in range(5)]
    async with world.running() as signer:
        for sender in senders:
            sender.connect(signer)
            sender.send()
        await settle(*(sender.open[0].receipt for sender in senders))
        await signer.stop()

    assert counts(world) == [10]
    assert world.events() == [event for sender in senders for event in sender.sent]
    world.verify()


async def test_what_comes_while_all_slots_are_taken_is_one_seal(world: World) -> None:
    world.pace(in_flight=1)
    delay = Delay()
    world.script({"generic 1": [delay]})
    sender = Sender(world)
    async with world.running() as signer:
        sender.connect(signer)
        sender.send()
        await delay.arrived.wait()
        for _ in range(7):
            sender.send()
        delay.released.set()
        await sender.take_acks()
        await signer.stop()

    assert counts(world) == [2, 14]
    world.verify()


async def test_a_seal_is_full_at_the_bound(world: World) -> None:
    world.pace(max_entries=4)
    sender = Sender(world)
    async with world.running() as signer:
        sender.connect(signer)
        for _ in range(5):
            sender.send()
        await sender.take_acks()
        await signer.stop()

    assert counts(world) == [4, 4, 2]


async def test_a_window_as_large_as_the_format_allows_is_one_seal(
    world: World,
) -> None:
    world.pace(max_entries=10)
    sender = Sender(world)
    async with world.running() as signer:
        sender.connect(signer)
        sender.send(*(b"%d" % n for n in range(65_536)))
        sender.send(b"one more")
        await sender.take_acks()
        await signer.stop()

    assert counts(world) == [65_536, 1]


async def test_a_seal_lingers_only_when_no_other_is_on_its_way(world: World) -> None:
    world.pace(linger_seconds=0.25)
    delay = Delay()
    world.script({"generic 1": [delay]})
    sender = Sender(world)
    async with world.running() as signer:
        sender.connect(signer)
        sender.send()
        await sender_stored(world, delay)
        lingered = world.timer.pauses.count(0.25)
        second = sender.send()
        await settle(second)
        assert world.timer.pauses.count(0.25) == lingered
        delay.released.set()
        await sender.take_acks()


async def sender_stored(world: World, delay: Delay) -> None:
    await delay.arrived.wait()
    (origin,) = world.origins()
    await world.store.until(lambda: (origin, 0) in world.store.order)


async def test_several_seals_are_on_their_way_at_once_and_no_more_than_allowed(
    world: World,
) -> None:
    world.pace(in_flight=3, max_entries=2)
    delays = {number: Delay() for number in range(1, 6)}
    world.script({f"generic {number}": [delays[number]] for number in delays})
    sender = Sender(world)
    async with world.running() as signer:
        sender.connect(signer)
        for _ in range(5):
            sender.send()
        for number in (1, 2, 3):
            await delays[number].arrived.wait()
        assert not delays[4].arrived.is_set()
        delays[2].released.set()
        await delays[4].arrived.wait()
        assert not delays[5].arrived.is_set()
        for delay in delays.values():
            delay.released.set()
        await sender.take_acks()
        await signer.stop()
    world.verify()


async def test_a_receipt_is_not_done_before_its_seal_is_stored(world: World) -> None:
    delay = Delay()
    world.script({"generic 1": [delay]})
    sender = Sender(world)
    async with world.running() as signer:
        sender.connect(signer)
        receipt = sender.send()
        await delay.arrived.wait()
        assert not receipt.done()
        delay.released.set()
        await sender.take_acks()


async def test_seals_are_sent_in_their_order_those_of_an_earlier_process_first(
    world: World,
) -> None:
    world.pace(max_entries=2)
    never = Delay()
    world.script({f"generic {number}": [never] for number in range(4)})
    sender = Sender(world)
    async with world.running() as signer:
        sender.connect(signer)
        for _ in range(3):
            sender.send()
        await never.arrived.wait()

    world.script({})
    before = len(world.store.sent)
    async with world.running() as signer:
        sender.connect(signer)
        for _ in range(5):
            sender.send()
        await sender.take_acks()
        await signer.stop()

    (origin,) = world.origins()
    sent = [number for name, number in world.store.sent[before:] if name == origin]
    assert sent == list(range(len(world.seals(origin))))


async def test_receipts_are_done_in_the_order_in_which_the_store_confirms(
    world: World,
) -> None:
    world.pace(max_entries=2)
    first, second = Delay(), Delay()
    world.script({"generic 1": [first], "generic 2": [second]})
    sender = Sender(world)
    async with world.running() as signer:
        sender.connect(signer)
        receipts = [sender.send(), sender.send()]
        await first.arrived.wait()
        await second.arrived.wait()

        second.released.set()
        await settle(receipts[1])
        assert not receipts[0].done()
        first.released.set()
        await sender.take_acks()
        await signer.stop()
    world.verify()


async def test_the_stored_prefix_has_no_gap_whatever_is_stored_first(
    world: World,
) -> None:
    world.pace(max_entries=2)
    first = Delay()
    world.script({"generic 1": [first]})
    sender = Sender(world)
    async with world.running() as signer:
        sender.connect(signer)
        receipts = [sender.send(), sender.send(), sender.send()]
        await settle(*receipts[1:])
        (chain,) = signer.status()["chains"]
        assert (chain["seals"], chain["stored_seals"]) == (4, 1)
        first.released.set()
        await sender.take_acks()
        (chain,) = signer.status()["chains"]
        assert (chain["seals"], chain["stored_seals"]) == (4, 4)


async def test_the_prefix_goes_on_after_a_crash_with_a_gap(world: World) -> None:
    world.pace(max_entries=2)
    world.script({"generic 1": [Delay()]})
    sender = Sender(world)
    async with world.running() as signer:
        sender.connect(signer)
        receipts = [sender.send(), sender.send(), sender.send()]
        await settle(*receipts[1:])

    world.script({})
    async with world.running() as signer:
        sender.connect(signer)
        await sender.take_acks()
        (chain,) = signer.status()["chains"]
        assert (chain["seals"], chain["stored_seals"]) == (4, 4)
        await signer.stop()

    assert sorted(world.events()) == sorted(sender.sent)
    world.verify()


async def test_a_sender_that_gives_up_waiting_changes_nothing_for_the_others(
    world: World,
) -> None:
    delay = Delay()
    world.script({"generic 1": [delay]})
    first, second = Sender(world), Sender(world, "10.0.0.2")
    async with world.running() as signer:
        first.connect(signer)
        second.connect(signer)
        first.send().cancel()
        second.send()
        delay.released.set()
        await second.take_acks()
        await signer.stop()

    assert world.events() == first.sent + second.sent
    world.verify()


async def test_a_clock_that_goes_back_repeats_the_time_of_the_seal_before(
    world: World,
) -> None:
    sender = Sender(world)
    async with world.running() as signer:
        sender.connect(signer)
        sender.send()
        await sender.take_acks()
        world.clock.advance(-3600)
        sender.send()
        await sender.take_acks()
        world.clock.advance(7200)
        sender.send()
        await sender.take_acks()
        await signer.stop()

    (origin,) = world.origins()
    hours = [(seal.time - START) // (3600 * 10**9) for seal in world.seals(origin)]
    assert hours == [0, 0, 0, 1]
