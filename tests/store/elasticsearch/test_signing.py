"""A whole signer over Elasticsearch: starts, crashes, restarts, poison events."""

import asyncio
from collections.abc import AsyncIterator, Callable, MutableMapping
from contextlib import asynccontextmanager
from pathlib import Path
from time import time_ns
from typing import Any

import pytest
import structlog

from beats_signer.chain.records import BareRecord, HeadRecord, parse_record
from beats_signer.errors import StateError
from beats_signer.sign.founding import initialise
from beats_signer.sign.pace import Pace
from beats_signer.sign.routing import Routing
from beats_signer.sign.signer import Signer, SigningSettings, open_signer
from beats_signer.sign.window import Source, Window
from beats_signer.store.contract import Sealed
from tests.elasticsearch.fake import Fake
from tests.elasticsearch.faults import Fault
from tests.store.chains import Chain
from tests.store.elasticsearch.conftest import Place
from tests.store.elasticsearch.rooms import opened

POISON = b'{"n":{"deep":1}}'


def _drop(logger: object, level: str, event: MutableMapping[str, Any]) -> str:
    raise structlog.DropEvent


def window(number: int, *payloads: bytes, connection: str = "c-1") -> Window:
    source = Source("web-1", None, "10.0.0.1", "10.0.0.1:9", connection, 1)
    size = sum(map(len, payloads))
    count = len(payloads)
    return Window(
        source, number, number, time_ns(), 2, count, b"J" * count, payloads, size
    )


@asynccontextmanager
async def signing(path: Path, place: Place, name: str) -> AsyncIterator[Signer]:
    """Run a signer that ends as after a crash, unless the test stops it."""
    log = structlog.wrap_logger(None, processors=[_drop])
    settings = SigningSettings(
        pace=Pace(linger_seconds=0),
        head_seconds=3600,
        heartbeat_seconds=3600,
        routing=Routing(tenant="acme", stream=place.target.split("-")[1]),
    )
    async with opened(place.access, timeout_seconds=60) as store:
        _initialise(path, name, store.encode)
        signer, lock = open_signer(path, name, store, settings, log)
        try:
            async with signer.running():
                yield signer
        finally:
            lock.release()


def _initialise(path: Path, name: str, encode: Callable[[Sealed], bytes]) -> None:
    if not path.exists():
        initialise(
            path, signer=name, heartbeat_seconds=3600, encode=encode, clock=time_ns
        )


def said(place: Place, name: str) -> list[Any]:
    """Return what the catalogue says of bare documents and heads, in order."""
    place.client.indices.refresh(index="beats-signer-catalogue")
    found = place.client.search(
        index="beats-signer-catalogue",
        size=1000,
        query={"term": {"beats_signer.sender": name}},
    )
    signed = [hit["_source"]["beats_signer"] for hit in found["hits"]["hits"]]
    signed.sort(key=lambda one: one["index"])
    records = [parse_record(one["payload"].encode()) for one in signed]
    return [one for one in records if isinstance(one, BareRecord | HeadRecord)]


@pytest.fixture
def name(place: Place) -> str:
    return place.target.replace("_", "-")


async def test_poison_events_stop_nobody_and_are_listed(
    place: Place, tmp_path: Path, name: str
) -> None:
    async with signing(tmp_path / "state", place, name) as signer:
        await signer.append(window(1, b'{"n":1}'))
        await signer.append(window(2, b'{"n":2}', POISON, b"no json"))
        await signer.append(window(3, b'{"n":3}'))
        await signer.stop()

    bare, head = said(place, name)
    assert (bare.indexes, head.size) == ((2,), 4)
    documents = place.documents().values()
    assert sorted(one["beats_signer"]["index"] for one in documents) == list(range(5))


async def test_a_signer_goes_on_where_it_was(
    place: Place, tmp_path: Path, name: str
) -> None:
    for run in range(3):
        async with signing(tmp_path / "state", place, name) as signer:
            await signer.append(window(1, b'{"n":%d}' % run, connection=f"c-{run}"))
            if run != 1:
                await signer.stop()

    assert sorted(one["n"] for one in place.documents().values()) == [0, 1, 2]
    assert [one.size for one in said(place, name)] == [2, 4]


async def test_an_empty_state_directory_is_refused(
    place: Place, tmp_path: Path, name: str
) -> None:
    async with signing(tmp_path / "state", place, name) as signer:
        await signer.append(window(1, b"{}"))
    with pytest.raises(BaseExceptionGroup) as group:
        async with signing(tmp_path / "other", place, name):
            pass

    (error,) = group.value.exceptions
    assert isinstance(error, StateError)
    assert "new name" in error.hint


@pytest.mark.parametrize("applied", [0, 1, None])
async def test_a_crash_while_a_bulk_is_under_way_loses_and_doubles_nothing(
    fake: Fake, tmp_path: Path, applied: int | None
) -> None:
    target = "logs-crashed-acme"
    with fake.access.connect() as client:
        place = Place(fake.access, client, Chain("crashed"), target)
        async with signing(tmp_path / "state", place, "signer-1") as signer:
            await signer.append(window(1, b'{"n":0}'))
            before = fake.count("bulk")
            fake.fail(Fault.timed_out(applied))
            receipt = signer.append(window(2, b'{"n":1}', b'{"n":2}', b'{"n":3}'))
            await asyncio.to_thread(fake.wait_for, "bulk", before + 1)
            assert not receipt.done()
        async with signing(tmp_path / "state", place, "signer-1") as signer:
            again = window(1, b'{"n":1}', b'{"n":2}', b'{"n":3}', connection="c-2")
            await signer.append(again)
            await signer.stop()
        numbers = sorted(one["n"] for one in place.documents().values())

    assert numbers == [0, 1, 2, 3]
