"""Rules that change while the signer runs."""

from dataclasses import replace
from pathlib import Path

import pytest

from beats_signer.chain.body import ConfigBody
from beats_signer.chain.seal import Kind
from beats_signer.sign.naming import Template
from beats_signer.sign.parting import Router
from beats_signer.sign.routing import Astray, Routing, Rule
from tests.sign.lives import live
from tests.sign.senders import Sender, build_window
from tests.sign.world import World


def named(stream: str, *, days: int | None = None) -> Routing:
    """Return rules that send every event of 10.0.0.1 to one stream."""
    rule = Rule(senders=("10.0.0.1",), stream=Template(stream), retention_days=days)
    return Routing(rules=(rule,))


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    world.settings = replace(world.settings, routing=named("a", days=90))
    return world


def kinds(world: World, stream: str) -> list[Kind]:
    (origin,) = [one for one in world.origins() if f"/{stream}/" in one]
    return [seal.kind for seal in world.seals(origin)]


async def test_the_next_window_goes_by_the_new_rules(world: World) -> None:
    world.settings = replace(world.settings, routing=named("a"))
    sender = Sender(world)
    async with world.running() as signer:
        sender.connect(signer)
        sender.send()
        signer.change_routing(named("b"))
        sender.send()
        await sender.take_acks()
        sender.lose()
        await signer.stop()

    assert kinds(world, "a") == [Kind.FOUND, Kind.EVENTS]
    assert kinds(world, "b") == [Kind.FOUND, Kind.EVENTS]
    world.verify()


async def test_a_changed_retention_is_sealed_before_the_events_it_holds_for(
    world: World,
) -> None:
    sender = Sender(world)
    async with world.running() as signer:
        sender.connect(signer)
        sender.send()
        await sender.take_acks()
        signer.change_routing(named("a", days=365))
        sender.send()
        await sender.take_acks()
        sender.lose()
        await signer.stop()
    world.settings = replace(world.settings, routing=named("a", days=365))
    await live(world, sender)

    assert kinds(world, "a") == [
        Kind.FOUND,
        Kind.EVENTS,
        Kind.CONFIG,
        *[Kind.EVENTS] * 2,
    ]
    (origin,) = world.origins()
    _, _, (_, body), *_ = world.sealed(origin)
    assert ConfigBody.parse(body) == ConfigBody(retention_days=365)
    world.verify()


async def test_rules_that_change_no_retention_seal_nothing(world: World) -> None:
    await live(world, Sender(world))
    async with world.running() as signer:
        signer.change_routing(replace(named("a", days=90), max_chains=7))
        await signer.stop()

    assert kinds(world, "a") == [Kind.FOUND, Kind.EVENTS]
    world.verify()


def test_chains_that_are_known_count_under_the_new_rules_too(world: World) -> None:
    router = Router(replace(named("a"), max_chains=2))
    source = Sender(world).source
    window = build_window(source, 1, (b"{}",), 1, 1)
    router.part(window)

    router.change(replace(named("b"), max_chains=1))
    (refused,) = router.part(window)
    router.change(replace(named("a"), max_chains=1))
    (known,) = router.part(window)

    assert refused.route == ("default", "generic")
    assert router.astray[Astray.TOO_MANY.value] == 1
    assert known.route == ("default", "a")
