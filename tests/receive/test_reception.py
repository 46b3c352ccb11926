"""The reception: names, order, and the end of all sessions."""

import asyncio

import pytest

from beats_signer.receive.budget import Budget
from beats_signer.receive.entrance import Entrance
from beats_signer.receive.patience import Patience
from beats_signer.receive.reception import Reception
from beats_signer.receive.session import Session
from lumberjack import Limits
from tests.receive.world import Network, World, window_of


def reception_of(world: World) -> Reception:
    terms = world.terms
    return Reception(
        terms.signing,
        Budget(1 << 20),
        Patience(),
        Limits(),
        terms.log,
        timers=terms.timers,
        kernel=terms.kernel,
    )


def begin(world: World, reception: Reception, host: str = "192.0.2.1") -> Network:
    session = Entrance(reception).build_session()
    network = Network(world.timers, session)
    network.peer = (host, 40_000)
    session.connection_made(network)
    world.timers.run()
    return network


async def test_names_of_connections_do_not_repeat_after_a_restart() -> None:
    world = World()
    for _ in range(2):
        reception = reception_of(world)
        for _ in range(2):
            begin(world, reception).arrive(window_of(1))

    names = {window.source.connection for window in world.signing.windows}
    assert len(names) == 4


async def test_connections_and_windows_have_one_order() -> None:
    world = World()
    reception = reception_of(world)
    first, second = begin(world, reception), begin(world, reception)
    second.arrive(window_of(1))
    first.arrive(window_of(1))
    world.timers.run()

    late, early = world.signing.windows
    assert early.source.opened < late.source.opened < late.arrival < early.arrival


async def test_an_ipv6_sender_is_spelled_in_brackets() -> None:
    world = World()
    begin(world, reception_of(world), "2001:db8::1").arrive(window_of(1))

    (window,) = world.signing.windows
    assert window.source.peer == "[2001:db8::1]:40000"
    assert window.source.address == window.source.sender == "2001:db8::1"


async def test_a_drain_without_sessions_is_done_at_once() -> None:
    await reception_of(World()).drain()


async def test_a_drain_is_done_when_the_last_session_has_ended() -> None:
    world = World()
    reception = reception_of(world)
    networks = [begin(world, reception) for _ in range(3)]
    draining = asyncio.create_task(reception.drain())
    await asyncio.sleep(0)
    for network in networks:
        assert not draining.done()
        network.end()
        world.timers.run()
        await asyncio.sleep(0)

    await draining


async def test_a_session_that_begins_within_a_drain_ends_at_once() -> None:
    world = World()
    reception = reception_of(world)
    await reception.drain()
    late = begin(world, reception)
    late.arrive(window_of(1))
    world.timers.advance(1)

    assert world.signing.windows == []
    assert late.calls == ["write_eof", "close"]
    assert reception.sessions == set()


async def test_nobody_comes_in_while_the_memory_is_spent() -> None:
    world = World()
    reception = reception_of(world)
    await reception.wait_for_room()
    begin(world, reception).arrive(window_of(1, size=1 << 20))
    entering = asyncio.create_task(reception.wait_for_room())
    await asyncio.sleep(0)
    assert not entering.done()

    world.signing.store(0)
    await entering


async def test_who_stops_waiting_to_come_in_is_forgotten() -> None:
    world = World()
    reception = reception_of(world)
    begin(world, reception).arrive(window_of(1, size=1 << 20))
    entering = asyncio.create_task(reception.wait_for_room())
    await asyncio.sleep(0)
    entering.cancel()
    with pytest.raises(asyncio.CancelledError):
        await entering

    world.signing.store(0)
    await reception.wait_for_room()


async def test_an_abort_ends_all_sessions() -> None:
    world = World()
    reception = reception_of(world)
    networks = [begin(world, reception) for _ in range(3)]
    reception.abort()
    world.timers.run()

    assert [network.calls for network in networks] == [["abort"]] * 3
    assert reception.sessions == set[Session]()
