"""What is believed of seals behind damage, and what is not.

Somebody without the signer's keys has removed seals and put his own behind the
gap: they hold together among themselves, and nothing that is trusted commits to
them.
"""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from beats_signer.chain.times import SECOND
from tests.verify.damage import Lines, entry_at, seal_at
from tests.verify.signer import (
    SIGNER,
    START,
    SignedChain,
    World,
    base64_of,
    events,
    head,
    identity,
    key,
)
from tests.verify.verifying import verify_world, wrong

DAY = 86_400 * SECOND


def forged(chain: SignedChain) -> None:
    """Add a seal that another key has signed."""
    signers = [(chain.origin, key("forger"))]
    chain.events(events(chain.entries, 2), signers=signers)


def unlinked(at: int) -> dict[str, Any]:
    """Return the lines of a seal: that of seal 7 names another predecessor."""
    return {"previous": base64_of(bytes([1]) * 32)} if at == 6 else {}


def removed(world: World, first: int, stop: int) -> Lines:
    """Take seals out of the first chain."""
    lines = world.chains[0].lines
    del lines[seal_at(first) : seal_at(stop)]
    return lines


def test_a_forged_seal_in_the_place_of_the_last_is_forged(
    world: World, lines: Lines, tmp_path: Path
) -> None:
    forger = World().chain("audit")
    for at in range(3):
        forger.events(events(3 * at, 3))
    forged(forger)
    lines[seal_at(4) : seal_at(4)] = forger.lines[seal_at(4) :]

    assert [found.split(":")[0] for found in wrong(verify_world(world, tmp_path))] == [
        "forged signature in audit"
    ]


def test_a_forged_seal_behind_its_place_is_forged(
    world: World, lines: Lines, tmp_path: Path
) -> None:
    forger = World().chain("audit")
    for at in range(2):
        forger.events(events(3 * at, 3))
    forged(forger)
    lines[seal_at(4) : seal_at(4)] = forger.lines[seal_at(3) :]

    assert wrong(verify_world(world, tmp_path)) == ["forged signature in audit: seal 3"]


def test_a_claim_that_contradicts_the_log_is_a_broken_link(
    world: World, tmp_path: Path
) -> None:
    chain = world.chains[0]
    chain.events(events(15, 3))
    chain.events(events(18, 3), log=base64_of(bytes([1]) * 32))
    removed(world, 6, 7)

    assert wrong(verify_world(world, tmp_path)) == [
        "missing seals in audit: entries 15-17 of seal 6",
        "broken-link log in audit: seal 7",
        "unproven seals in audit: entries 18-20 of seal 7",
    ]


def test_a_claim_of_entries_that_are_taken_is_forged(
    world: World, tmp_path: Path
) -> None:
    chain = world.chains[0]
    chain.events(events(15, 3))
    chain.entries = 12
    chain.events(events(12, 3))
    removed(world, 6, 7)

    assert "forged rules in audit: seal 7" in wrong(verify_world(world, tmp_path))


def test_a_head_proves_nothing_across_a_link_that_is_broken(tmp_path: Path) -> None:
    world = World()
    chain = world.chain("audit")
    for at in range(4):
        chain.events(events(3 * at, 3))
    for at in range(4, 8):
        chain.events(events(3 * at, 3), **unlinked(at))
    world.head(chain)
    removed(world, 2, 4)

    assert wrong(verify_world(world, tmp_path)) == [
        "missing seals in audit: entries 3-8 of seals 2-3",
        "broken-link previous in audit: seal 7",
    ]


def test_a_head_proves_nothing_before_a_link_that_is_broken_behind_a_lost_log(
    tmp_path: Path,
) -> None:
    world = World()
    chain = world.chain("audit")
    for at in range(9):
        chain.events(events(3 * at, 3), **unlinked(at))
    world.head(chain)
    removed(world, 2, 5)

    assert wrong(verify_world(world, tmp_path)) == [
        "missing seals in audit: entries 3-11 of seals 2-4",
        "broken-link previous in audit: seal 7",
        "unproven seals in audit: entries 12-17 of seals 5-6",
    ]


def test_of_many_gaps_each_claim_is_told_apart_up_to_a_bound(tmp_path: Path) -> None:
    world = World()
    chain = world.chain("audit")
    kept = chain.lines[:1]
    for at in range(60):
        chain.events(events(at, 1))
        if at % 3 == 2:
            kept += chain.lines[-2:]
    chain.lines = kept

    found = wrong(verify_world(world, tmp_path))

    assert len([each for each in found if each.startswith("missing seals")]) == 20
    assert len([each for each in found if each.startswith("unproven seals")]) == 20


