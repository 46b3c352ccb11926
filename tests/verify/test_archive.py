"""Archives: verified while a signer writes, and as somebody has left them."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from beats_signer.chain.times import SECOND
from beats_signer.errors import SourceError
from beats_signer.verify.report import Report, Verdict
from beats_signer.verify.run import Verification
from tests.verify.archives import Interrupted, store
from tests.verify.signer import START, World, events
from tests.verify.verifying import NOW, verify_folder, wrong


@pytest.fixture
def world() -> World:
    """One chain of three seals with events, all of them recorded."""
    world = World()
    chain = world.chain("audit")
    for at in range(3):
        chain.events(events(3 * at, 3))
        world.head(chain)
    return world


@pytest.fixture
def archive(world: World, tmp_path: Path) -> Path:
    """An archive of that world."""
    return store(world, tmp_path / "archive.db")


def test_an_archive_is_verified(world: World, archive: Path) -> None:
    report = verify_folder(archive, world.trust)

    assert wrong(report) == []
    assert report.verdict is Verdict.VERIFIED
    assert report.entries == 9


def test_an_archive_without_a_checkpoint_is_verified_and_says_so(
    world: World, tmp_path: Path
) -> None:
    world.checkpoint = None
    archive = store(world, tmp_path / "archive.db")

    report = verify_folder(archive, world.trust)

    assert report.verdict is Verdict.VERIFIED
    assert any("no checkpoint" in left for left in report.not_checked)


def test_a_chain_that_grows_while_it_is_verified_raises_no_alarm(
    world: World, archive: Path
) -> None:
    def grow(origin: str) -> None:
        chain = world.chains[0]
        chain.events(events(chain.entries, 2))
        world.head(chain)
        store(world, archive)

    report = verify_growing(world, archive, grow)

    assert wrong(report) == []
    assert report.entries == 11


def test_a_chain_that_is_founded_meanwhile_is_verified_too(
    world: World, archive: Path
) -> None:
    def grow(origin: str) -> None:
        if len(world.chains) == 1:
            world.chain("later").events(events(0, 4))
            world.head(world.chains[1])
            store(world, archive)

    report = verify_growing(world, archive, grow)

    assert wrong(report) == []
    assert report.entries == 13


def test_a_chain_that_nobody_lists_meanwhile_is_forged(
    world: World, archive: Path
) -> None:
    def grow(origin: str) -> None:
        stranger = World().chain("stranger")
        stranger.events(events(0, 1))
        store_only = World()
        store_only.chains = [stranger]
        store_only.checkpoint = None
        store(store_only, archive)

    assert wrong(verify_growing(world, archive, grow)) == [
        "forged unlisted in stranger"
    ]


def verify_growing(world: World, archive: Path, grow: object) -> Report:
    """Verify an archive in which something happens after each reading."""
    report = Report(str(archive), NOW)
    source = Interrupted(archive, grow)  # type: ignore[arg-type]
    with closing(source):
        Verification(source, world.trust, report, now=NOW).run()
    return report


def change(archive: Path, statement: str) -> None:
    """Do with an archive what whoever may write the file can do."""
    connection = sqlite3.connect(archive, isolation_level=None)
    connection.execute(statement)
    connection.close()


CHAIN = "(SELECT chain FROM chains WHERE origin LIKE '%audit%')"


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        (
            f"DELETE FROM seals WHERE number = 2 AND chain = {CHAIN}",
            [
                "missing seals in audit: entries 3-5 of seal 2",
                "foreign entries in audit: entries 3-5",
            ],
        ),
        (
            f"DELETE FROM blocks WHERE first = 3 AND chain = {CHAIN}",
            ["missing entries in audit: entries 3-5 of seal 2"],
        ),
        (
            f"UPDATE blocks SET data = x'00' WHERE first = 3 AND chain = {CHAIN}",
            ["modified unreadable in audit: entries 3-5 of seal 2"],
        ),
        (
            f"DELETE FROM seals WHERE number > 1 AND chain = {CHAIN};",
            [
                "truncated head in audit: seals 2-3",
                "foreign entries in audit: entries 3-8",
            ],
        ),
        (
            f"DELETE FROM seals WHERE chain = {CHAIN}",
            ["foreign entries in audit: entries 0-8", "missing chain in audit"],
        ),
        (
            "UPDATE chains SET origin = 'signer-1.example.com/a/b/20261123T090000Z'"
            " WHERE origin LIKE '%audit%'",
            ["missing chain in audit", "forged unlisted in b"],
        ),
        (
            f"UPDATE seals SET note = 'x' WHERE number = 2 AND chain = {CHAIN}",
            ["forged text in audit: seal 2"],
        ),
        (
            f"UPDATE seals SET leaves = x'' WHERE number = 2 AND chain = {CHAIN}",
            ["modified leaves in audit: seal 2"],
        ),
        (
            "UPDATE checkpoint SET note = 'x'",
            ["forged checkpoint in catalogue"],
        ),
        (
            "DELETE FROM seals WHERE number = 4 AND chain ="
            " (SELECT chain FROM chains WHERE origin = 'signer-1.example.com')",
            [
                "truncated checkpoint in catalogue: seal 4",
                "foreign entries in catalogue: entry 3",
            ],
        ),
    ],
    ids=[
        "a seal is deleted",
        "a block is deleted",
        "a block is overwritten",
        "the tail is cut",
        "the chain is emptied",
        "the chain is renamed",
        "a note is overwritten",
        "leaves are taken away",
        "the checkpoint is overwritten",
        "the catalogue is cut",
    ],
)
def test_what_is_done_to_the_file_is_found(
    world: World, archive: Path, statement: str, expected: list[str]
) -> None:
    change(archive, statement)

    assert sorted(wrong(verify_folder(archive, world.trust))) == sorted(expected)


def test_an_archive_of_another_signer_decides_nothing(
    world: World, tmp_path: Path, archive: Path
) -> None:
    change(archive, "DELETE FROM seals")

    with pytest.raises(SourceError, match="holds no catalogue of signer-1"):
        verify_folder(archive, world.trust)


def test_a_missing_seal_of_the_catalogue_is_not_read_again_as_its_tail(
    world: World, archive: Path
) -> None:
    change(
        archive,
        "DELETE FROM seals WHERE number = 2 AND chain ="
        " (SELECT chain FROM chains WHERE origin = 'signer-1.example.com')",
    )

    report = verify_folder(archive, world.trust)

    assert "foreign order in catalogue" not in str(wrong(report))
    assert "missing seals in catalogue: entry 1 of seal 2" in wrong(report)


def test_an_archive_is_stale_only_when_it_should_be_alive(
    world: World, archive: Path
) -> None:
    later = START + 3600 * SECOND

    assert wrong(verify_folder(archive, world.trust, later)) == []
    assert wrong(verify_folder(archive, world.trust, later, is_live=True)) == [
        "stale catalogue in catalogue: seal 4"
    ]
