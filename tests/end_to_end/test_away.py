"""Elasticsearch is away for a while: the pressure ends at the senders."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from threading import Event

import pytest

from tests.elasticsearch.server import Server
from tests.end_to_end.conftest import MakeSigner
from tests.end_to_end.crowd import Crowd, bulky_events
from tests.end_to_end.relay import Relay
from tests.end_to_end.storing import StoringSigner
from tests.senders.libbeat import cut_windows

pytestmark = pytest.mark.elasticsearch

MIB = 1 << 20
KEEPALIVE_SECONDS = 1
JOURNAL_BYTES = 64 * MIB
SEAL_BYTES = 32 * MIB
"""What one seal may hold: the last one begins below the limit of the journal."""
WINDOW = 40
SETTLED_SECONDS = 0.5
"""What was under way when the store went away may still be answered."""
RESIDENT_SHARES, RESIDENT_BYTES = 4, 64 * MIB
"""What a process takes for its budget: each event as received and as it is sent."""


class Absence(Enum):
    """How a store can be away."""

    HANGING = "it takes connections and answers nothing"
    REFUSING = "it takes no connections"


@contextmanager
def away(absence: Absence, server: Server, relay: Relay) -> Iterator[None]:
    """Take the store away, and give it back."""
    leave, come_back = {
        Absence.HANGING: (server.pause, server.resume),
        Absence.REFUSING: (relay.close, relay.open),
    }[absence]
    leave()
    try:
        yield
    finally:
        come_back()


@dataclass
class Peaks:
    """The most that was seen of each, in bytes."""

    memory: int = 0
    resident: int = 0
    journal: int = 0
    files: int = 0

    def look(self, signer: StoringSigner) -> None:
        status = signer.status()
        self.memory = max(self.memory, status["memory_bytes"])
        self.journal = max(self.journal, status["journal_bytes"])
        self.resident = max(self.resident, resident_bytes(signer.pid))
        files = sum(one.stat().st_size for one in (signer.folder / "state").glob("j*"))
        self.files = max(self.files, files)


def resident_bytes(pid: int) -> int:
    pages = Path(f"/proc/{pid}/statm").read_text().split()[1]
    return int(pages) * 4096


@pytest.mark.parametrize("absence", Absence)
@pytest.mark.parametrize(
    ("seconds", "memory", "members", "back_seconds"),
    [(6, 16, 20, 8), pytest.param(150, 160, 40, 40, marks=pytest.mark.slow)],
    ids=["short", "long"],
)
def test_limits_hold_and_senders_wait_while_the_store_is_away(
    make_signer: MakeSigner,
    server: Server,
    relay: Relay,
    absence: Absence,
    seconds: int,
    memory: int,
    members: int,
    back_seconds: int,
) -> None:
    """Nothing is lost, and acks flow soon after the store is back.

    The longest pause between two attempts is 5 seconds. In the long run the first
    seal to be stored has 32 MiB, for a server with a small heap.
    """
    limit = memory * MIB
    signer = make_signer(
        limits={
            "keepalive_seconds": KEEPALIVE_SECONDS,
            "memory_bytes": limit,
            "window_bytes": 8 * MIB,
        },
        sealing={"journal_bytes": JOURNAL_BYTES},
    )
    crowd = Crowd(signer.plain_port, loads(members, limit))
    crowd.wait_for_acks(1)
    resident, peaks = resident_bytes(signer.pid), Peaks()

    with away(absence, server, relay):
        left = time.monotonic()
        crowd.go_on()
        while time.monotonic() - left < seconds:
            peaks.look(signer)
            Event().wait(0.2)
        back = time.monotonic()
    crowd.finish(seconds * 4)
    assert signer.end() == 0

    between = [
        moment for moment in crowd.acks if left + SETTLED_SECONDS < moment < back
    ]
    after = [moment - back for moment in crowd.acks if moment > back]
    assert between == []
    assert [member.errors for member in crowd.members] == [[]] * members
    silences = [
        member.silence(left + SETTLED_SECONDS, back) for member in crowd.members
    ]
    assert max(silences) < 3 * KEEPALIVE_SECONDS
    assert limit * 3 // 4 < peaks.memory <= limit
    assert peaks.resident < resident + RESIDENT_SHARES * limit + RESIDENT_BYTES
    assert peaks.journal <= JOURNAL_BYTES + SEAL_BYTES
    assert peaks.files <= 2 * (JOURNAL_BYTES + SEAL_BYTES)
    assert after[0] < back_seconds
    signer.check_stored(crowd.events)


def loads(members: int, limit: int) -> list[list[Sequence[bytes]]]:
    """Return one event for each, then windows; three of each are above the limit."""
    size = limit // 2 // members // WINDOW
    return [
        [events[:1], *cut_windows(events[1:], WINDOW)]
        for n in range(members)
        if (events := bulky_events(1 + 4 * WINDOW, host=f"web-{n}", size=size))
    ]
