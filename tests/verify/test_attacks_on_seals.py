"""Attacks by somebody without keys on the seals of a chain: found, and where."""

from pathlib import Path

import pytest

from tests.verify.damage import Lines, change_line, seal_at
from tests.verify.signer import World, events
from tests.verify.verifying import verify_world, wrong


def test_a_changed_body_is_found_at_its_seal(
    world: World, lines: Lines, tmp_path: Path
) -> None:
    seal = lines[seal_at(2)]["seal"]
    seal["body"] = seal["body"].replace("web-1", "web-2")

    assert wrong(verify_world(world, tmp_path)) == ["modified body in audit: seal 2"]


def test_a_changed_signature_is_forged_and_what_follows_is_proven_by_a_head(
    world: World, lines: Lines, tmp_path: Path
) -> None:
    seal = lines[seal_at(2)]["seal"]
    seal["note"] = seal["note"][:-7] + "AAAA" + seal["note"][-3:]

    assert wrong(verify_world(world, tmp_path)) == ["forged signature in audit: seal 2"]


@pytest.mark.parametrize("line", ["time", "root", "next", "body", "previous", "log"])
def test_a_changed_seal_is_forged_and_what_follows_is_proven_by_a_head(
    world: World, lines: Lines, tmp_path: Path, line: str
) -> None:
    change_line(lines[seal_at(2)], line)

    report = verify_world(world, tmp_path)

    assert [found.split(":")[0] for found in wrong(report)] == [
        "forged signature in audit"
    ]
    assert report.open_findings[0].seal == 2


def test_damage_before_the_last_head_leaves_no_more_than_itself(
    world: World, lines: Lines, tmp_path: Path
) -> None:
    lines[seal_at(4)]["seal"]["note"] = "nonsense"

    assert wrong(verify_world(world, tmp_path)) == ["forged text in audit: seal 4"]


def test_a_removed_seal_is_missing_with_its_entries_and_a_head_proves_the_rest(
    world: World, lines: Lines, tmp_path: Path
) -> None:
    del lines[seal_at(2) : seal_at(3)]

    report = verify_world(world, tmp_path)

    assert wrong(report) == ["missing seals in audit: entries 3-5 of seal 2"]
    assert report.entries == 14


def test_behind_several_missing_seals_a_power_of_two_proves_the_rest(
    world: World, lines: Lines, tmp_path: Path
) -> None:
    del lines[seal_at(1) : seal_at(3)]

    assert wrong(verify_world(world, tmp_path)) == [
        "missing seals in audit: entries 0-5 of seals 1-2"
    ]


def test_behind_several_missing_seals_nothing_is_proven_without_one(
    world: World, lines: Lines, tmp_path: Path
) -> None:
    del lines[seal_at(3) : seal_at(5)]

    report = verify_world(world, tmp_path)

    assert wrong(report) == [
        "missing seals in audit: entries 6-11 of seals 3-4",
        "unproven seals in audit: entries 12-14 of seal 5",
    ]
    assert report.entries == 8


def test_behind_a_missing_seal_what_no_head_covers_is_unproven(
    world: World, tmp_path: Path
) -> None:
    chain = world.chains[0]
    chain.events(events(15, 3)).events(events(18, 3))
    del chain.lines[seal_at(6) : seal_at(7)]

    assert wrong(verify_world(world, tmp_path)) == [
        "missing seals in audit: entries 15-17 of seal 6",
        "unproven seals in audit: entries 18-20 of seal 7",
    ]


def test_a_missing_seal_cannot_be_bridged_by_a_forger(
    world: World, tmp_path: Path
) -> None:
    forger = World()
    forger.chains = [forger.chain("audit")]
    chain, genuine = forger.chains[0], world.chains[0]
    for at in range(5):
        chain.twin = "" if at < 2 else "forger"
        chain.events(events(3 * at if at < 3 else 900 + 3 * at, 3))
    genuine.lines[seal_at(3) :] = chain.lines[seal_at(4) :]

    report = verify_world(world, tmp_path)

    assert "missing seals in audit: entries 6-8 of seal 3" in wrong(report)
    assert "unproven seals in audit: entries 9-14 of seals 4-5" in wrong(report)


def test_seals_in_another_order_are_found_at_the_first_of_them(
    world: World, lines: Lines, tmp_path: Path
) -> None:
    second, third = lines[seal_at(2) : seal_at(3)], lines[seal_at(3) : seal_at(4)]
    lines[seal_at(2) : seal_at(4)] = third + second

    assert wrong(verify_world(world, tmp_path)) == [
        "missing seals in audit: entries 3-5 of seal 2",
        "foreign order in audit: seal 2",
    ]


def test_a_seal_that_is_there_twice_is_foreign(
    world: World, lines: Lines, tmp_path: Path
) -> None:
    lines[seal_at(3) : seal_at(3)] = lines[seal_at(2) : seal_at(3)]

    assert wrong(verify_world(world, tmp_path)) == ["foreign order in audit: seal 2"]


def test_a_seal_of_another_chain_is_forged(
    world: World, lines: Lines, tmp_path: Path
) -> None:
    lines.insert(seal_at(3), world.chains[1].lines[1])

    assert wrong(verify_world(world, tmp_path)) == ["forged text in audit: seal 3"]


def test_a_cut_tail_is_truncated_by_the_catalogues_head(
    world: World, lines: Lines, tmp_path: Path
) -> None:
    del lines[seal_at(4) :]

    assert wrong(verify_world(world, tmp_path)) == [
        "truncated head in audit: seals 4-5"
    ]


def test_a_removed_founding_is_missing_and_all_else_is_proven(
    world: World, lines: Lines, tmp_path: Path
) -> None:
    del lines[0]

    assert wrong(verify_world(world, tmp_path)) == ["missing seals in audit: seal 0"]


def test_a_changed_founding_is_forged_and_all_else_is_proven(
    world: World, lines: Lines, tmp_path: Path
) -> None:
    change_line(lines[0], "time")

    assert wrong(verify_world(world, tmp_path)) == ["forged founding in audit: seal 0"]
