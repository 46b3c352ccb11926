"""Bare documents: marked when stored, listed before a head that covers them."""

import asyncio
from collections.abc import AsyncIterator, MutableMapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from time import time_ns
from typing import Any

import structlog
from structlog.typing import Processor

from beats_signer.chain.records import BareRecord, HeadRecord, parse_record
from beats_signer.errors import Problem, RefusedError
from beats_signer.sign.bare import build_bare_records
from beats_signer.sign.founding import initialise
from beats_signer.sign.journal import Journal
from beats_signer.sign.pace import Pace
from beats_signer.sign.signer import Signer, SigningSettings, open_signer
from beats_signer.sign.window import Source, Window
from beats_signer.store.contract import Appended, Write
from tests.fakes.memory import MemorySource, MemoryStore

SIGNER = "signer-1.example.com"
SOURCE = Source("web-1", None, "10.0.0.1", "10.0.0.1:9", "c-1", 1)


class StrippingStore(MemoryStore):
    """Stores entries of events without their visible fields, or refuses them."""

    def __init__(self) -> None:
        super().__init__()
        self.refusals = 0

    def problems(self) -> Sequence[Problem]:
        return (Problem("s", "i", "a"),)

    async def append(self, write: Write) -> Appended:
        if write.seal.origin == SIGNER or not write.seal.count:
            return await super().append(write)
        if self.refusals:
            self.refusals -= 1
            raise RefusedError("the index has a write block")
        await super().append(write)
        first = write.seal.first
        return Appended(tuple(range(first, first + write.seal.count, 2)))


def window(number: int, count: int) -> Window:
    payloads = tuple(b'{"n":%d}' % (number * 100 + n) for n in range(count))
    size = sum(map(len, payloads))
    return Window(
        SOURCE, number, number, time_ns(), 2, count, b"J" * count, payloads, size
    )


@asynccontextmanager
async def signing(
    path: Path, store: MemoryStore, note: Processor | None = None
) -> AsyncIterator[Signer]:
    """Run a signer that ends as after a crash, unless the test stops it."""
    log = structlog.wrap_logger(None, processors=[note or _drop])
    pace = Pace(linger_seconds=0)
    settings = SigningSettings(pace=pace, head_seconds=3600, heartbeat_seconds=3600)
    signer, lock = open_signer(path, SIGNER, store, settings, log)
    try:
        async with signer.running():
            yield signer
    finally:
        lock.release()


def _drop(logger: object, level: str, event: MutableMapping[str, Any]) -> str:
    raise structlog.DropEvent


def _initialise(path: Path, store: MemoryStore) -> None:
    initialise(
        path, signer=SIGNER, heartbeat_seconds=60, encode=store.encode, clock=time_ns
    )


def _records(store: MemoryStore) -> list[object]:
    """Return the catalogue's records of bare documents and heads, in order."""
    blocks = MemorySource(store).read(SIGNER)
    payloads = [p for b in blocks if hasattr(b, "entries") for p in b.entries.payloads]
    records = map(parse_record, payloads)
    return [one for one in records if isinstance(one, BareRecord | HeadRecord)]


async def test_bare_documents_are_listed_before_the_head_that_covers_them(
    tmp_path: Path,
) -> None:
    path, store = tmp_path / "state", StrippingStore()
    _initialise(path, store)
    async with signing(path, store) as signer:
        await signer.append(window(1, 5))
        await signer.stop()

    bare, head = _records(store)
    assert isinstance(bare, BareRecord) and isinstance(head, HeadRecord)
    assert bare.indexes == (0, 2, 4)
    assert (bare.origin, head.size) == (head.origin, 2)


async def test_a_crash_before_the_list_leaves_the_marks(tmp_path: Path) -> None:
    path, store = tmp_path / "state", StrippingStore()
    _initialise(path, store)
    async with signing(path, store) as signer:
        await signer.append(window(1, 3))
    assert _records(store) == []
    async with signing(path, store) as signer:
        await signer.append(window(2, 1))
        await signer.stop()

    bare, _ = _records(store)
    assert isinstance(bare, BareRecord)
    assert bare.indexes == (0, 2, 3)
    assert Journal.open(path / "journal.db").bare() == {}


async def test_status_counts_bare_documents_and_has_the_problems_of_the_store(
    tmp_path: Path,
) -> None:
    path, store = tmp_path / "state", StrippingStore()
    _initialise(path, store)
    async with signing(path, store) as signer:
        await signer.append(window(1, 3))
        status = signer.status()

    assert status["chains"][0]["bare_entries"] == 2
    assert status["problems"] == [{"symptom": "s", "impact": "i", "action": "a"}]


async def test_what_the_store_refuses_is_an_error_of_the_log(tmp_path: Path) -> None:
    path, store, logged = tmp_path / "state", StrippingStore(), asyncio.Event()
    _initialise(path, store)

    def note(logger: object, level: str, event: MutableMapping[str, Any]) -> str:
        if level == "error":
            assert event["pause_seconds"] == 5
            logged.set()
        raise structlog.DropEvent

    async with signing(path, store, note) as signer:
        await signer.append(window(1, 1))
        store.refusals = 1
        receipt = signer.append(window(2, 1))
        await logged.wait()

        assert signer.status()["chains"][0]["problem"] == "the index has a write block"
        assert not receipt.done()


def test_a_long_list_is_several_records() -> None:
    origin = f"{SIGNER}/acme/syslog/20261123T090000Z"
    records = list(map(parse_record, build_bare_records(origin, range(25_000))))

    sizes = [len(one.indexes) for one in records if isinstance(one, BareRecord)]
    assert sizes == [10_000, 10_000, 5_000]
    assert max(map(len, build_bare_records(origin, range(2**48 - 10_000, 2**48)))) < (
        200 << 10
    )


def test_an_entry_that_is_marked_twice_is_listed_once(tmp_path: Path) -> None:
    chain = b"c" * 32
    journal = Journal.create(tmp_path / "journal.db")
    journal.mark_stored(chain, 1, (5, 3))
    journal.mark_stored(chain, 2, (5, 7))

    assert journal.bare() == {chain: [3, 5, 7]}
    journal.close()
