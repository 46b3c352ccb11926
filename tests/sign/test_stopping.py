"""How chains end: in order, by a fork, or with the process."""

import asyncio
import threading
from dataclasses import replace

from beats_signer.chain.records import HeadRecord, StopRecord
from beats_signer.chain.seal import Kind
from beats_signer.errors import DurabilityError, ForkError
from beats_signer.sign.disk import Disk
from beats_signer.sign.routing import Routing
from beats_signer.sign.window import Receipt
from beats_signer.store.contract import Sealed
from tests.fakes.faulty import Delay, Outcome
from tests.sign.raising import raising
from tests.sign.scripted import ScriptedStore
from tests.sign.senders import Sender
from tests.sign.watched import WatchedStore
from tests.sign.world import SIGNER, World


async def settle(*receipts: Receipt) -> None:
    async with asyncio.timeout(10):
        await asyncio.wait(receipts)


async def test_a_fork_fails_every_receipt_of_its_chain(world: World) -> None:
    world.pace(max_entries=2, in_flight=2)
    first, second = Delay(Outcome.FORK), Delay()
    world.script({"generic 1": [first], "generic 2": [second]})
    sender = Sender(world)
    async with world.running() as signer:
        sender.connect(signer)
        receipts = [sender.send() for _ in range(5)]
        await second.arrived.wait()
        first.released.set()
        await settle(*receipts)
        late = sender.send()

    failures = {type(one.exception()) for one in (*receipts, late)}
    assert failures == {ForkError}


async def test_a_fork_is_told_by_status_and_log(world: World) -> None:
    world.script({"generic 1": [Outcome.FORK]})
    sender = Sender(world)
    async with world.running() as signer:
        sender.connect(signer)
        receipt = sender.send()
        await settle(receipt)
        (chain,) = signer.status()["chains"]

    assert isinstance(receipt.exception(), ForkError)
    assert chain["state"] == "stopped"
    assert "another seal stands under number 1" in chain["problem"]
    assert "the chain is stopped" in world.messages()


class HeldEncoding(WatchedStore):
    """A store whose encoding of seal 2 of a chain waits for the test."""

    def __init__(self, store: ScriptedStore) -> None:
        super().__init__(store)
        self.loop = asyncio.get_running_loop()
        self.arrived = asyncio.Event()
        self.released = threading.Event()

    def encode(self, sealed: Sealed) -> bytes:
        if sealed.seal.number == 2 and sealed.seal.origin.endswith("Z"):
            self.loop.call_soon_threadsafe(self.arrived.set)
            assert self.released.wait(10)
        return super().encode(sealed)


async def test_what_is_being_sealed_when_its_chain_stops_is_failed_too(
    world: World,
) -> None:
    world.pace(max_entries=2)
    fork = Delay(Outcome.FORK)
    world.store = store = HeldEncoding(world.script({"generic 1": [fork]}))
    sender = Sender(world)
    async with world.running() as signer:
        sender.connect(signer)
        receipts = [sender.send() for _ in range(3)]
        await store.arrived.wait()
        fork.released.set()
        await settle(*receipts)
        store.released.set()

    assert {type(one.exception()) for one in receipts} == {ForkError}


async def test_a_fork_of_one_chain_stops_no_other(world: World) -> None:
    never = Delay()
    world.script({"generic 1": [never]})
    first = Sender(world)
    async with world.running() as signer:
        first.connect(signer)
        first.send()
        await never.arrived.wait()

    world.settings = replace(world.settings, routing=Routing(stream="other"))
    world.script({"generic 1": [Outcome.FORK]})
    second = Sender(world, "10.0.0.2")
    async with world.running() as signer:
        second.connect(signer)
        second.send()
        await second.take_acks()
        second.send()
        await second.take_acks()
        states = {one["origin"]: one["state"] for one in signer.status()["chains"]}
        await signer.stop()

    assert sorted(states.values()) == ["running", "stopped"]
    assert world.events() == second.sent
    assert isinstance(world.records()[-1], StopRecord)


async def test_a_fork_of_the_catalogue_ends_the_process(world: World) -> None:
    world.script({"catalogue 2": [Outcome.FORK]})
    sender = Sender(world)
    with raising(ForkError) as caught:
        async with world.running() as signer:
            sender.connect(signer)
            await sender.send()

    assert "the catalogue cannot go on: another seal stands under number 2" in str(
        caught
    )
    assert "beats-signer init" in caught.hint


async def test_a_stop_stores_and_acknowledges_everything_then_says_so(
    world: World,
) -> None:
    sender = Sender(world)
    async with world.running() as signer:
        sender.connect(signer)
        receipts = [sender.send() for _ in range(3)]
        await signer.stop()
        assert all(receipt.done() for receipt in receipts)

    *_, head, stop = world.records()
    (origin,) = world.origins()
    assert isinstance(head, HeadRecord)
    assert (head.origin, head.size) == (origin, len(world.seals(origin)))
    assert isinstance(stop, StopRecord)
    assert world.events() == sender.sent
    world.verify()


async def test_nothing_is_taken_after_a_stop(world: World) -> None:
    sender = Sender(world)
    async with world.running() as signer:
        sender.connect(signer)
        sender.send()
        await sender.take_acks()
        await signer.stop()
        assert sender.send().cancelled()


async def test_the_stop_record_is_the_last_word_of_the_catalogue(world: World) -> None:
    stop = Delay()
    world.script({"catalogue 4": [stop]})
    sender = Sender(world)
    async with world.running() as signer:
        sender.connect(signer)
        sender.send()
        await sender.take_acks()
        stopping = asyncio.create_task(signer.stop())
        await stop.arrived.wait()
        world.timer.advance(600)
        stop.released.set()
        await stopping
        world.timer.advance(600)

    assert isinstance(world.records()[-1], StopRecord)
    assert world.seals(SIGNER)[-1].kind is Kind.EVENTS
    world.verify()


async def test_a_stop_that_the_store_holds_up_can_be_given_up(world: World) -> None:
    never = Delay()
    world.script({"generic 1": [never]})
    sender = Sender(world)
    async with world.running() as signer:
        sender.connect(signer)
        sender.send()
        await never.arrived.wait()
        stopping = asyncio.create_task(signer.stop())
        await asyncio.sleep(0)
        stopping.cancel()
        await asyncio.wait([stopping])

    world.script({})
    async with world.running() as signer:
        sender.connect(signer)
        await sender.take_acks()
        await signer.stop()
    assert world.events() == sender.sent
    world.verify()


class FailingDisk(Disk):
    fails = False

    def sync(self, descriptor: int) -> None:
        if self.fails:
            raise OSError(5, "Input/output error")
        super().sync(descriptor)


async def test_a_disk_that_fails_ends_the_process_and_resolves_no_receipt(
    world: World,
) -> None:
    world.disk = disk = FailingDisk()
    sender = Sender(world)
    with raising(DurabilityError):
        async with world.running() as signer:
            sender.connect(signer)
            sender.send()
            await sender.take_acks()
            disk.fails = True
            receipt = sender.send()
            await asyncio.Event().wait()

    assert not receipt.done()
