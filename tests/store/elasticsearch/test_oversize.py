"""What no server ever takes is found, made smaller, and named; the rest goes on."""

import asyncio
import base64
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from beats_signer.errors import Problem, RefusedError, StoreError
from beats_signer.store.contract import Destination, Write
from beats_signer.store.elasticsearch.check.checks import Checks
from beats_signer.store.elasticsearch.client import Client
from beats_signer.store.elasticsearch.config import ElasticsearchConfig, HostUrl
from beats_signer.store.elasticsearch.write.oversize import item_can_never_fit, remedy
from beats_signer.store.elasticsearch.write.store import ElasticsearchStore
from tests.elasticsearch.fake import Fake
from tests.elasticsearch.faults import Outcome
from tests.elasticsearch.server import VERSION, Access, RunElasticsearch
from tests.store.chains import Chain
from tests.store.elasticsearch.rooms import Log, append, opened, sent, to_write

KIND = "es_rejected_execution_exception"
TARGET = "logs-syslog-acme"


def pressure(wanted: int, most: int, stage: str = "primary") -> str:
    return (
        f"rejected execution of {stage} operation [coordinating_and_primary_bytes="
        f"7340241, replica_bytes=0, all_bytes=7340241, {stage}_operation_bytes="
        f"{wanted}, max_{stage}_bytes={most}]"
    )


OPERATION = (
    "Request contains an operation of size [2202242] bytes, which exceeds the maximum "
    "allowed limit of [2097152] bytes"
)


@pytest.mark.parametrize(
    ("reason", "never"),
    [
        (pressure(29_360_164, 26_843_545), True),
        (pressure(7_969_212, 8_388_608), True),  # beside itself as it was received
        (pressure(6_000_000, 8_388_608), False),
        (OPERATION, True),
        (
            "[parent] Data too large, data for [bulk] would be [9/9b], which is larger "
            "than the limit of [100/100b], real usage: [90/90b], new bytes reserved: "
            "[30/30b], usages [x=0/0b]",
            True,
        ),
        ("rejected execution of task on a queue that is full", False),
        ("", False),
    ],
)
def test_a_refusal_that_stays_is_told_from_one_that_passes(
    reason: str, never: bool
) -> None:
    assert item_can_never_fit(reason) is never


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (pressure(8000, 5000), "indexing_pressure.memory.primary.limit of .* 10000 b"),
        (pressure(800, 500, "coordinating"), "memory.coordinating.limit of .* 1000 b"),
        (OPERATION, "indexing_pressure.memory.max_operation_size of .* 2202242 bytes"),
        ("larger than the limit of [8/8b] new bytes reserved: [9/9b]", "the heap"),
        ("bulk request of 1 items: 413", "http.max_content_length"),
    ],
)
def test_what_to_raise_is_named_with_its_number(reason: str, words: str) -> None:
    assert re.search(words, remedy(reason))


async def test_one_large_event_costs_only_its_own_fields(fake: Fake) -> None:
    fake.cluster.operation_bytes = 40_000
    small = [b'{"n":%d}' % n for n in range(50)]
    sealed = Chain().events([*small, b'{"x":"%b"}' % (b"x" * 30_000), *small])
    async with opened(fake) as store:
        assert (await store.append(to_write(store, sealed))).bare == (50,)

    documents = fake.documents(TARGET).values()
    assert sum("n" in document for document in documents) == 100
    (bare,) = (one for one in documents if one.get("tags") == ["_beats_signer_bare"])
    assert "operation of size" in bare["error"]["message"]
    assert len(sent(fake)) < 20


async def test_events_that_are_large_together_are_stored_whole(fake: Fake) -> None:
    reason = pressure(9000, 1000)
    together = Outcome(429, KIND, reason=reason)
    fake.judge(together, lambda action: action.target == TARGET, times=8)
    sealed = Chain().events([b'{"n":%d}' % n for n in range(8)])
    async with opened(fake) as store:
        assert (await store.append(to_write(store, sealed))).bare == ()

    assert len(fake.documents(TARGET)) == 8


@pytest.mark.parametrize(
    "payload",
    [b'{"x":"%b"}' % (b'\\"' * 7000), b"\x01" * 9000],
    ids=["quotes", "bytes"],
)
async def test_what_has_to_be_small_is_in_base64_where_that_is_smaller(
    fake: Fake, payload: bytes
) -> None:
    fake.cluster.operation_bytes = len(payload) * 4 // 3 + 500
    async with opened(fake) as store:
        write = to_write(store, Chain().events([payload]))
        assert (await store.append(write)).bare == (0,)

    (bare,) = fake.documents(TARGET).values()
    assert base64.b64decode(bare["beats_signer"]["payload_base64"]) == payload
    assert "payload" not in bare["beats_signer"]


async def test_what_never_fits_is_named_until_it_is_stored(fake: Fake) -> None:
    fake.cluster.operation_bytes = 5000
    log, chain = Log([]), Chain()
    sealed = chain.events([b'{"n":1}', b'{"x":"%b"}' % (b"x" * 6000), b'{"n":2}'])
    async with opened(fake, log=log) as store:
        write = to_write(store, sealed)
        for _ in range(2):
            with pytest.raises(
                RefusedError, match=r"1 of 4 items .* of size"
            ) as caught:
                await store.append(write)
            (problem,) = store.problems()
        assert len(fake.documents(TARGET)) == 2
        fake.cluster.operation_bytes = None
        assert (await store.append(write)).bare == ()
        assert store.problems() == []

    _check(problem, chain)
    assert "max_operation_size" in caught.value.hint
    assert [one["event"] for one in log.events] == [problem.symptom]
    assert len(fake.documents(TARGET)) == 3


