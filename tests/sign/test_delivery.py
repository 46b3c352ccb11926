"""While the store fails, or is away: nothing is lost, and nothing grows for ever."""

import pytest

from beats_signer.chain.seal import Kind
from beats_signer.errors import RefusedError, StoreError
from beats_signer.operate.logging import build_logger
from beats_signer.sign.delivery import Delivery
from beats_signer.store.contract import Appended, Store, Write
from tests.fakes.faulty import Delay, Outcome
from tests.fakes.passing import PassingStore
from tests.fakes.times import ManualTimer
from tests.sign.senders import Sender
from tests.sign.world import SIGNER, World
from tests.store.chains import Chain, to_write


def counts(world: World) -> list[int]:
    """Return the number of entries of each seal with entries of the one chain."""
    (origin,) = world.origins()
    return [seal.count for seal in world.seals(origin) if seal.kind is Kind.EVENTS]


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.FAILED_BUT_STORED])
async def test_a_seal_is_sent_until_the_store_confirms_it(
    world: World, outcome: Outcome
) -> None:
    store = world.script({"generic 1": [outcome] * 9})
    sender = Sender(world)
    async with world.running() as signer:
        sender.connect(signer)
        sender.send()
        await sender.take_acks()
        assert signer.status()["chains"][0]["problem"] is None
        await signer.stop()

    assert store.attempts("generic 1") == 10
    assert world.events() == sender.sent
    world.verify()


async def test_pauses_between_attempts_grow_to_a_bound_and_vary(world: World) -> None:
    world.script({"generic 1": [Outcome.FAILED] * 12})
    sender = Sender(world)
    async with world.running() as signer:
        sender.connect(signer)
        sender.send()
        await sender.take_acks()

    pauses = [pause for pause in world.timer.pauses if pause > 0]
    bounds = [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5, 5, 5, 5, 5, 5]
    assert [b / 2 <= p <= b for p, b in zip(pauses, bounds, strict=True)] == [True] * 12
    assert len(set(pauses[6:])) > 1


async def test_the_status_names_what_keeps_the_store_from_confirming(
    world: World,
) -> None:
    world.script({"generic 1": [Outcome.FAILED, delay := Delay()]})
    sender = Sender(world)
    async with world.running() as signer:
        sender.connect(signer)
        sender.send()
        await delay.arrived.wait()
        (chain,) = signer.status()["chains"]
        assert "seal 1 of " in chain["problem"]
        assert "failed and is not stored" in chain["problem"]
        assert signer.status()["journal_bytes"] > 0
        delay.released.set()
        await sender.take_acks()
        assert signer.status()["journal_bytes"] == 0


async def test_the_status_says_for_how_long_the_store_has_not_answered(
    world: World,
) -> None:
    world.script({"generic 1": [delay := Delay()]})
    sender = Sender(world)
    async with world.running() as signer:
        sender.connect(signer)
        sender.send()
        await delay.arrived.wait()
        world.timer.advance(14)
        assert signer.status()["chains"][0]["problem"] is None
        world.timer.advance(6)
        (chain,) = signer.status()["chains"]
        assert chain["problem"] == "the store has not answered for 20 seconds"
        delay.released.set()
        await sender.take_acks()
        assert signer.status()["chains"][0]["problem"] is None


async def test_a_full_share_of_the_journal_stops_the_sealing_and_not_for_good(
    world: World,
) -> None:
    world.pace(in_flight=50, max_entries=2, journal_bytes=1)
    first = Delay()
    world.script({"generic 1": [first]})
    sender = Sender(world)
    async with world.running() as signer:
        sender.connect(signer)
        sender.send()
        await first.arrived.wait()
        sender.send()
        sender.send()
        other = signer.status()["catalogue"]
        assert signer.status()["chains"][0]["waiting_windows"] == 2
        assert other["state"] == "running"
        first.released.set()
        await sender.take_acks()
        await signer.stop()

    assert counts(world) == [2, 2, 2]
    world.verify()


async def test_windows_are_sealed_within_minutes_even_while_the_store_is_away(
    world: World,
) -> None:
    world.pace(in_flight=1, max_entries=4)
    away = Delay()
    world.script({"generic 1": [away]})
    sender = Sender(world)
    async with world.running() as signer:
        sender.connect(signer)
        sender.send()
        await away.arrived.wait()
        for _ in range(6):
            sender.send()
        for _ in range(10):
            world.clock.advance(60)
            world.timer.advance(60)
            await catalogue_speaks(world)
        assert signer.status()["chains"][0]["waiting_windows"] == 0
        away.released.set()
        await sender.take_acks()
        await signer.stop()

    assert counts(world) == [2, 4, 4, 4]
    assert world.events() == sender.sent
    world.verify()


async def catalogue_speaks(world: World) -> None:
    """Wait for a seal of the catalogue: it comes after what the chain had to seal."""
    seals = len(world.seals(SIGNER))
    await world.store.until(lambda: len(world.seals(SIGNER)) > seals)


async def test_windows_of_lost_connections_do_not_pile_up_while_the_store_is_away(
    world: World,
) -> None:
    world.pace(in_flight=1)
    stuck = Delay()
    world.script({"generic 1": [Outcome.FAILED, stuck]})
    sender = Sender(world)
    async with world.running() as signer:
        sender.connect(signer)
        sender.send()
        await stuck.arrived.wait()
        for _ in range(100):
            sender.lose()
            sender.connect(signer)
            sender.send()
            sender.open.pop()  # nobody waits for this one any more
        (chain,) = signer.status()["chains"]
        assert chain["waiting_windows"] <= 2
        stuck.released.set()
        await sender.take_acks()
    world.verify()


class RefusingStore(PassingStore):
    """A store that takes seven seconds to refuse a seal, as often as the test says."""

    def __init__(
        self, store: Store, errors: list[StoreError], timer: ManualTimer
    ) -> None:
        super().__init__(store)
        self._errors = errors
        self._timer = timer

    async def append(self, write: Write) -> Appended:
        if self._errors:
            self._timer.advance(7)
            raise self._errors.pop(0)
        return Appended()


@pytest.mark.parametrize(
    ("errors", "heard"),
    [
        ([], [(0.0, False)]),
        ([StoreError("away")], [(7.0, False)]),
        ([RefusedError("blocked")], [(None, True), (7.0, False)]),
        (
            [RefusedError("blocked"), StoreError("away"), RefusedError("blocked")],
            [(None, True), (None, True), (21.0, False)],
        ),
    ],
)
async def test_who_shares_the_memory_hears_what_is_stored_and_what_is_refused(
    world: World, errors: list[StoreError], heard: list[tuple[float | None, bool]]
) -> None:
    told: list[tuple[float | None, bool]] = []
    timer = ManualTimer()
    delivery = Delivery(
        RefusingStore(world.memory, errors, timer),
        timer,
        bytes,
        build_logger(world.log),
        lambda seconds: told.append((seconds, delivery.is_refused)),
    )

    await delivery.store(to_write(Chain().config()))

    assert told == heard
