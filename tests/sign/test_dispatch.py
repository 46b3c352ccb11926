"""One window, several chains: one receipt, and nobody waits for a stranger."""

import asyncio

import pytest
import structlog

from beats_signer.errors import ForkError, StoreError
from beats_signer.sign.dispatch import Dispatch
from beats_signer.sign.holding import Holding
from beats_signer.sign.naming import Template
from beats_signer.sign.parting import Router
from beats_signer.sign.routing import Route, Routing, Rule
from beats_signer.sign.window import Receipt, Source, Window

SECOND = 10**9
LIMIT = 100_000


class Chain:
    """A chain that stores nothing by itself."""

    def __init__(self) -> None:
        self.windows: list[Window] = []
        self.receipts: list[Receipt] = []
        self.is_refused = False

    def append(self, item: Window, /) -> Receipt:
        self.windows.append(item)
        receipt: Receipt = asyncio.get_running_loop().create_future()
        self.receipts.append(receipt)
        return receipt

    def store(self) -> None:
        self.receipts.pop(0).set_result(None)


class World:
    """A dispatch over chains named by the events' own field ``to``."""

    def __init__(self, routing: Routing | None = None) -> None:
        self.now = 100 * SECOND
        self.chains: dict[Route, Chain] = {}
        self.is_away = False
        routing = routing or Routing(rules=(Rule(stream=Template("{to}")),))
        self.dispatch = Dispatch(
            Router(routing),
            Holding(LIMIT, lambda: self.now),
            lambda route: self.chains.setdefault(route, Chain()),
            structlog.get_logger(),
            is_away=lambda: self.is_away,
        )

    def chain(self, name: str) -> Chain:
        return self.chains["default", name]

    def send(
        self, *names: str, number: int = 1, pad: int = 0, by: str = "c1"
    ) -> Receipt:
        source = Source("web-1", None, "192.0.2.7", "192.0.2.7:1", by, 1)
        payloads = tuple(
            b'{"to":"%s","pad":"%s"}' % (name.encode(), b"x" * pad) for name in names
        )
        window = Window(
            source=source,
            number=number,
            arrival=number,
            received=0,
            version=2,
            size=len(names),
            forms=b"J" * len(names),
            payloads=payloads,
            payload_bytes=sum(map(len, payloads)),
        )
        return self.dispatch.append(window)


async def settle() -> None:
    """Let the callbacks of receipts run."""
    await asyncio.sleep(0)


async def test_a_receipt_is_done_when_all_parts_are_stored() -> None:
    world = World()
    receipt = world.send("a", "b", "a")

    world.chain("a").store()
    await settle()
    assert not receipt.done()
    world.chain("b").store()
    await settle()

    assert receipt.done()
    assert [w.entries for w in world.chain("a").windows] == [2]


async def test_a_receipt_fails_with_the_first_part_that_fails() -> None:
    world = World()
    receipt = world.send("a", "b")

    world.chain("a").receipts[0].set_exception(ForkError("stopped"))
    await settle()

    assert isinstance(receipt.exception(), ForkError)
    world.chain("b").store()


async def test_a_cancelled_part_cancels_the_receipt() -> None:
    world = World()
    receipt = world.send("a", "b")

    world.chain("a").receipts[0].cancel()
    await settle()

    assert receipt.cancelled()


async def test_an_ack_concerns_only_the_chains_that_held_its_window() -> None:
    world = World()
    world.send("a", number=1)
    world.send("a", "b", number=2)
    a, b = world.chain("a"), world.chain("b")

    assert world.dispatch.acknowledged("c1", 1) == (a,)
    assert world.dispatch.acknowledged("c1", 1) == ()
    assert world.dispatch.acknowledged("c1", 2) == (a, b)
    assert set(world.dispatch.lost("c1")) == {a, b}
    assert set(world.dispatch.lost("c1")) == set()