def _check(problem: Problem, chain: Chain) -> None:
    assert problem.symptom.startswith(f"{chain.origin}: entry 1 is a document of 6")
    assert f"more than {TARGET} takes" in problem.symptom
    assert "limits.json_bytes" in problem.action


async def test_a_server_that_is_busy_meanwhile_takes_no_name_away(fake: Fake) -> None:
    fake.cluster.operation_bytes = 5000
    sealed = Chain().events([b'{"x":"%b"}' % (b"x" * 6000)])
    async with opened(fake) as store:
        write = to_write(store, sealed)
        with pytest.raises(RefusedError):
            await store.append(write)
        fake.judge(Outcome.rejected(429))
        with pytest.raises(StoreError, match="as scripted"):
            await store.append(write)

        (problem,) = store.problems()

    assert "entry 0" in problem.symptom


async def test_a_seal_that_never_fits_is_named_as_a_seal(fake: Fake) -> None:
    sealed = Chain().events([b"{}"] * 200)
    fake.cluster.operation_bytes = 5000
    async with opened(fake) as store:
        with pytest.raises(RefusedError, match="1 of 201 items"):
            await store.append(to_write(store, sealed))
        (problem,) = store.problems()

    assert ": seal 1 is a document of" in problem.symptom
    assert "sealing.max_entries" in problem.action


async def test_a_place_that_a_sender_chose_does_not_stop_its_chain(fake: Fake) -> None:
    chosen = Destination("logs-tiny-acme", is_chosen_by_sender=True)
    sealed = replace(Chain().events([b'{"x":"xx"}']), destinations=[chosen])
    never = Outcome(429, KIND, reason=OPERATION)
    fake.judge(never, lambda action: action.target == "logs-tiny-acme", times=None)
    async with opened(fake) as store:
        assert (await store.append(to_write(store, sealed))).bare == (0,)

    assert len(fake.documents(TARGET)) == 1


@pytest.fixture(scope="module")
def tight(run_elasticsearch: RunElasticsearch) -> Iterator[Access]:
    """Run a server whose node indexes 8 MB at a time: of version 9, 1.6 MB each."""
    limits = {"indexing_pressure.memory.primary.limit": "8mb"}
    with run_elasticsearch(settings=limits) as server:
        yield server.access


IS_LIMITED = not VERSION.startswith("8.")


@pytest.mark.elasticsearch
async def test_a_real_server_takes_one_large_event_bare(tight: Access) -> None:
    small = [b'{"n":%d}' % n for n in range(100)]
    chain = Chain("large")
    sealed = chain.events([*small, b'{"x":"%b"}' % (b"x" * 1_000_000), *small])
    async with opened(tight, part_bytes=8 << 20) as store:
        bare = (await append(store, to_write(store, sealed), 3)).bare

    assert bare == ((100,) if IS_LIMITED else ())
    assert await asyncio.to_thread(_count, tight, "logs-large-acme") == 201


@pytest.mark.elasticsearch
async def test_a_real_server_that_never_takes_an_event_is_told(tight: Access) -> None:
    sealed = Chain("giant").events([b"{}", b'{"x":"%b"}' % (b"x" * 2_000_000)])
    async with opened(tight, part_bytes=8 << 20) as store:
        told = await _told(store, to_write(store, sealed))
        problems = [one.symptom + one.action for one in store.problems()]

    symptom = "entry 1 is a document of 2000.*Raise .*memory.primary.limit"
    found = [re.search(symptom, one) is not None for one in problems]
    assert (found, told) == (([True], "1 of 3 items") if IS_LIMITED else ([], ""))
    count = await asyncio.to_thread(_count, tight, "logs-giant-acme")
    assert count == (1 if IS_LIMITED else 2)


@pytest.mark.elasticsearch
async def test_a_real_server_takes_the_largest_event_that_its_check_allows(
    tight: Access,
) -> None:
    client = Client(tight.url)
    try:
        config = ElasticsearchConfig(hosts=(HostUrl(tight.url),))
        checks = Checks(client, config, [], event_bytes=1 << 30)
        (told,) = [one async for one in checks.run() if one.check == "event-size"]
    finally:
        await client.close()
    found = re.search(r"up to (\d+) bytes", told.message)
    assert found is not None
    sealed = Chain("largest").events([b"\xff" * int(found[1])])

    async with opened(tight, timeout_seconds=60, part_bytes=8 << 20) as store:
        await append(store, to_write(store, sealed), 3)

    assert await asyncio.to_thread(_count, tight, "logs-largest-acme") == 1


async def _told(store: ElasticsearchStore, write: Write) -> str:
    """Append; return how a refusal begins, or nothing."""
    try:
        await store.append(write)
    except RefusedError as error:
        return str(error)[:12]
    return ""


def _count(access: Access, target: str) -> int:
    with access.connect() as client:
        client.indices.refresh(index=target)
        return int(client.count(index=target)["count"])
