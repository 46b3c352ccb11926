"""Memory does not grow with what is verified."""

import tracemalloc
from pathlib import Path

import pytest

from beats_signer.verify.report import Report, Verdict
from tests.verify.signer import World, events
from tests.verify.verifying import verify_folder


def world_of(seals: int) -> World:
    """Return a chain of so many seals of 100 events, each recorded."""
    world = World()
    chain = world.chain()
    for at in range(seals):
        chain.events(events(100 * at, 100))
    world.head(chain)
    return world


def peak_of(folder: Path, world: World) -> tuple[Report, int]:
    """Return the report about a folder and the bytes that it took."""
    verify_folder(folder, world.trust)
    tracemalloc.start()
    try:
        report = verify_folder(folder, world.trust)
        return report, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("damage", [None, "entry", "seal"])
def test_four_times_the_events_take_no_more_memory(
    tmp_path: Path, damage: str | None
) -> None:
    peaks = []
    for seals in (20, 80):
        world = world_of(seals)
        folder = tmp_path / str(seals)
        folder.mkdir()
        for line in world.chains[0].lines:
            if damage is not None and damage in line:
                text = "payload" if damage == "entry" else "body"
                line[damage][text] += " "
        report, peak = peak_of(world.write(folder), world)
        peaks.append(peak)
        assert report.verdict is (Verdict.FINDINGS if damage else Verdict.VERIFIED)

    assert peaks[1] < 1.2 * peaks[0]
