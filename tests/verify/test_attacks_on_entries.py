"""Attacks by somebody without keys on the entries of a chain: found, and where."""

import base64
from pathlib import Path

import pytest

from beats_signer.verify.report import Verdict
from tests.verify.damage import Lines, entry_at, seal_at
from tests.verify.signer import World, event
from tests.verify.verifying import verify_world, wrong


def test_an_untouched_folder_is_verified(world: World, tmp_path: Path) -> None:
    report = verify_world(world, tmp_path)

    assert wrong(report) == []
    assert report.verdict is Verdict.VERIFIED
    assert report.entries == 17


def test_a_changed_payload_is_found_at_its_entry(
    world: World, lines: Lines, tmp_path: Path
) -> None:
    lines[entry_at(7)]["entry"]["payload"] = '{"message":"another"}'

    report = verify_world(world, tmp_path)

    assert wrong(report) == ["modified entry in audit: entry 7 of seal 3"]
    assert report.entries == 16


def test_a_changed_form_is_found_at_its_entry(
    world: World, lines: Lines, tmp_path: Path
) -> None:
    lines[entry_at(7)]["entry"]["form"] = "L"

    assert wrong(verify_world(world, tmp_path)) == [
        "modified entry in audit: entry 7 of seal 3"
    ]


def test_changed_entries_side_by_side_are_one_finding(
    world: World, lines: Lines, tmp_path: Path
) -> None:
    for index in (4, 5, 6, 7):
        lines[entry_at(index)]["entry"]["payload"] = "{}"

    assert wrong(verify_world(world, tmp_path)) == [
        "modified entry in audit: entries 4-7 of seals 2-3"
    ]


def test_swapped_entries_are_found_at_the_first_of_them(
    world: World, lines: Lines, tmp_path: Path
) -> None:
    one, other = lines[entry_at(3)]["entry"], lines[entry_at(5)]["entry"]
    one["payload"], other["payload"] = other["payload"], one["payload"]

    report = verify_world(world, tmp_path)

    assert wrong(report) == [
        "modified entry in audit: entry 3 of seal 2",
        "modified entry in audit: entry 5 of seal 2",
    ]
    assert "it was sealed as entry 5" in report.open_findings[0].message


def test_swapped_lines_are_found_at_the_first_of_them(
    world: World, lines: Lines, tmp_path: Path
) -> None:
    at = entry_at(3)
    lines[at], lines[at + 1] = lines[at + 1], lines[at]

    assert wrong(verify_world(world, tmp_path))[0] == (
        "missing entries in audit: entry 3 of seal 2"
    )


def test_a_payload_moved_into_a_salt_is_found(
    world: World, lines: Lines, tmp_path: Path
) -> None:
    entry = lines[entry_at(4)]["entry"]
    payload = entry["payload"].encode()
    entry["salt"] = base64.b64encode(payload[:16]).decode()
    entry["payload"] = payload[16:].decode()

    assert wrong(verify_world(world, tmp_path)) == [
        "modified entry in audit: entry 4 of seal 2"
    ]


def test_a_salt_moved_into_a_payload_is_found(tmp_path: Path) -> None:
    world = World()
    chain = world.chain("personal", salt_bytes=16)
    chain.events([b"ascii"])
    entry = chain.lines[-1]["entry"]
    payload = base64.b64decode(entry.pop("salt")) + entry.pop("payload").encode()
    entry["payload_base64"] = base64.b64encode(payload).decode()

    assert wrong(verify_world(world, tmp_path)) == [
        "modified entry in personal: entry 0 of seal 1"
    ]


@pytest.mark.parametrize("index", [0, 4, 14])
def test_a_removed_entry_is_missing(
    world: World, lines: Lines, tmp_path: Path, index: int
) -> None:
    del lines[entry_at(index)]

    assert wrong(verify_world(world, tmp_path)) == [
        f"missing entries in audit: entry {index} of seal {index // 3 + 1}"
    ]


def test_an_inserted_entry_is_foreign(
    world: World, lines: Lines, tmp_path: Path
) -> None:
    extra = {"index": 6, "form": "J", "payload": event(999).decode()}
    lines.insert(entry_at(5) + 1, {"entry": extra})

    assert wrong(verify_world(world, tmp_path)) == [
        "foreign entries in audit: entry 6",
    ]


def test_an_entry_that_is_there_twice_is_foreign(
    world: World, lines: Lines, tmp_path: Path
) -> None:
    lines.insert(entry_at(4), lines[entry_at(4)])

    assert wrong(verify_world(world, tmp_path)) == ["foreign order in audit: entry 4"]


def test_entries_before_the_founding_are_foreign(
    world: World, lines: Lines, tmp_path: Path
) -> None:
    lines.insert(0, {"entry": {"index": 0, "form": "J", "payload": "{}"}})

    assert wrong(verify_world(world, tmp_path)) == ["foreign entries in audit: entry 0"]


def test_a_line_of_something_else_is_foreign(
    world: World, lines: Lines, tmp_path: Path
) -> None:
    lines.insert(entry_at(4), {"event": {"index": 4}})

    assert wrong(verify_world(world, tmp_path)) == ["foreign line in audit"]


def test_changed_leaves_are_told_from_changed_entries(
    world: World, lines: Lines, tmp_path: Path
) -> None:
    seal = lines[seal_at(2)]["seal"]
    seal["leaves"] = base64.b64encode(bytes(96)).decode()

    report = verify_world(world, tmp_path)

    assert wrong(report) == ["modified leaves in audit: seal 2"]
    assert report.entries == 17


def test_without_good_leaves_damage_is_found_and_not_located(
    world: World, lines: Lines, tmp_path: Path
) -> None:
    lines[seal_at(2)]["seal"]["leaves"] = ""
    lines[entry_at(4)]["entry"]["payload"] = "{}"

    assert wrong(verify_world(world, tmp_path)) == [
        "modified unlocated in audit: entries 3-5 of seal 2"
    ]