async def stick(world: World) -> None:
    """Let chain a wait for ever with a fifth of memory, while b goes on."""
    world.send("a", pad=LIMIT // 5)
    world.now += 11 * SECOND
    world.send("b")
    world.chain("b").store()
    await settle()


async def test_a_stuck_chain_holds_a_quarter_while_others_go_on() -> None:
    world = World()
    await stick(world)

    refused = world.send("a", pad=LIMIT // 10, by="c2")
    taken = world.send("b", by="c3")

    assert isinstance(refused.exception(), StoreError)
    assert "default/a is stuck" in str(refused.exception())
    assert not taken.done()
    assert len(world.chain("a").windows) == 1


async def test_a_window_is_refused_whole_when_one_of_its_chains_is_stuck() -> None:
    world = World()
    await stick(world)

    refused = world.send("b", "a", pad=LIMIT // 10, by="c2")

    assert isinstance(refused.exception(), StoreError)
    assert len(world.chain("b").windows) == 1


async def test_a_stuck_chain_still_takes_what_fits_into_its_share() -> None:
    world = World()
    await stick(world)

    assert not world.send("a", pad=10, by="c2").done()


async def test_when_nothing_is_stored_at_all_nobody_is_refused() -> None:
    world = World()
    world.send("b")
    world.chain("b").store()
    await settle()
    world.send("a", pad=LIMIT // 5)
    world.now += 11 * SECOND

    assert not world.send("a", pad=LIMIT // 10, by="c2").done()


async def test_a_chain_that_was_found_stuck_stays_so_until_it_moves() -> None:
    world = World()
    await stick(world)
    world.now += 11 * SECOND

    refused = world.send("a", pad=LIMIT // 10, by="c2")

    assert isinstance(refused.exception(), StoreError)


async def refuse(world: World) -> list[Receipt]:
    """Let chain a fill the memory before the store refuses what it sends."""
    receipts = [world.send("a", pad=LIMIT // 10, by=f"c{n}") for n in range(9)]
    world.chain("a").is_refused = True
    world.dispatch.heard(None)
    await settle()
    return receipts


async def test_what_a_refused_chain_holds_above_a_quarter_is_given_up_at_once() -> None:
    world = World()
    receipts = await refuse(world)

    given_up = [receipt for receipt in receipts if receipt.done()]

    assert [receipt.done() for receipt in receipts] == [False] * 2 + [True] * 7
    assert {type(receipt.exception()) for receipt in given_up} == {StoreError}
    assert "more than its share" in str(given_up[0].exception())
    refused = world.send("a", pad=LIMIT // 10, by="c20")
    assert "default/a is stuck" in str(refused.exception())


async def test_a_window_is_given_up_whole_with_what_it_has_in_another_chain() -> None:
    world = World()
    receipt = world.send("a", "b", pad=LIMIT // 4)
    world.chain("a").is_refused = True

    world.dispatch.heard(None)
    await settle()

    assert isinstance(receipt.exception(), StoreError)
    assert [one.done() for one in world.chain("b").receipts] == [False]


async def test_nothing_is_given_up_while_the_store_refuses_everything() -> None:
    world = World()
    world.is_away = True

    receipts = await refuse(world)

    assert not any(receipt.done() for receipt in receipts)


async def test_nothing_is_given_up_when_the_store_comes_back_for_others_first() -> None:
    world = World()
    receipts = [world.send("a", pad=LIMIT // 10, by=f"c{n}") for n in range(8)]
    world.send("b")
    world.now += 3600 * SECOND
    world.chain("b").store()
    world.dispatch.heard(3600)
    await settle()
    world.now += 5 * SECOND
    world.dispatch.heard(0.1)
    await settle()
    assert not any(receipt.done() for receipt in receipts)
    assert not world.send("a", by="c9").done()

    world.now += 6 * SECOND
    world.dispatch.heard(0.1)
    await settle()

    assert sum(receipt.done() for receipt in receipts) == 6
    for receipt in receipts[2:]:
        assert isinstance(receipt.exception(), StoreError)


async def test_the_one_chain_of_a_signer_may_hold_everything() -> None:
    world = World(Routing())
    receipts = [world.send("a", pad=LIMIT // 10, by=f"c{n}") for n in range(9)]
    world.chains["default", "generic"].is_refused = True
    world.now += 100 * SECOND

    world.dispatch.heard(None)
    world.dispatch.heard(0.1)
    receipts.append(world.send("a", pad=LIMIT // 10, by="c9"))
    await settle()

    assert not any(receipt.done() for receipt in receipts)


async def test_what_a_chain_holds_is_given_up_when_others_go_on_without_it() -> None:
    world = World()
    receipts = [world.send("a", pad=LIMIT // 10, by=f"c{n}") for n in range(9)]
    world.now += 9 * SECOND
    world.dispatch.heard(0.1)
    await settle()
    assert not any(receipt.done() for receipt in receipts)

    world.now += 2 * SECOND
    world.dispatch.heard(0.1)
    await settle()

    assert sum(receipt.done() for receipt in receipts) == 7
    for receipt in receipts[2:]:
        assert isinstance(receipt.exception(), StoreError)


async def test_all_stuck_chains_together_hold_half() -> None:
    world = World()
    for name in "cdef":
        world.send(name, pad=LIMIT // 8)
    await stick(world)
    world.send("g")
    world.now += 11 * SECOND
    world.send("b")
    world.chain("b").store()
    await settle()

    assert isinstance(world.send("g", by="c2").exception(), StoreError)


async def test_a_chain_that_moves_again_is_not_stuck() -> None:
    world = World()
    await stick(world)
    world.chain("a").store()
    await settle()

    assert not world.send("a", pad=LIMIT // 3, by="c2").done()


@pytest.mark.parametrize("idle_seconds", [11, 10_000])
async def test_a_chain_is_not_stuck_because_nobody_used_it(idle_seconds: int) -> None:
    world = World()
    world.send("a")
    world.chain("a").store()
    await settle()
    world.now += idle_seconds * SECOND
    world.send("b")
    world.chain("b").store()
    await settle()

    assert not world.send("a", pad=LIMIT // 2).done()
