"""Attacks by somebody without keys on a folder as a whole, and on its catalogue."""

from pathlib import Path

import pytest

from beats_signer.verify.report import Verdict
from tests.verify.damage import change_line, seal_at
from tests.verify.signer import World, events, write_lines
from tests.verify.verifying import verify_folder, verify_world, wrong


def test_a_chain_that_is_taken_away_is_missing(world: World, tmp_path: Path) -> None:
    world.write(tmp_path)
    (tmp_path / "chain-0.ndjson").unlink()

    assert wrong(verify_folder(tmp_path, world.trust)) == ["missing chain in audit"]


def test_a_chain_without_its_founding_record_in_a_damaged_catalogue_is_still_missing(
    world: World, tmp_path: Path
) -> None:
    entry = next(line for line in world.catalogue.lines if "entry" in line)
    entry["entry"]["payload"] = "{}"
    world.write(tmp_path)
    (tmp_path / "chain-0.ndjson").unlink()

    assert "missing chain in audit" in wrong(verify_folder(tmp_path, world.trust))


def test_a_founded_chain_without_a_head_may_be_absent(tmp_path: Path) -> None:
    world = World()
    world.chain("young")
    world.write(tmp_path)
    (tmp_path / "chain-0.ndjson").unlink()

    report = verify_folder(tmp_path, world.trust)

    assert report.verdict is Verdict.VERIFIED
    assert any("young" in left for left in report.not_checked)


def test_a_chain_that_the_catalogue_does_not_list_is_forged(
    world: World, tmp_path: Path
) -> None:
    stranger = World().chain("stranger")
    stranger.events(events(0, 3))
    world.chains.append(stranger)

    assert wrong(verify_world(world, tmp_path)) == ["forged unlisted in stranger"]


def test_two_files_of_one_chain_are_forged(world: World, tmp_path: Path) -> None:
    world.write(tmp_path)
    write_lines(tmp_path / "copy.ndjson", world.chains[0].lines)

    report = verify_folder(tmp_path, world.trust)

    assert wrong(report) == ["forged file in audit"]
    assert "chain-0.ndjson, copy.ndjson" in report.open_findings[0].message


def test_files_of_something_else_are_passed_over(world: World, tmp_path: Path) -> None:
    world.write(tmp_path)
    (tmp_path / "notes.txt").write_text("hello\n")
    (tmp_path / "other.ndjson").write_text('{"an":"event"}\nnot json\n')
    (tmp_path / "folder.ndjson").mkdir()

    assert verify_folder(tmp_path, world.trust).verdict is Verdict.VERIFIED


def test_a_twin_history_is_no_history(world: World, tmp_path: Path) -> None:
    twin = World()
    twin.catalogue.twin = "twin"
    twin.catalogue.lines, twin.catalogue.texts, twin.catalogue.notes = [], [], []
    twin.catalogue.found()

    report = verify_folder(twin.write(tmp_path), world.trust)

    assert wrong(report) == ["forged founding in catalogue: seal 0"]
    assert report.catalogue is None


def test_another_history_of_a_chain_is_a_fork_of_its_catalogued_head(
    world: World, tmp_path: Path
) -> None:
    fork = World().chain("audit")
    for at in range(5):
        fork.events(events(3 * at if at < 3 else 500 + at, 3))
    world.chains[0] = fork

    assert wrong(verify_world(world, tmp_path)) == ["fork head in audit: seal 4"]


def test_a_second_seal_by_the_same_key_is_a_fork(world: World, tmp_path: Path) -> None:
    fork = World().chain("audit")
    for at in range(3):
        fork.events(events(3 * at if at < 2 else 500, 3))
    lines = world.chains[0].lines
    lines[seal_at(4) : seal_at(4)] = fork.lines[seal_at(3) : seal_at(4)]

    assert wrong(verify_world(world, tmp_path)) == ["fork seal in audit: seal 3"]


def test_a_catalogue_cut_below_its_checkpoint_is_truncated(
    world: World, tmp_path: Path
) -> None:
    world.checkpoint = world.sign_checkpoint()
    cut = max(at for at, line in enumerate(world.catalogue.lines) if "seal" in line)
    del world.catalogue.lines[cut:]

    assert wrong(verify_world(world, tmp_path)) == [
        "truncated checkpoint in catalogue: seal 8"
    ]


def test_a_missing_checkpoint_is_missing(world: World, tmp_path: Path) -> None:
    world.checkpoint = None

    assert wrong(verify_world(world, tmp_path)) == ["missing checkpoint in catalogue"]


def test_a_checkpoint_kept_elsewhere_shows_a_catalogue_that_was_cut(
    world: World, tmp_path: Path
) -> None:
    kept = world.sign_checkpoint()
    world.checkpoint = world.sign_checkpoint(8)
    cut = max(at for at, line in enumerate(world.catalogue.lines) if "seal" in line)
    del world.catalogue.lines[cut:]

    assert verify_world(world, tmp_path).verdict is Verdict.VERIFIED
    assert wrong(verify_world(world, tmp_path, checkpoints=[kept])) == [
        "truncated checkpoint in catalogue: seal 8"
    ]


def test_a_checkpoint_of_another_identity_is_forged(
    world: World, tmp_path: Path
) -> None:
    world.checkpoint_label = "stranger"

    assert wrong(verify_world(world, tmp_path)) == ["forged checkpoint in catalogue"]


@pytest.mark.parametrize("note", ["", "x", "signer-1.example.com\n9\n", "\n\n\n"])
def test_a_checkpoint_that_is_none_is_forged(
    world: World, tmp_path: Path, note: str
) -> None:
    world.write(tmp_path)
    (tmp_path / "catalogue.checkpoint").write_text(note)

    assert wrong(verify_folder(tmp_path, world.trust)) == [
        "forged checkpoint in catalogue"
    ]


def test_damage_to_the_catalogue_does_not_call_its_chains_forged(
    world: World, tmp_path: Path
) -> None:
    change_line(world.catalogue.lines[1], "time")

    report = verify_world(world, tmp_path)

    assert wrong(report) == ["forged signature in catalogue: seal 1"]
    assert report.entries == 17


def test_a_catalogue_without_its_founding_proves_nothing(
    world: World, tmp_path: Path
) -> None:
    del world.catalogue.lines[0]

    report = verify_world(world, tmp_path)

    assert wrong(report) == ["missing seals in catalogue: seal 0"]
    assert report.entries == 0
