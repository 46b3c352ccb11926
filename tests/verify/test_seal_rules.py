"""Signers that hold every key and break one rule of seals: what is found, and where.

Everything else of these chains is consistent and signed, so that nothing but the
rule itself can be what is found.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from beats_signer.chain.times import SECOND
from tests.verify.signer import (
    ORIGIN,
    SIGNER,
    SMALL_ORDER,
    START,
    SignedChain,
    World,
    base64_of,
    events,
    public,
    signed,
    window,
)
from tests.verify.verifying import verify_world, wrong

Break = Callable[[SignedChain], Any]


SEALS: dict[str, tuple[Break, list[str]]] = {
    "another origin": (
        lambda c: c.seal(
            "config", body=RETENTION, origin=f"{SIGNER}/a/b/20261123T090000Z"
        ),
        ["forged text in audit: seal 2"],
    ),
    "a number too high": (
        lambda c: c.seal("config", body=RETENTION, seal=3),
        ["forged text in audit: seal 2"],
    ),
    "a second founding": (
        lambda c: c.seal("found", body=RETENTION),
        ["forged text in audit: seal 2"],
    ),
    "a heartbeat": (lambda c: c.seal("heartbeat"), ["forged text in audit: seal 2"]),
    "an unknown kind": (lambda c: c.seal("comment"), ["forged text in audit: seal 2"]),
    "events without events": (
        lambda c: c.seal("events"),
        ["forged text in audit: seal 2"],
    ),
    "entries in a config": (
        lambda c: c.seal("config", events(3, 1), body=RETENTION),
        ["forged text in audit: seal 2"],
    ),
    "a first that leaves a gap": (
        lambda c: c.seal("config", body=RETENTION, first=4),
        ["forged rules in audit: seal 2"],
    ),
    "a first that goes back": (
        lambda c: c.seal("config", body=RETENTION, first=2),
        ["forged rules in audit: seal 2"],
    ),
    "a count too high": (
        lambda c: c.events(events(3, 2), windows=[window(3)], count=3),
        [
            "missing entries in audit: entry 5 of seal 2",
            "modified unlocated in audit: entries 3-5 of seal 2",
        ],
    ),
    "a count above the limit": (
        lambda c: c.events(events(3, 2), count=65_537),
        ["forged text in audit: seal 2"],
    ),
    "a leading zero": (
        lambda c: c.seal("config", body=RETENTION, first="03"),
        ["forged text in audit: seal 2"],
    ),
    "another root": (
        lambda c: c.events(events(3, 2), root=base64_of(bytes(32))),
        ["modified unlocated in audit: entries 3-4 of seal 2"],
    ),
    "another body": (
        lambda c: (
            c.seal("config", body="{}", **{"body_": 1}) if False else other_body(c)
        ),
        ["modified body in audit: seal 2"],
    ),
    "a time that goes back": (
        lambda c: c.seal("config", body=RETENTION, time=START),
        ["forged rules in audit: seal 2"],
    ),
    "another predecessor": (
        lambda c: c.seal("config", body=RETENTION, previous=base64_of(bytes([1]) * 32)),
        ["broken-link previous in audit: seal 2"],
    ),
    "another log": (
        lambda c: c.seal("config", body=RETENTION, log=base64_of(bytes([1]) * 32)),
        ["broken-link log in audit: seal 2"],
    ),
    "a next key of small order": (
        lambda c: c.seal("config", body=RETENTION, next=SMALL_ORDER),
        ["forged text in audit: seal 2"],
    ),
    "no next key": (
        lambda c: c.seal("config", body=RETENTION, next=base64_of(bytes(32))),
        ["forged text in audit: seal 2"],
    ),
    "a close that names a next key": (
        lambda c: c.seal("close", next=base64_of(public("next"))),
        ["forged text in audit: seal 2"],
    ),
    "a seal after the close": (
        lambda c: c.seal("close").seal("config", body=RETENTION),
        ["forged rules in audit: seal 3"],
    ),
    "a signature by another key": (
        lambda c: c.seal("config", body=RETENTION, signers=signed((ORIGIN, "other"))),
        ["forged signature in audit: seal 2"],
    ),
    "a signature under another name": (
        lambda c: c.seal(
            "config", body=RETENTION, signers=signed((SIGNER, c.label(2)))
        ),
        ["forged text in audit: seal 2"],
    ),
    "a second signature": (
        lambda c: c.seal(
            "config",
            body=RETENTION,
            signers=signed((ORIGIN, c.label(2)), (SIGNER, "identity")),
        ),
        ["forged text in audit: seal 2"],
    ),
    "a body with a key twice": (
        lambda c: c.seal("config", body='{"retention_days":1,"retention_days":2}'),
        ["forged body in audit: seal 2"],
    ),
    "a body that is no JSON": (
        lambda c: c.seal("config", body="{"),
        ["forged body in audit: seal 2"],
    ),
    "a body with an unknown key": (
        lambda c: c.seal("config", body='{"retention_days":1,"comment":"x"}'),
        ["forged body in audit: seal 2"],
    ),
    "settings of the catalogue": (
        lambda c: c.seal("config", body='{"heartbeat_seconds":1}'),
        ["forged body in audit: seal 2"],
    ),
    "something in a close": (
        lambda c: c.seal("close", body=RETENTION),
        ["forged body in audit: seal 2"],
    ),
    "windows that do not add up": (
        lambda c: c.events(events(3, 2), windows=[window(3)]),
        ["forged body in audit: seal 2"],
    ),
    "a window of more events than it has": (
        lambda c: c.events(events(3, 2), windows=[window(2, size=1)]),
        ["forged body in audit: seal 2"],
    ),
    "a window that repeats itself": (
        lambda c: c.events(events(3, 2), windows=[window(2), window(0, same=3)]),
        ["forged body in audit: seal 2"],
    ),
    "a window received long before its seal": (
        lambda c: c.events(events(3, 2), windows=[window(2, START - 301 * SECOND)]),
        ["clock received in audit: seal 2"],
    ),
    "a window received long after its seal": (
        lambda c: c.events(events(3, 2), windows=[window(2, START + 304 * SECOND)]),
        ["clock received in audit: seal 2"],
    ),
    "an erasure in a chain that is not erasable": (
        lambda c: c.seal("erase", body=erase(0)),
        ["forged rules in audit: seal 2"],
    ),
    "an entry of the catalogue's form": (
        lambda c: c.events(events(3, 2), form="R"),
        ["forged form in audit: entries 3-4 of seal 2"],
    ),
}

RETENTION = '{"retention_days":365}'


def other_body(chain: SignedChain) -> None:
    """Seal a body, and store another one of the same meaning."""
    chain.seal("config", body=RETENTION)
    chain.lines[-1]["seal"]["body"] = '{"retention_days": 365}'


def erase(*indexes: int) -> str:
    """Return the body of an erasure."""
    return json.dumps({"indexes": indexes, "reason": "a request", "author": "dpo"})


@pytest.fixture
def world() -> World:
    """One chain with a founding and three events, not yet recorded any further."""
    world = World()
    world.chain("audit").events(events(0, 3), windows=[window(3)])
    return world


@pytest.mark.parametrize("name", SEALS)
def test_a_seal_with_(name: str, world: World, tmp_path: Path) -> None:
    break_rule, expected = SEALS[name]

    break_rule(world.chains[0])

    assert wrong(verify_world(world, tmp_path)) == expected


@pytest.mark.parametrize(
    "name", [name for name in SEALS if "close" not in name and "first" not in name]
)
def test_what_follows_is_not_blamed_for_a_seal_with_(
    name: str, world: World, tmp_path: Path
) -> None:
    break_rule, expected = SEALS[name]
    chain = world.chains[0]

    break_rule(chain)
    chain.entries = max(chain.entries, 3)
    chain.time = max(chain.time, START + 2 * SECOND)
    for _ in range(3):
        chain.events(events(chain.entries, 2), windows=[window(2)])
    world.head(chain)

    assert wrong(verify_world(world, tmp_path))[: len(expected)] == expected
    later = [
        found
        for found in verify_world(world, tmp_path).open_findings
        if (found.seal or 0) > 3
    ]
    assert later == []
