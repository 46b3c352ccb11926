"""Settings that chains state: a change of the configuration is sealed, once."""

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from beats_signer.chain.body import ConfigBody
from beats_signer.chain.seal import Kind
from beats_signer.sign.journal import Journal
from beats_signer.sign.naming import Template
from beats_signer.sign.routing import Routing, Rule
from tests.sign.lives import chain_of, die_when, live
from tests.sign.senders import Sender
from tests.sign.world import SIGNER, World

_DOWNGRADE = """
DROP TABLE bare;
ALTER TABLE chains DROP COLUMN retention_days;
ALTER TABLE chains DROP COLUMN heartbeat_seconds;
ALTER TABLE chains DROP COLUMN identity;
PRAGMA user_version = 1;
"""


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def retain(world: World, days: int | None) -> None:
    world.settings = replace(world.settings, routing=Routing(retention_days=days))


def configs(world: World, origin: str) -> list[tuple[int, ConfigBody]]:
    """Return the configuration seals of a chain, each with its number."""
    return [
        (seal.number, ConfigBody.parse(body))
        for seal, body in world.sealed(origin)
        if seal.kind is Kind.CONFIG
    ]


async def test_a_changed_retention_is_sealed_before_the_events_it_holds_for(
    world: World,
) -> None:
    sender = Sender(world)
    retain(world, 90)
    await live(world, sender)
    retain(world, 365)
    await live(world, sender)

    origin, _ = chain_of(world)
    assert configs(world, origin) == [(2, ConfigBody(retention_days=365))]
    assert [seal.kind for seal in world.seals(origin)][3] is Kind.EVENTS
    world.verify()


async def test_a_retention_that_stays_is_stated_once(world: World) -> None:
    sender = Sender(world)
    for days in (90, None, None, None):
        retain(world, days)
        await live(world, sender)

    origin, _ = chain_of(world)
    assert configs(world, origin) == [(2, ConfigBody(retention_days=None))]
    world.verify()


async def test_a_rule_for_another_stream_changes_no_chain(world: World) -> None:
    sender = Sender(world)
    retain(world, 90)
    await live(world, sender)
    rules = (Rule(stream=Template("other"), retention_days=7),)
    world.settings = replace(
        world.settings, routing=Routing(retention_days=90, rules=rules)
    )
    await live(world, sender)

    assert [configs(world, origin) for origin in world.origins()] == [[], []]
    world.verify()


async def test_a_crash_with_the_configuration_seal_on_its_way_does_not_double_it(
    world: World,
) -> None:
    sender = Sender(world)
    retain(world, 90)
    await live(world, sender)
    retain(world, 365)
    await die_when(world, "generic 2")
    await live(world, sender)

    origin, _ = chain_of(world)
    assert configs(world, origin) == [(2, ConfigBody(retention_days=365))]
    world.verify()


async def test_a_changed_heartbeat_is_sealed_in_the_catalogue(world: World) -> None:
    sender = Sender(world)
    await live(world, sender)
    world.settings = replace(world.settings, heartbeat_seconds=20)
    await live(world, sender)
    await live(world, sender)

    ((_, body),) = configs(world, SIGNER)
    assert body == ConfigBody(heartbeat_seconds=20)
    world.verify()


async def test_a_journal_of_version_1_knows_its_settings_by_its_foundings(
    world: World,
) -> None:
    sender = Sender(world)
    retain(world, 90)
    await live(world, sender)
    with sqlite3.connect(world.state / "journal.db") as database:
        database.executescript(_DOWNGRADE)
    database.close()

    journal = Journal.open(world.state / "journal.db")
    catalogue, chain = journal.chains()
    journal.close()
    assert (catalogue.retention_days, catalogue.heartbeat_seconds) == (None, 60)
    assert (chain.retention_days, chain.heartbeat_seconds) == (90, None)
    await live(world, sender)
    world.verify()
