"""What may be gone, what should be, and what clocks and silence tell."""

import json
from pathlib import Path
from typing import Any

import pytest

from beats_signer.chain.times import SECOND
from beats_signer.verify.report import Verdict
from tests.verify.signer import START, World, events, window
from tests.verify.verifying import NOW, information, verify_world, wrong

DAY = 86_400 * SECOND


def kept_for(days: int | None) -> dict[str, Any]:
    """Return the settings of a chain with a retention."""
    return {"settings": {"retention_days": days}}


def write_alive(world: World, time: int) -> None:
    """Let the catalogue have a seal at this time."""
    world.catalogue.seal("heartbeat", time=time)


def test_entries_are_gone_by_right_when_their_retention_is_over(
    tmp_path: Path,
) -> None:
    world = World()
    world.chain(**kept_for(1)).events(events(0, 3), absent={0: "expired", 1: "expired"})
    write_alive(world, START + 2 * DAY)

    report = verify_world(world, tmp_path, START + 2 * DAY)

    assert report.verdict is Verdict.VERIFIED
    assert "expired entries in audit: entries 0-1 of seal 1" in information(report)
    assert "overdue retention in audit: entry 2 of seal 1" in information(report)


@pytest.mark.parametrize("days", [3, None])
def test_entries_that_go_before_their_retention_is_over_are_missing(
    tmp_path: Path, days: int | None
) -> None:
    world = World()
    world.chain(**kept_for(days)).events(events(0, 3), absent={1: "expired"})
    write_alive(world, START + 2 * DAY)

    assert wrong(verify_world(world, tmp_path, START + 2 * DAY)) == [
        "missing expired-early in audit: entry 1 of seal 1"
    ]


def test_retention_is_judged_by_the_verifiers_clock_when_seals_are_ahead(
    tmp_path: Path,
) -> None:
    world = World()
    world.chain(**kept_for(1)).events(events(0, 3), absent={1: "expired"})
    write_alive(world, START + 2 * DAY)

    assert wrong(verify_world(world, tmp_path, START + 10 * SECOND)) == [
        "clock ahead in catalogue: seal 2",
        "missing expired-early in audit: entry 1 of seal 1",
    ]


def test_retention_is_judged_by_the_newest_seal_when_the_clock_is_ahead(
    tmp_path: Path,
) -> None:
    world = World()
    world.chain(**kept_for(1)).events(events(0, 3), absent={1: "expired"})

    assert wrong(verify_world(world, tmp_path, START + 1000 * DAY)) == [
        "missing expired-early in audit: entry 1 of seal 1"
    ]


def test_a_changed_retention_holds_for_later_entries_only(tmp_path: Path) -> None:
    world = World()
    chain = world.chain(**kept_for(30))
    chain.events(events(0, 1), absent={0: "expired"})
    chain.seal("config", body='{"retention_days":1}')
    chain.events(events(1, 1), absent={1: "expired"})
    write_alive(world, START + 2 * DAY)

    report = verify_world(world, tmp_path, START + 2 * DAY)

    assert wrong(report) == ["missing expired-early in audit: entry 0 of seal 1"]
    assert "expired entries in audit: entry 1 of seal 3" in information(report)


def test_a_forged_retention_does_not_hold(tmp_path: Path) -> None:
    world = World()
    chain = world.chain(**kept_for(30))
    chain.events(events(0, 1))
    chain.seal("config", body='{"retention_days":1}')
    chain.lines[-1]["seal"]["note"] = chain.lines[-1]["seal"]["note"].replace(
        "kind config", "kind config "
    )
    chain.events(events(1, 1), absent={1: "expired"})
    write_alive(world, START + 2 * DAY)

    assert "missing expired-early in audit: entry 1 of seal 3" in wrong(
        verify_world(world, tmp_path, START + 2 * DAY)
    )


def test_a_catalogue_record_is_never_gone_by_right(tmp_path: Path) -> None:
    world = World()
    world.catalogue.records({"kind": "start", "time": TIME}, absent={0: "expired"})

    assert wrong(verify_world(world, tmp_path)) == [
        "missing expired-early in catalogue: entry 0 of seal 1"
    ]


TIME = "2026-11-23T09:00:00.000000000Z"


def erase(*indexes: int) -> str:
    """Return the body of an erasure."""
    return json.dumps({"indexes": indexes, "reason": "a request", "author": "dpo"})


