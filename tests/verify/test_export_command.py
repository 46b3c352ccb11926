"""The command ``export``: whole files, verifiable anywhere."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from beats_signer.errors import SourceError
from beats_signer.store.archive_source import ArchiveSource
from beats_signer.verify.lines import Item
from beats_signer.verify.report import Report, Verdict
from beats_signer.verify.source import ArchiveReading
from beats_signer.verify.writer import ExportWriter
from tests.verify.archives import store
from tests.verify.command import Shell
from tests.verify.independent import check_folder
from tests.verify.signer import SIGNER, World, events
from tests.verify.test_archive import change
from tests.verify.verifying import VECTORS, verify_folder


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str]) -> Shell:
    """A shell."""
    return Shell(capsys)


@pytest.fixture
def world() -> World:
    """Two chains, one of them erasable, and payloads of every sort."""
    world = World()
    world.chain("audit").events(events(0, 1500))
    other = world.chain("personal", salt_bytes=16)
    other.events([b"", b"null", b'"\\u0000"', "é".encode(), b"a\nb\r"])
    for chain in world.chains:
        world.head(chain)
    return world


@pytest.fixture
def archive(world: World, tmp_path: Path) -> Path:
    """An archive of that world."""
    return store(world, tmp_path / "archive.db")


@pytest.mark.parametrize("option", [[], ["--gzip"]], ids=["plain", "compressed"])
def test_an_exported_folder_is_verified(
    shell: Shell, world: World, archive: Path, tmp_path: Path, option: list[str]
) -> None:
    folder = tmp_path / "export"

    ended = shell.run("export", archive, folder, *option)

    assert (ended.code, ended.out, ended.err) == (0, f"4 files in {folder}\n", "")
    report = verify_folder(folder, world.trust)
    assert report.verdict is Verdict.VERIFIED
    assert report.entries == 1505


def test_an_exported_folder_is_verified_by_the_independent_reading(
    shell: Shell, world: World, archive: Path, tmp_path: Path
) -> None:
    shell.run("export", archive, tmp_path / "export")

    checked = check_folder(tmp_path / "export", str(world.trust))

    assert [each.entries for each in checked.values()] == [4, 1500, 5]


def test_an_export_has_the_lines_of_the_archive(
    shell: Shell, world: World, archive: Path, tmp_path: Path
) -> None:
    shell.run("export", archive, tmp_path / "export")

    report: Report = verify_folder(archive, world.trust)
    assert verify_folder(tmp_path / "export", world.trust).chains == report.chains


def test_one_chain_is_exported_with_its_catalogue(
    shell: Shell, world: World, archive: Path, tmp_path: Path
) -> None:
    folder, origin = tmp_path / "export", world.chains[1].origin

    shell.run("export", archive, folder, "--chain", origin)

    assert sorted(file.name for file in folder.iterdir()) == [
        "acme~personal~20261123T090000Z.ndjson",
        "catalogue.checkpoint",
        "catalogue.ndjson",
    ]
    assert verify_folder(folder, world.trust, only=[origin]).verdict == 0


def test_a_chain_that_is_not_there_is_not_exported(
    shell: Shell, archive: Path, tmp_path: Path
) -> None:
    ended = shell.run("export", archive, tmp_path / "export", "--chain", "nothing")

    assert ended.code == 64
    assert "there is no chain nothing" in ended.err
    assert not (tmp_path / "export").exists()


def test_an_earlier_export_is_replaced(
    shell: Shell, world: World, archive: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "export"
    shell.run("export", archive, folder)
    world.chains[0].events(events(1500, 2))
    world.head(world.chains[0])
    store(world, archive)

    ended = shell.run("export", archive, folder)

    assert ended.code == 0
    assert verify_folder(folder, world.trust).entries == 1507


@pytest.mark.parametrize("name", ["other.ndjson", "catalogue.ndjson"])
def test_a_file_of_something_else_is_not_overwritten(
    shell: Shell, archive: Path, tmp_path: Path, name: str
) -> None:
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / name).write_text('{"an":"event"}\n')

    ended = shell.run("export", archive, folder)

    assert ended.code == 64
    assert f"{folder / name} is not of this export" in ended.err
    assert [file.name for file in folder.iterdir()] == [name]


def test_the_checkpoint_of_another_signer_is_not_overwritten(
    shell: Shell, archive: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / "catalogue.checkpoint").write_text("another\n1\n\n")

    ended = shell.run("export", archive, folder)

    assert ended.code == 64
    assert (folder / "catalogue.checkpoint").read_text() == "another\n1\n\n"


def test_files_of_another_kind_are_left_alone(
    shell: Shell, archive: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / "README.md").write_text("ours")

    assert shell.run("export", archive, folder).code == 0
    assert (folder / "README.md").read_text() == "ours"


def test_a_folder_is_not_exported_again(shell: Shell, tmp_path: Path) -> None:
    ended = shell.run("export", VECTORS, tmp_path / "export")

    assert ended.code == 64
    assert "is a folder" in ended.err


def test_an_archive_that_does_not_exist_is_not_exported(
    shell: Shell, tmp_path: Path
) -> None:
    ended = shell.run("export", tmp_path / "nothing", tmp_path / "export")

    assert (ended.code, ended.out) == (2, "")
    assert "does not exist" in ended.err


def test_a_folder_that_cannot_be_made_is_explained(
    shell: Shell, archive: Path, tmp_path: Path
) -> None:
    ended = shell.run("export", archive, tmp_path / "no" / "export")

    assert ended.code == 2
    assert "cannot be written" in ended.err


def test_damage_goes_along_and_is_found(
    shell: Shell, world: World, archive: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "export"
    change(archive, "UPDATE blocks SET data = x'00' WHERE first = 1024")

    ended = shell.run("export", archive, folder)

    assert ended.code == 1
    assert "476 entries" in ended.err
    report = verify_folder(folder, world.trust)
    assert [str(found.kind) for found in report.open_findings] == ["missing"]


def test_a_made_up_origin_names_no_file_outside_the_folder(
    shell: Shell, world: World, archive: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "export"
    change(
        archive,
        f"UPDATE chains SET origin = '{SIGNER}/../\x1b/20261123T090000Z'"
        " WHERE origin LIKE '%audit%'",
    )

    assert shell.run("export", archive, folder).code == 0

    assert sorted(file.name for file in folder.iterdir()) == [
        "acme~personal~20261123T090000Z.ndjson",
        "catalogue.checkpoint",
        "catalogue.ndjson",
        f"unnamed-0-{SIGNER}_.._" + "__20261123T090000Z.ndjson",
    ]


class Failing(ArchiveReading):
    """An archive that can be opened, and not read."""

    def read(self, origin: str, first_seal: int = 0) -> Iterator[Item]:
        """Fail after the first seal."""
        yield from islice(super().read(origin, first_seal), 1)
        raise SourceError("the disk is gone")


def test_nothing_half_written_is_left_when_the_reading_fails(
    archive: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "export"
    source = Failing(ArchiveSource(archive))
    writer = ExportWriter(
        source, folder, is_compressed=False, on_entries=lambda count: None
    )

    with pytest.raises(SourceError, match="the disk is gone"):
        writer.write()

    assert list(folder.iterdir()) == []
