"""The vectors of the format: verified as they are, and in no other way."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from beats_signer.errors import SourceError
from beats_signer.verify.report import Verdict
from tests.verify.independent import UntrueError, check_folder
from tests.verify.verifying import (
    VECTORS,
    information,
    vectors_trust,
    verify_folder,
    wrong,
)

FILES = ("catalogue", "plain", "erasable", "founding_only")
TRUST = (VECTORS / "trust").read_text()


def test_the_whole_folder_is_verified() -> None:
    report = verify_folder(VECTORS, vectors_trust())

    assert wrong(report) == []
    assert report.undecided == []
    assert report.verdict is Verdict.VERIFIED
    assert report.entries == 24


def test_the_recognised_window_and_the_stop_are_information() -> None:
    assert information(verify_folder(VECTORS, vectors_trust())) == [
        "stopped announced in catalogue: seal 4",
        "duplicate window in audit: seal 4",
    ]


def test_an_independent_reading_of_the_format_agrees() -> None:
    report = verify_folder(VECTORS, vectors_trust())
    checked = check_folder(VECTORS, TRUST)

    assert report.catalogue is not None
    assert {
        facts.origin: (facts.seals, facts.intact)
        for facts in (report.catalogue, *report.chains)
    } == {origin: (each.seals, each.entries) for origin, each in checked.items()}


@pytest.mark.parametrize("name", FILES[1:])
def test_a_chain_whose_file_is_taken_away_is_missing(name: str, copied: Path) -> None:
    (copied / f"{name}.ndjson").unlink()

    report = verify_folder(copied, vectors_trust())

    assert [found.split(" in ")[0] for found in wrong(report)] == ["missing chain"]


def test_without_the_catalogue_nothing_is_decided(copied: Path) -> None:
    (copied / "catalogue.ndjson").unlink()

    with pytest.raises(SourceError, match=r"holds no catalogue\.ndjson"):
        verify_folder(copied, vectors_trust())


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A copy of the folder, to change."""
    for file in VECTORS.iterdir():
        shutil.copy(file, tmp_path / file.name)
    return tmp_path


def lines_of(name: str) -> list[str]:
    """Return the lines of a vector."""
    return (VECTORS / f"{name}.ndjson").read_text().splitlines()


def values(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the way to each value in a line."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from values(inner, (*path, key))
    else:
        yield path


PLACES = [
    pytest.param(name, at, path, id=f"{name}-{at}-{path[-1]}")
    for name in FILES
    for at, line in enumerate(lines_of(name))
    for path in values(json.loads(line))
]


@pytest.mark.parametrize(("name", "at", "path"), PLACES)
def test_a_changed_value_is_found(
    name: str, at: int, path: tuple[str, str], copied: Path
) -> None:
    lines = lines_of(name)
    line = json.loads(lines[at])
    file = copied / f"{name}.ndjson"
    unseen = []
    for changed in variants(line[path[0]][path[1]]):
        other = {path[0]: line[path[0]] | {path[1]: changed}}
        lines[at] = json.dumps(other, ensure_ascii=False)
        file.write_text("\n".join(lines))
        report = verify_folder(copied, vectors_trust())
        if report.verdict is not Verdict.FINDINGS:
            unseen.append(changed)

    assert unseen == []


def variants(value: Any) -> Iterator[Any]:
    """Yield other values, of this type and of others."""
    yield from (None, True, {})
    if isinstance(value, int):
        yield from (value + 1, value - 1, value + 0.5, 10**30, str(value))
        return
    yield from (1, value + "A", value + "\n")
    for at in sorted({0, len(value) // 2, len(value) - 1} & set(range(len(value)))):
        yield value[:at] + ("A" if value[at] != "A" else "B") + value[at + 1 :]
        yield value[:at] + value[at + 1 :]
    if "\n" in value:
        yield from rows_changed(value)


def rows_changed(note: str) -> Iterator[str]:
    """Yield a note with each of its rows changed or lost."""
    rows = note.split("\n")
    for at, row in enumerate(rows):
        if row:
            end = "1" if row[-1] != "1" else "2"
            yield "\n".join([*rows[:at], row[:-1] + end, *rows[at + 1 :]])
        yield "\n".join(rows[:at] + rows[at + 1 :])


@pytest.mark.parametrize("name", FILES)
def test_a_changed_value_inside_a_body_is_found(name: str, copied: Path) -> None:
    lines = lines_of(name)
    file = copied / f"{name}.ndjson"
    unseen = []
    for at, line in enumerate(lines):
        seal = json.loads(line).get("seal")
        for body in [] if seal is None else bodies_changed(json.loads(seal["body"])):
            changed = json.dumps({"seal": seal | {"body": json.dumps(body)}})
            file.write_text("\n".join([*lines[:at], changed, *lines[at + 1 :]]))
            if verify_folder(copied, vectors_trust()).verdict is not Verdict.FINDINGS:
                unseen.append(body)

    assert unseen == []


def bodies_changed(body: Any) -> Iterator[Any]:
    """Yield a body with each of its values changed."""
    if isinstance(body, dict):
        for key, value in body.items():
            for changed in bodies_changed(value):
                yield body | {key: changed}
    elif isinstance(body, list):
        for at, value in enumerate(body):
            for changed in bodies_changed(value):
                yield [*body[:at], changed, *body[at + 1 :]]
    else:
        yield None if body is not None else 1
        yield body + 1 if isinstance(body, int) else f"{body}A"


def test_the_checkpoint_is_found_wherever_it_is_changed(copied: Path) -> None:
    file = copied / "catalogue.checkpoint"
    note = file.read_text()
    unseen = []
    for at, char in enumerate(note):
        file.write_text(note[:at] + ("A" if char != "A" else "B") + note[at + 1 :])
        if verify_folder(copied, vectors_trust()).verdict is not Verdict.FINDINGS:
            unseen.append(at)

    assert unseen == []


@pytest.mark.parametrize("name", FILES)
def test_a_lost_line_is_found_by_the_independent_reading_too(
    name: str, copied: Path
) -> None:
    lines = lines_of(name)
    file = copied / f"{name}.ndjson"
    unseen = []
    for at in range(len(lines)):
        file.write_text("\n".join(lines[:at] + lines[at + 1 :]))
        if not is_refused(copied):
            unseen.append(at)

    assert unseen == []


def is_refused(folder: Path) -> bool:
    """Tell whether the independent reading refuses a folder."""
    try:
        check_folder(folder, TRUST)
    except (UntrueError, StopIteration):
        return True
    return False
