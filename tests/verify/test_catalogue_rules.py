"""Signers that hold every key and break one rule of the catalogue."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.verify.signer import (
    ORIGIN,
    SIGNER,
    SignedChain,
    World,
    base64_of,
    events,
    window,
)
from tests.verify.verifying import verify_world, wrong


@pytest.fixture
def world() -> World:
    """One chain with a founding and three events, not yet recorded any further."""
    world = World()
    world.chain("audit").events(events(0, 3), windows=[window(3)])
    return world


def record(world: World, **members: Any) -> None:
    """Write a record into the catalogue."""
    world.catalogue.records(members)


RECORDS: dict[str, tuple[Callable[[World], Any], list[str]]] = {
    "of an unknown kind": (
        lambda w: record(w, kind="comment"),
        ["forged record in catalogue: entry 2 of seal 3"],
    ),
    "with an unknown member": (
        lambda w: record(w, kind="start", time="2026-11-23T09:00:00.000000000Z", a=1),
        ["forged record in catalogue: entry 2 of seal 3"],
    ),
    "with a key twice": (
        lambda w: w.catalogue.seal(
            "events",
            [b'{"kind":"start","kind":"stop","time":"2026-11-23T09:00:00.000000000Z"}'],
            form="R",
        ),
        ["forged record in catalogue: entry 2 of seal 3"],
    ),
    "in another form": (
        lambda w: w.catalogue.seal(
            "events", [b'{"kind":"start","time":"2026-11-23T09:00:00.000000000Z"}']
        ),
        ["forged form in catalogue: entry 2 of seal 3"],
    ),
    "of a chain that was not founded": (
        lambda w: w.head(SignedChain(f"{SIGNER}/a/b/20261123T090000Z").found()),
        ["forged record in catalogue: entry 2 of seal 3"],
    ),
    "that founds a chain again": (
        lambda w: w.list(w.chains[0]),
        ["forged record in catalogue: entry 2 of seal 3"],
    ),
    "that founds another chain of that name": (
        lambda w: w.list(SignedChain(ORIGIN, twin="twin").found()),
        ["fork record in catalogue: entry 2 of seal 3"],
    ),
    "of a chain that shrinks": (
        lambda w: w.head(w.chains[0], size=1),
        ["truncated record in catalogue: entry 2 of seal 3"],
    ),
    "with another root of the same size": (
        lambda w: w.head(w.chains[0], root=base64_of(bytes(32))),
        ["fork record in catalogue: entry 2 of seal 3"],
    ),
    "of a longer chain": (
        lambda w: w.head(w.chains[0], size=9),
        ["truncated head in audit: seals 2-8"],
    ),
    "of a chain of another signer": (
        lambda w: w.list(w.chains[0], origin=ORIGIN.replace("signer-1", "signer-2")),
        ["forged record in catalogue: entry 2 of seal 3"],
    ),
    "of bare documents of no chain": (
        lambda w: record(
            w, kind="bare", origin=ORIGIN.replace("audit", "other"), indexes=[1]
        ),
        ["forged record in catalogue: entry 2 of seal 3"],
    ),
    "behind something in the body": (
        lambda w: w.catalogue.records(
            {"kind": "start", "time": "2026-11-23T09:00:00.000000000Z"},
            body='{"windows":[]}',
        ),
        ["forged body in catalogue: seal 3"],
    ),
}


@pytest.mark.parametrize("name", RECORDS)
def test_a_record_(name: str, world: World, tmp_path: Path) -> None:
    break_rule, expected = RECORDS[name]
    world.head(world.chains[0])

    break_rule(world)

    assert wrong(verify_world(world, tmp_path)) == expected


def test_a_recorded_head_of_another_history_is_a_fork(
    world: World, tmp_path: Path
) -> None:
    world.head(world.chains[0], root=base64_of(bytes(32)))
    world.chains[0].events(events(3, 1))
    world.head(world.chains[0])

    assert wrong(verify_world(world, tmp_path)) == ["fork head in audit: seal 1"]
