"""Memory does not grow with what is read from Elasticsearch, and pages are bounded."""

import subprocess
import sys
from pathlib import Path

from tests.elasticsearch.fake import Fake
from tests.verify.signer import World, events
from tests.verify.stored import Stored
from tests.verify.verifying import NOW

ROOT = Path(__file__).parents[2]
PAGE_BYTES = 40_000
FIRST = 32
"""Documents of a page of which nothing is known."""


def place(fake: Fake, seals: int) -> Stored:
    """Store a chain of so many seals of 100 events, each recorded."""
    world = World(f"signer-{seals}", f"t{seals}")
    chain = world.chain()
    for at in range(seals):
        chain.events(events(100 * at, 100))
    world.head(chain)
    with fake.access.connect() as client:
        stored = Stored(fake.access, client, world)
        stored.options["page_bytes"] = PAGE_BYTES
        stored.set_up()
        stored.store()
    fake.requests.clear()
    return stored


def peak_of(stored: Stored) -> int:
    """Return the bytes that a verification takes, in a process of its own."""
    arguments = (stored.access.url, str(stored.world.trust), NOW, PAGE_BYTES)
    ended = subprocess.run(
        [sys.executable, "-m", "tests.verify.peak", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    verdict, peak = ended.stdout.split()
    assert verdict == "VERIFIED"
    return int(peak)


def test_four_times_the_events_take_no_more_memory() -> None:
    peaks = []
    for seals in (6, 24):
        with Fake() as fake:
            peaks.append(peak_of(place(fake, seals)))

    assert peaks[1] < 1.2 * peaks[0]


def test_pages_have_about_the_bytes_that_they_should(fake: Fake) -> None:
    place(fake, 10).verify()

    sizes = [
        one.json()["size"]
        for one in fake.requests
        if one.operation == "search" and b"beats_signer.index" in one.body
    ]
    fitting = [size for size in sizes if size != FIRST]
    assert len(fitting) >= 1000 * 350 // PAGE_BYTES
    assert all(PAGE_BYTES / 2 < size * 350 < PAGE_BYTES * 2 for size in fitting)
