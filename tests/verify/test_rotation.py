"""Another identity in force: who may found and sign checkpoints, and who no longer."""

import json
from pathlib import Path

import pytest

from beats_signer.verify.report import Report
from beats_signer.verify.text import write_report
from tests.verify.independent import UntrueError, check_folder
from tests.verify.signer import ORIGIN, SignedChain, World, events, identity
from tests.verify.verifying import verify_folder, verify_world, wrong


@pytest.fixture
def world() -> World:
    """A chain of the first identity, then a rotation: seal 3 of the catalogue."""
    world = World()
    world.chain("audit").events(events(0, 3))
    world.head(world.chains[0])
    rotate(world, "second")
    return world


def rotate(world: World, label: str) -> None:
    body = json.dumps({"identity": str(identity(label))})
    world.catalogue.seal("config", body=body)
    world.checkpoint_label = label


def found(world: World, stream: str, label: str) -> None:
    """Found a chain, signed by an identity, and list it."""
    chain = SignedChain(ORIGIN.replace("audit", stream), identity_label=label).found()
    world.chains.append(chain)
    world.list(chain)


def signed_by(world: World, label: str, size: int | None = None) -> str:
    """Return a checkpoint that an identity has signed."""
    world.checkpoint_label, label = label, world.checkpoint_label
    note = world.sign_checkpoint(size)
    world.checkpoint_label = label
    return note


def independently(world: World, folder: Path) -> None:
    """Check the folder that a world was written to without the program."""
    check_folder(folder, str(world.trust))


def test_what_the_new_identity_founds_and_signs_counts(
    world: World, tmp_path: Path
) -> None:
    found(world, "later", "second")
    world.head(world.chains[1])

    report = verify_world(world, tmp_path)

    assert wrong(report) == []
    assert report.catalogue is not None
    assert report.catalogue.anchored == len(world.catalogue.texts)
    independently(world, tmp_path)


def test_what_the_old_identity_founded_before_goes_on(
    world: World, tmp_path: Path
) -> None:
    world.chains[0].events(events(3, 2))
    world.head(world.chains[0])

    assert wrong(verify_world(world, tmp_path)) == []
    independently(world, tmp_path)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_a_checkpoint_of_before_the_rotation_still_counts(
    world: World, tmp_path: Path, size: int
) -> None:
    kept = signed_by(world, "identity", size)
    world.checkpoint = None

    report = verify_folder(world.write(tmp_path), world.trust, checkpoints=[kept])

    assert wrong(report) == ["missing checkpoint in catalogue"]
    assert report.catalogue is not None
    assert report.catalogue.anchored == size


@pytest.mark.parametrize("size", [4, 5, 6])
def test_a_thief_of_the_old_identity_signs_no_checkpoint(
    world: World, tmp_path: Path, size: int
) -> None:
    world.catalogue.seal("heartbeat").seal("heartbeat")
    stolen = signed_by(world, "identity", size)

    report = verify_folder(world.write(tmp_path), world.trust, checkpoints=[stolen])

    assert wrong(report) == ["forged checkpoint in catalogue"]
    assert report.catalogue is not None
    assert report.catalogue.anchored == 6
    (tmp_path / "catalogue.checkpoint").write_text(stolen)
    with pytest.raises(UntrueError, match="checkpoint"):
        independently(world, tmp_path)


def test_a_thief_of_the_old_identity_does_not_make_a_catalogue_seem_cut(
    world: World, tmp_path: Path
) -> None:
    longer = World()
    longer.catalogue.seal("heartbeat")
    for _ in range(9):
        longer.catalogue.seal("heartbeat")
    stolen = longer.sign_checkpoint()

    report = verify_folder(world.write(tmp_path), world.trust, checkpoints=[stolen])

    assert wrong(report) == ["forged checkpoint in catalogue"]


def test_a_thief_of_the_old_identity_founds_no_chain(
    world: World, tmp_path: Path
) -> None:
    found(world, "stolen", "identity")

    assert wrong(verify_world(world, tmp_path)) == [
        "forged record in catalogue: entry 2 of seal 4",
        "forged unlisted in stolen",
    ]
    with pytest.raises(UntrueError, match="identity"):
        independently(world, tmp_path)


def test_a_chain_that_nobody_lists_is_forged_whoever_founded_it(
    world: World, tmp_path: Path
) -> None:
    world.chains.append(SignedChain(ORIGIN.replace("audit", "stolen")).found())

    assert wrong(verify_world(world, tmp_path)) == ["forged unlisted in stolen"]


def test_an_identity_may_be_replaced_again(world: World, tmp_path: Path) -> None:
    found(world, "later", "second")
    rotate(world, "third")
    found(world, "last", "third")
    kept = [signed_by(world, "identity", 2), signed_by(world, "second", 5)]

    report = verify_folder(world.write(tmp_path), world.trust, checkpoints=kept)

    assert wrong(report) == []
    assert report.identity == identity("third")
    independently(world, tmp_path)


@pytest.mark.parametrize("label", ["identity", "second"])
def test_no_earlier_identity_signs_over_the_last_rotation(
    world: World, tmp_path: Path, label: str
) -> None:
    rotate(world, "third")
    kept = [signed_by(world, label, 5)]

    report = verify_folder(world.write(tmp_path), world.trust, checkpoints=kept)

    assert wrong(report) == ["forged checkpoint in catalogue"]


def lines_of(report: Report) -> list[str]:
    return list(write_report(report))


def test_the_report_names_the_identity_in_force(world: World, tmp_path: Path) -> None:
    report = verify_world(world, tmp_path)

    assert lines_of(report)[1:3] == [
        "the identity of the trust line was replaced, as its catalogue says, by",
        f"  {identity('second')}",
    ]
    assert report.to_dict()["identity"] == str(identity("second"))


def test_the_report_of_an_unchanged_identity_does_not_speak_of_it(
    tmp_path: Path,
) -> None:
    world = World()
    world.chain("audit").events(events(0, 3))

    report = verify_world(world, tmp_path)

    assert not any("identity" in line for line in lines_of(report))
    assert report.to_dict()["identity"] == str(identity())