@pytest.mark.parametrize("line", ["seal", "entry"])
def test_records_of_a_forged_catalogue_seal_prove_no_chain(
    tmp_path: Path, line: str
) -> None:
    world = World()
    stranger = SignedChain(
        f"{SIGNER}/acme/stranger/20261123T090000Z", twin=line
    ).found()
    stranger.events(events(0, 3))
    world.chains.append(stranger)
    signers = [(SIGNER, key("forger"))]
    record = {"kind": "found", "origin": stranger.origin, "note": stranger.notes[0]}
    world.catalogue.records(record, head(stranger), signers=signers)
    world.catalogue.seal("heartbeat", signers=signers)
    world.checkpoint = world.sign_checkpoint(1)

    report = verify_world(world, tmp_path)

    assert "unproven listing in stranger" in wrong(report)
    assert report.entries == 0


def test_a_chain_whose_founding_record_is_lost_is_proven_by_its_heads(
    world: World, tmp_path: Path
) -> None:
    lost = next(line for line in world.catalogue.lines if "entry" in line)
    lost["entry"]["payload"] = "{}"

    report = verify_world(world, tmp_path)

    assert wrong(report) == ["modified entry in catalogue: entry 0 of seal 1"]
    assert report.entries == 17


def test_a_chain_whose_founding_record_and_founding_are_lost_is_not_proven(
    world: World, lines: Lines, tmp_path: Path
) -> None:
    lost = next(line for line in world.catalogue.lines if "entry" in line)
    lost["entry"]["payload"] = "{}"
    del lines[0]

    assert wrong(verify_world(world, tmp_path)) == [
        "modified entry in catalogue: entry 0 of seal 1",
        "unproven listing in audit",
    ]


def test_an_entry_changed_in_a_seal_with_a_bad_signature_is_found_too(
    world: World, lines: Lines, tmp_path: Path
) -> None:
    seal = lines[seal_at(2)]["seal"]
    seal["note"] = seal["note"][:-7] + "AAAA" + seal["note"][-3:]
    lines[entry_at(4)]["entry"]["payload"] = "{}"

    assert wrong(verify_world(world, tmp_path)) == [
        "forged signature in audit: seal 2",
        "modified entry in audit: entry 4 of seal 2",
    ]


def test_a_seal_with_a_bad_signature_at_the_end_proves_no_events(
    world: World, lines: Lines, tmp_path: Path
) -> None:
    seal = lines[seal_at(5)]["seal"]
    seal["note"] = seal["note"][:-7] + "AAAA" + seal["note"][-3:]

    report = verify_world(world, tmp_path)

    assert wrong(report) == ["forged signature in audit: seal 5"]
    assert report.entries == 14


@pytest.mark.parametrize("config_is_damaged", [False, True])
def test_a_config_with_a_bad_signature_holds_when_its_successor_names_it(
    tmp_path: Path, config_is_damaged: bool
) -> None:
    world = World()
    chain = world.chain(settings={"retention_days": 1})
    chain.seal("config", body='{"retention_days":null}')
    if config_is_damaged:
        seal = chain.lines[-1]["seal"]
        seal["note"] = seal["note"][:-7] + "AAAA" + seal["note"][-3:]
    chain.events(events(0, 2), absent={0: "expired"})
    world.head(chain)
    world.catalogue.seal("heartbeat", time=START + 2 * DAY)

    assert "missing expired-early in audit: entry 0 of seal 2" in wrong(
        verify_world(world, tmp_path, START + 2 * DAY)
    )


def test_a_retention_that_was_claimed_in_vain_does_not_hold(tmp_path: Path) -> None:
    world = World()
    chain = world.chain(settings={"retention_days": None})
    for at in range(2):
        chain.events(events(at, 1))
    chain.seal("config", body='{"retention_days":1}')
    for at in range(2, 4):
        chain.events(events(at, 1))
    for at in range(4, 7):
        chain.events(events(at, 1), absent={4: "expired"})
    world.head(chain)
    world.catalogue.seal("heartbeat", time=START + 2 * DAY)
    kept = [0, *at_seals(chain, 3), *at_seals(chain, 6, 7, 8)]
    chain.lines = [chain.lines[at] for at in kept]

    report = verify_world(world, tmp_path, START + 2 * DAY)

    assert wrong(report) == [
        "missing seals in audit: entries 0-3 of seals 1-5",
        "unproven seals in audit: seal 3",
        "missing expired-early in audit: entry 4 of seal 6",
    ]
    assert report.entries == 2


def at_seals(chain: SignedChain, *numbers: int) -> list[int]:
    """Return the lines of some seals and of their entries."""
    found, wanted = [], False
    for at, line in enumerate(chain.lines):
        wanted = line["seal"]["number"] in numbers if "seal" in line else wanted
        found += [at] if wanted else []
    return found


