"""Attacks on an exported folder by somebody without keys: what is found, and where.

The world here is one chain of five seals with three events each, of which the
catalogue recorded four; its last head and the checkpoint are newer than both.
"""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from beats_signer.verify.report import Verdict
from tests.verify.signer import World, event, events, write_lines
from tests.verify.verifying import verify_folder, verify_world, wrong

Lines = list[dict[str, Any]]


@pytest.fixture
def world() -> World:
    """Two chains; of the first, five seals and heads over them."""
    world = World()
    chain = world.chain("audit")
    other = world.chain("other")
    for at in range(5):
        chain.events(events(3 * at, 3))
        world.head(chain)
    other.events(events(100, 2))
    world.head(other)
    return world


@pytest.fixture
def lines(world: World) -> Lines:
    """Lines of the first chain; seal n stands at 4n - 3, its entries behind it."""
    return world.chains[0].lines


def seal_at(number: int) -> int:
    """Return the line of a seal."""
    return 0 if number == 0 else 4 * number - 3


def entry_at(index: int) -> int:
    """Return the line of an entry."""
    return seal_at(index // 3 + 1) + 1 + index % 3


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


def change_line(line: dict[str, Any], word: str) -> None:
    """Change the value of one line of a seal's text into another valid one."""
    note = line["seal"]["note"]
    rows = note.split("\n")
    at = next(at for at, row in enumerate(rows) if row.startswith(f"{word} "))
    if word == "time":
        rows[at] = rows[at][:-2] + ("1Z" if rows[at][-2] == "0" else "0Z")
    else:
        value = bytearray(base64.b64decode(rows[at].split(" ")[1]))
        value[5] ^= 1
        rows[at] = f"{word} {base64.b64encode(value).decode()}"
    line["seal"]["note"] = "\n".join(rows)
    assert json.dumps(line)
