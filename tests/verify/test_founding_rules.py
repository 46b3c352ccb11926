"""Signers that hold every key and break one rule of foundings."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.verify.signer import (
    ORIGIN,
    SIGNER,
    SMALL_ORDER,
    SignedChain,
    World,
    base64_of,
    events,
    identity,
    public,
    signed,
    window,
)
from tests.verify.verifying import verify_world, wrong


@pytest.fixture
def world() -> World:
    """One chain with a founding and three events, not yet recorded any further."""
    world = World()
    world.chain("audit").events(events(0, 3), windows=[window(3)])
    return world


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


def test_a_closed_chain_is_followed_by_another_without_a_finding(
    world: World, tmp_path: Path
) -> None:
    old = world.chains[0].seal("close")
    world.head(old)
    chain = SignedChain(ORIGIN.replace("090000", "100000")).found()
    world.chains.append(chain)
    world.list(chain)

    assert wrong(verify_world(world, tmp_path)) == []


def test_a_close_that_is_cut_off_is_missed(world: World, tmp_path: Path) -> None:
    chain = world.chains[0].seal("close")
    world.head(chain)
    chain.lines.pop()

    assert wrong(verify_world(world, tmp_path)) == [
        "truncated head in audit: seal 2",
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