def test_events_of_claims_that_came_to_nothing_are_not_counted(tmp_path: Path) -> None:
    world = World()
    chain = world.chain()
    for at in range(9):
        chain.events(events(at, 1))
    world.head(chain)
    kept = [0, *at_seals(chain, 3), *at_seals(chain, 6, 7, 8, 9)]
    chain.lines = [chain.lines[at] for at in kept]

    assert verify_world(world, tmp_path).entries == 4


def test_an_inserted_seal_does_not_hide_that_the_tail_is_cut(
    world: World, lines: Lines, tmp_path: Path
) -> None:
    del lines[seal_at(5) :]
    seal = lines[seal_at(4)]["seal"]
    seal["note"] = seal["note"][:-7] + "AAAA" + seal["note"][-3:]
    lines.insert(seal_at(4), {"seal": seal | {"note": "nonsense"}})

    assert wrong(verify_world(world, tmp_path)) == [
        "forged text in audit: seal 4",
        "forged signature in audit: seal 4",
        "truncated head in audit: seal 5",
    ]


def test_a_head_in_an_inserted_seal_of_the_catalogue_is_not_believed(
    world: World, tmp_path: Path
) -> None:
    genuine, chain = world.catalogue, world.chains[0]
    forger, at = deepcopy(genuine), len(genuine.lines)
    forger.records(head(chain) | {"size": 9}, signers=[(SIGNER, key("forger"))])
    world.head(chain)
    genuine.lines[at:at] = forger.lines[at:]

    assert wrong(verify_world(world, tmp_path)) == [
        "forged signature in catalogue: seal 9"
    ]


def test_an_identity_that_was_only_claimed_signs_no_checkpoint(tmp_path: Path) -> None:
    world = World()
    catalogue = world.catalogue
    catalogue.seal("heartbeat")
    body = json.dumps({"identity": str(identity("forger"))})
    catalogue.seal("config", body=body, signers=[(SIGNER, key("forger"))])
    catalogue.seal("heartbeat")
    del catalogue.lines[1]
    world.checkpoint_label = "forger"

    assert wrong(verify_world(world, tmp_path)) == [
        "missing seals in catalogue: seal 1",
        "unproven seals in catalogue: seals 2-3",
        "forged checkpoint in catalogue",
    ]


def test_a_removed_seal_of_the_catalogue_does_not_call_its_chains_forged(
    world: World, tmp_path: Path
) -> None:
    del world.catalogue.lines[1:3]

    report = verify_world(world, tmp_path)

    assert wrong(report) == ["missing seals in catalogue: entry 0 of seal 1"]
    assert report.entries == 17


def test_a_chain_listed_in_a_last_seal_that_is_damaged_is_not_called_forged(
    tmp_path: Path,
) -> None:
    world = World()
    world.chain("late").events(events(0, 3))
    world.catalogue.lines[1]["seal"]["note"] = "nonsense"

    assert wrong(verify_world(world, tmp_path)) == [
        "forged text in catalogue: seal 1",
        "unproven listing in late",
    ]


@pytest.mark.parametrize("between", ["nonsense", "founding"])
def test_what_stands_behind_a_doubted_catalogue_seal_does_not_confirm_it(
    world: World, tmp_path: Path, between: str
) -> None:
    genuine, chain = world.catalogue, world.chains[0]
    seal = genuine.lines[3]["seal"]  # accepted in spite of its signature
    seal["note"] = seal["note"][:-7] + "AAAA" + seal["note"][-3:]
    forger, at = deepcopy(genuine), len(genuine.lines)
    forger.records(head(chain) | {"size": 9}, signers=[(SIGNER, key("forger"))])
    junk = {"seal": genuine.lines[0]["seal"]}
    if between == "nonsense":
        junk = {"seal": junk["seal"] | {"note": "nonsense"}}
    genuine.lines[at:at] = [*forger.lines[at:], junk]

    found = wrong(verify_world(world, tmp_path))

    assert not [each for each in found if " in audit" in each]


def test_a_doubted_catalogue_seal_that_its_successor_names_is_read(
    world: World, tmp_path: Path
) -> None:
    chain = world.chains[0]
    chain.events(events(15, 3))
    world.head(chain)
    seal = world.catalogue.lines[-2]["seal"]
    seal["note"] = seal["note"][:-7] + "AAAA" + seal["note"][-3:]
    world.catalogue.seal("heartbeat")
    del chain.lines[seal_at(6) :]

    assert wrong(verify_world(world, tmp_path)) == [
        "forged signature in catalogue: seal 9",
        "truncated head in audit: seal 6",
    ]
