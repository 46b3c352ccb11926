"""Signers that hold every key and break one rule: what is found, and where.

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
    SIGNER,
    START,
    SignedChain,
    World,
    base64_of,
    events,
    identity,
    key,
    public,
    window,
)
from tests.verify.verifying import verify_world, wrong

Break = Callable[[SignedChain], Any]
SMALL_ORDER = base64_of(bytes([1]) + bytes(31))
ORIGIN = f"{SIGNER}/acme/audit/20261123T090000Z"


def signed(*labels: tuple[str, str]) -> list[Any]:
    """Return signers by name and key label."""
    return [(name, key(label)) for name, label in labels]


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


FOUNDINGS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "another identity": (
        {"identity": str(identity("stranger"))},
        [
            "forged founding in audit: seal 0",
        ],
    ),
    "another key": (
        {"key": base64_of(public("stranger"))},
        ["forged signature in audit: seal 0"],
    ),
    "a salt of another size": ({"salt_bytes": 8}, ["forged body in audit: seal 0"]),
    "no retention at all": ({"retention_days": 0}, ["forged body in audit: seal 0"]),
    "a predecessor": (
        {
            "predecessor": {
                "origin": f"{SIGNER}/acme/audit/20250101T000000Z",
                "chain": base64_of(bytes([1]) * 32),
                "number": 7,
                "hash": base64_of(bytes([2]) * 32),
            }
        },
        ["discontinuity predecessor in audit: seal 0"],
    ),
    "a key of small order": ({"key": SMALL_ORDER}, ["forged body in audit: seal 0"]),
}


@pytest.mark.parametrize("name", FOUNDINGS)
def test_a_founding_with_(name: str, tmp_path: Path) -> None:
    changes, expected = FOUNDINGS[name]
    world = World()
    chain = SignedChain(ORIGIN).found(**changes)
    chain.events(events(0, 3))
    world.chains.append(chain)
    world.list(chain)

    assert wrong(verify_world(world, tmp_path)) == expected


@pytest.mark.parametrize(
    "signers",
    [
        signed((SIGNER, "identity"), (ORIGIN, f"{ORIGIN}  0")),
        signed((ORIGIN, f"{ORIGIN}  0")),
        signed((ORIGIN, f"{ORIGIN}  0"), (SIGNER, "stranger")),
        signed((ORIGIN, f"{ORIGIN}  0"), (SIGNER, "identity"), (SIGNER, "identity")),
    ],
    ids=["the other order", "one only", "another identity", "three"],
)
def test_a_founding_that_is_signed_otherwise_is_not_listed(
    signers: list[Any], tmp_path: Path
) -> None:
    world = World()
    chain = SignedChain(ORIGIN).found(signers=signers)
    world.chains.append(chain)
    world.list(chain)

    assert wrong(verify_world(world, tmp_path))[0] == (
        "forged record in catalogue: entry 0 of seal 1"
    )


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


def test_a_predecessor_that_was_recorded_further_is_truncated(
    world: World, tmp_path: Path
) -> None:
    old = world.chains[0]
    world.head(old)
    chain = SignedChain(
        ORIGIN.replace("090000", "100000"),
        predecessor={
            "origin": old.origin,
            "chain": base64_of(old.hashes[0]),
            "number": 0,
            "hash": base64_of(old.hashes[0]),
        },
    ).found()
    world.chains.append(chain)
    world.list(chain)

    assert wrong(verify_world(world, tmp_path)) == [
        "discontinuity predecessor in audit: seal 0",
        "truncated predecessor in audit",
    ]


def test_another_identity_of_the_catalogue_holds_for_what_is_founded_later(
    world: World, tmp_path: Path
) -> None:
    body = json.dumps({"identity": str(identity("second"))})
    world.catalogue.seal("config", body=body)
    chain = SignedChain(
        ORIGIN.replace("audit", "later"), identity_label="second"
    ).found()
    world.chains.append(chain)
    world.list(chain)
    world.checkpoint_label = "second"

    assert wrong(verify_world(world, tmp_path)) == []


def test_a_checkpoint_by_a_later_identity_does_not_reach_before_it(
    world: World, tmp_path: Path
) -> None:
    body = json.dumps({"identity": str(identity("second"))})
    world.catalogue.seal("config", body=body)
    world.checkpoint_label = "second"
    world.checkpoint = world.sign_checkpoint(1)

    assert wrong(verify_world(world, tmp_path)) == ["forged checkpoint in catalogue"]


def test_a_forged_identity_cannot_sign_the_checkpoint_that_proves_it(
    world: World, tmp_path: Path
) -> None:
    body = json.dumps({"identity": str(identity("stranger"))})
    chain = world.catalogue
    chain.seal("config", body=body, signers=signed((SIGNER, "stranger")))
    chain.seal("heartbeat")
    world.checkpoint_label = "stranger"

    assert wrong(verify_world(world, tmp_path)) == [
        "forged signature in catalogue: seal 2",
        "unproven seals in catalogue: seals 2-3",
        "forged checkpoint in catalogue",
    ]