def test_erased_entries_are_found_until_they_are_acknowledged(tmp_path: Path) -> None:
    world = World()
    chain = world.chain(salt_bytes=16)
    chain.events(events(0, 4), absent={1: "erased", 2: "erased"})
    chain.seal("erase", body=erase(1, 2))

    report = verify_world(world, tmp_path)
    assert wrong(report) == ["erased entries in audit: entries 1-2"]
    assert report.verdict == 1

    report.acknowledged = {report.open_findings[0].id: "the request of a person"}
    assert report.verdict == 3


def test_entries_that_no_erase_seal_lists_are_missing(tmp_path: Path) -> None:
    world = World()
    chain = world.chain(salt_bytes=16)
    chain.events(events(0, 6), absent={1: "erased", 2: "erased", 3: "erased"})
    chain.seal("erase", body=erase(2, 5))

    report = verify_world(world, tmp_path)

    assert wrong(report) == [
        "erased entries in audit: entry 2",
        "missing erased-unsealed in audit: entry 1",
        "missing erased-unsealed in audit: entry 3",
    ]
    assert "overdue erasure in audit: entry 5" in information(report)


def test_erased_entries_of_a_chain_that_is_not_erasable_are_missing(
    tmp_path: Path,
) -> None:
    world = World()
    world.chain().events(events(0, 2), absent={1: "erased"})

    assert wrong(verify_world(world, tmp_path)) == [
        "missing erased-unsealed in audit: entry 1 of seal 1"
    ]


def test_entries_that_are_gone_leave_the_others_verifiable(tmp_path: Path) -> None:
    world = World()
    chain = world.chain(salt_bytes=16)
    chain.events(events(0, 4), absent={1: "erased"})
    chain.seal("erase", body=erase(1))
    chain.lines[2]["entry"]["payload"] = "{}"

    assert "modified entry in audit: entry 0 of seal 1" in wrong(
        verify_world(world, tmp_path)
    )


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(300, []), (301, ["clock ahead in audit: seal 1"])],
)
def test_a_seal_more_than_five_minutes_ahead_of_the_clock_is_found(
    tmp_path: Path, seconds: int, expected: list[str]
) -> None:
    world = World()
    world.chain().events(
        events(0, 1),
        windows=[window(1, NOW + 250 * SECOND)],
        time=NOW + seconds * SECOND,
    )

    assert wrong(verify_world(world, tmp_path)) == expected


def test_a_window_that_was_sealed_before_may_wait_for_its_seal(tmp_path: Path) -> None:
    world = World()
    chain = world.chain()
    chain.events(events(0, 1))
    late = START + 3600 * SECOND
    windows = [window(0, START, same=0, size=1), window(1, late)]
    chain.events(events(1, 1), windows=windows, time=late)

    report = verify_world(world, tmp_path)

    assert wrong(report) == []
    assert "duplicate window in audit: seal 2" in information(report)


def test_silence_in_the_past_is_information_announced_or_not(tmp_path: Path) -> None:
    world = World()
    world.catalogue.seal("heartbeat", time=START + 60 * SECOND)
    world.catalogue.seal("heartbeat", time=START + 241 * SECOND)
    world.catalogue.records({"kind": "stop", "time": TIME}, time=START + 242 * SECOND)
    world.catalogue.records({"kind": "start", "time": TIME}, time=START + 900 * SECOND)

    report = verify_world(world, tmp_path)

    assert report.verdict is Verdict.VERIFIED
    assert information(report) == [
        "stopped silent in catalogue: seals 1-2",
        "stopped announced in catalogue: seals 3-4",
    ]


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(180, []), (181, ["stale catalogue in catalogue: seal 0"])],
)
def test_a_live_signer_that_is_silent_for_three_heartbeats_is_stale(
    tmp_path: Path, seconds: int, expected: list[str]
) -> None:
    now = START + seconds * SECOND

    report = verify_world(World(), tmp_path, now, is_live=True)

    assert wrong(report) == expected


def test_an_export_is_never_stale(tmp_path: Path) -> None:
    assert wrong(verify_world(World(), tmp_path, START + 1000 * DAY)) == []


def test_a_stopped_signer_is_not_stale(tmp_path: Path) -> None:
    world = World()
    world.catalogue.records({"kind": "stop", "time": TIME})

    report = verify_world(world, tmp_path, START + DAY, is_live=True)

    assert wrong(report) == []
    assert information(report) == ["stopped announced in catalogue: seal 1"]
