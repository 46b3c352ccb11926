"""Whatever the server does in mid-run, a document is bare or it is recovered."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from beats_signer.errors import RefusedError, SourceError, StoreError, UsageError
from beats_signer.store.elasticsearch.recover.report import RecoveryReport
from tests.elasticsearch.asking import put_pipeline, put_template
from tests.elasticsearch.fake import Fake
from tests.elasticsearch.faults import Fault, Outcome
from tests.store.chains import Chain
from tests.store.elasticsearch.conftest import Place
from tests.store.elasticsearch.recovering import FITTING, HOSTILE, Bared

STREAM, TARGET = "syslog", "logs-syslog-acme"
NAME = "audit-1"
COUNT = 6


@pytest.fixture
def bared(fake: Fake, tmp_path: Path) -> Iterator[Bared]:
    """Give a signer with bare documents whose mapping is mended."""
    fake.refreshing = True
    with fake.access.connect(max_retries=0) as client:
        put_template(client, TARGET)
        place = Place(fake.access, client, Chain(STREAM), TARGET)
        bared = Bared(place, tmp_path / "state", NAME)
        poison = [b'{"n":"%d"}' % number for number in range(COUNT)]
        poison = [one.replace(b'":"', b'":"x') for one in poison]
        asyncio.run(bared.store(FITTING, *poison))
        bared.mend()
        yield bared


def recovered(bared: Bared) -> int:
    """Return how many of the poisoned events have their field."""
    return sum("n" in source for source in bared.sources()[1:])


@pytest.mark.parametrize("applied", [0, 1, None])
@pytest.mark.parametrize("fault", [Fault.cut, Fault.timed_out])
async def test_a_request_without_an_answer_is_looked_into_and_sent_again(
    bared: Bared, fake: Fake, fault: type[Fault], applied: int | None
) -> None:
    fake.fail(fault(applied))

    report = await bared.recover(timeout_seconds=0.5)

    assert (report.recovered, report.bare, report.exit_code) == (COUNT, COUNT, 0)
    assert recovered(bared) == COUNT


@pytest.mark.parametrize(
    "fault", [Fault.garbled(), Fault.short(), Fault.page(502), Fault.refused(429)]
)
async def test_an_answer_that_says_nothing_is_as_none(
    bared: Bared, fake: Fake, fault: Fault
) -> None:
    fake.fail(fault)

    report = await bared.recover()

    assert (report.recovered, report.exit_code) == (COUNT, 0)
    assert recovered(bared) == COUNT


async def test_a_server_that_dies_leaves_what_is_done_and_the_next_run_does_the_rest(
    bared: Bared, fake: Fake
) -> None:
    fake.fail(Fault.cut(applied=1), times=None)
    report = RecoveryReport(NAME, (TARGET,))
    with pytest.raises(StoreError):
        await bared.recover(report=report)
    done = recovered(bared)
    fake.mend()

    again = await bared.recover()

    assert 0 < done < COUNT
    assert report.recovered <= done
    assert again.recovered == COUNT - done
    assert recovered(bared) == COUNT


@pytest.mark.parametrize("operation", ["search", "point", "get", "other"])
async def test_a_question_without_an_answer_is_asked_again_and_then_given_up(
    bared: Bared, fake: Fake, operation: str
) -> None:
    fake.fail(Fault.page(503), times=2, on=operation)
    assert (await bared.recover(is_dry_run=True)).bare == COUNT
    fake.fail(Fault.page(503), times=None, on=operation)

    with pytest.raises(StoreError):
        await bared.recover()

    fake.mend()
    assert recovered(bared) == 0


async def test_half_an_answer_of_a_search_is_none(bared: Bared, fake: Fake) -> None:
    fake.fail(Fault(applied=None), times=1, on="search")
    fake.fail(Fault.partial(), times=None, on="search")

    with pytest.raises(StoreError, match=r"only a part|cannot be searched"):
        await bared.recover()


async def test_a_busy_server_takes_the_rest_later(bared: Bared, fake: Fake) -> None:
    fake.judge(Outcome.rejected(429), times=3)

    report = await bared.recover()

    assert (report.recovered, report.exit_code) == (COUNT, 0)


async def test_a_server_that_stays_busy_leaves_the_question_open(
    bared: Bared, fake: Fake
) -> None:
    fake.judge(Outcome.rejected(429), times=None)

    with pytest.raises(StoreError, match="es_rejected_execution_exception"):
        await bared.recover()

    assert recovered(bared) == 0


@pytest.mark.parametrize(
    ("outcome", "message"),
    [
        (Outcome.rejected(429), "es_rejected_execution_exception"),
        (Outcome.rejected(403, "security_exception"), "as scripted"),
    ],
    ids=["busy", "forbidden"],
)
async def test_what_is_written_when_a_run_has_to_end_is_counted(
    bared: Bared, fake: Fake, outcome: Outcome, message: str
) -> None:
    first = bared.hits()[1]["_id"]
    fake.judge(outcome, lambda action: action.id == first, times=None)
    report = RecoveryReport(NAME, (TARGET,))

    with pytest.raises(StoreError, match=message):
        await bared.recover(report=report)

    assert report.recovered == recovered(bared) == COUNT - 1


async def test_what_the_last_try_spoils_is_put_back_before_a_run_ends(
    bared: Bared, fake: Fake
) -> None:
    before = bared.sources()
    late, never = (hit["_id"] for hit in bared.hits()[1:3])
    put_pipeline(bared.place.client, "spoiler", {"remove": {"field": "beats_signer"}})
    busy = Outcome.rejected(429)
    fake.judge(busy, lambda action: action.id == late, times=3)
    fake.judge(busy, lambda action: action.id == never, times=None)
    report = RecoveryReport(NAME, (TARGET,))

    with pytest.raises(StoreError):
        await bared.recover(pipeline_of=lambda bare: "spoiler", report=report)

    assert bared.sources() == before
    assert [one.kind for one in report.refusals] == ["spoilt"]
    assert report.bare == COUNT - 1


async def test_a_fault_of_one_document_is_counted_in_the_end(
    bared: Bared, fake: Fake
) -> None:
    (bad,) = [hit["_id"] for hit in bared.hits()[1:2]]
    fake.judge(
        Outcome.rejected(500, "null_pointer_exception"),
        lambda action: action.id == bad,
        times=None,
    )

    report = await bared.recover()

    assert (report.recovered, report.exit_code) == (COUNT - 1, 1)
    assert [one.kind for one in report.refusals] == ["null_pointer_exception"]


async def test_what_is_too_large_is_sent_in_halves(bared: Bared, fake: Fake) -> None:
    fake.fail(Fault.page(413), times=2)

    assert (await bared.recover()).recovered == COUNT


async def test_one_document_that_is_too_large_keeps_no_other_one_bare(
    bared: Bared, fake: Fake
) -> None:
    name = bared.hits()[1]["_id"]
    reason = (
        "Request contains an operation of size [9] bytes, which exceeds the maximum "
        "allowed limit of [8] bytes"
    )
    large = Outcome(429, "es_rejected_execution_exception", reason=reason)
    fake.judge(large, lambda action: action.kind == "index", times=COUNT)
    fake.judge(large, lambda action: action.id == name, times=None)

    report = await bared.recover()

    assert (report.recovered, report.exit_code) == (COUNT - 1, 1)


async def test_a_document_that_somebody_changes_meanwhile_is_left_to_them(
    bared: Bared, fake: Fake
) -> None:
    other = bared.hits()[1]
    changed = other["_source"] | {"tags": ["_beats_signer_bare", "seen"]}
    fake.hold("bulk")
    running = asyncio.create_task(bared.recover())
    before = fake.count("bulk")
    await asyncio.to_thread(fake.wait_for, "bulk", before + 1)
    await asyncio.to_thread(
        bared.place.client.index,
        index=other["_index"],
        id=other["_id"],
        document=changed,
        if_seq_no=other["_seq_no"],
        if_primary_term=other["_primary_term"],
    )
    fake.release()
    report = await running

    assert (report.changed, report.recovered, report.exit_code) == (1, COUNT - 1, 1)
    assert bared.sources()[1] == changed
    assert "1 were changed by somebody else meanwhile" in "\n".join(report.lines())
    assert (await bared.recover()).recovered == 1


async def test_a_document_that_somebody_deletes_meanwhile_does_not_come_back(
    bared: Bared, fake: Fake
) -> None:
    other = bared.hits()[1]
    fake.hold("bulk")
    running = asyncio.create_task(bared.recover())
    before = fake.count("bulk")
    await asyncio.to_thread(fake.wait_for, "bulk", before + 1)
    await asyncio.to_thread(
        bared.place.client.delete, index=other["_index"], id=other["_id"]
    )
    fake.release()
    report = await running

    assert (report.changed, report.recovered) == (1, COUNT - 1)
    assert other["_id"] not in {hit["_id"] for hit in bared.hits()}


async def test_a_run_that_is_interrupted_settles_the_page_that_has_begun(
    bared: Bared, fake: Fake
) -> None:
    report = RecoveryReport(NAME, (TARGET,))
    fake.hold("bulk")
    running = asyncio.create_task(bared.recover(report=report))
    before = fake.count("bulk")
    await asyncio.to_thread(fake.wait_for, "bulk", before + 1)
    running.cancel()
    fake.release()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert report.recovered == recovered(bared) == COUNT


async def test_a_blocked_index_is_counted_and_another_one_is_recovered(
    bared: Bared, fake: Fake
) -> None:
    blocked = bared.hits()[0]["_index"]
    await asyncio.to_thread(bared.place.client.indices.rollover, alias=TARGET)
    await bared.store(b'{"n":2}', b'{"n":"y"}')
    bared.mend()
    await asyncio.to_thread(
        bared.place.client.indices.put_settings,
        index=blocked,
        settings={"index.blocks.write": True},
    )

    report = await bared.recover()

    assert report.recovered == 1
    (refusal,) = report.refusals
    assert (refusal.kind, report.refusals[refusal]) == (
        "cluster_block_exception",
        COUNT,
    )


async def test_an_index_that_closes_under_a_run_is_said_to_be_open_to_question(
    bared: Bared, fake: Fake
) -> None:
    index = bared.hits()[0]["_index"]
    fake.hold("get")
    running = asyncio.create_task(bared.recover())
    before = fake.count("get")
    await asyncio.to_thread(fake.wait_for, "get", before + 1)
    await asyncio.to_thread(bared.place.client.indices.close, index=index)
    fake.release()
    report = await running

    assert (report.bare, report.exit_code) == (0, 2)
    assert [*report.undecided] == [
        f"{index} cannot be read: index_closed_exception: closed"
    ]


async def test_whoever_lacks_a_right_is_told_before_anything_is_looked_at(
    bared: Bared, fake: Fake
) -> None:
    fake.administration.secured = True
    fake.administration.denied = {(TARGET, "index")}
    before = fake.count("point")

    with pytest.raises(RefusedError, match=f"fake lacks index on {TARGET}") as caught:
        await bared.recover()

    assert "beats-signer-repair" in caught.value.hint
    assert fake.count("point") == before


async def test_a_right_that_is_taken_away_ends_the_run(
    bared: Bared, fake: Fake
) -> None:
    fake.judge(Outcome.rejected(403, "security_exception"), times=None)

    with pytest.raises(RefusedError, match="as scripted"):
        await bared.recover()

    assert recovered(bared) == 0


async def test_a_key_that_is_wrong_ends_the_run_at_once(
    bared: Bared, fake: Fake
) -> None:
    fake.fail(Fault.refused(401, "security_exception"), times=None, on="other")
    before = len(fake.requests)

    with pytest.raises(RefusedError, match="401"):
        await bared.recover()

    assert len(fake.requests) - before < COUNT


async def test_a_server_without_trials_says_what_would_be_tried(
    bared: Bared, fake: Fake
) -> None:
    fake.fail(
        Fault(status=400, body=b'{"error":"no handler found for uri [/_ingest]"}'),
        times=None,
        on="trial",
    )

    report = await bared.recover(is_dry_run=True)

    assert (report.untried, report.recovered, report.exit_code) == (COUNT, 0, 0)
    assert recovered(bared) == 0


@pytest.mark.parametrize("is_tagged", [True, False])
async def test_what_is_read_at_once_is_a_page_of_200_documents(
    bared: Bared, fake: Fake, is_tagged: bool
) -> None:
    await asyncio.to_thread(bared.place.client.indices.rollover, alias=TARGET)
    many = tuple(b'{"n":"y%d"}' % number for number in range(450))
    await bared.store(b'{"n":7}' if is_tagged else HOSTILE, many)
    bared.mend()
    asked = len(fake.requests)

    report = await bared.recover()

    reads = [one for one in fake.requests[asked:] if one.path == "/_mget"]
    assert (report.recovered, report.exit_code) == (COUNT + 450, 0)
    assert max(len(one.json()["docs"]) for one in reads) == 200
    assert (await bared.recover()).bare == 0


async def test_large_documents_are_read_a_few_at_a_time(
    bared: Bared, fake: Fake
) -> None:
    await asyncio.to_thread(bared.place.client.indices.rollover, alias=TARGET)
    large = b'{"n":"%b"}' % (b"x" * (3 << 19))
    await bared.store(b'{"n":7}', *[(large,) * 4] * 6)
    bared.mend()
    asked = len(fake.requests)

    report = await bared.recover(timeout_seconds=60)

    reads = [one for one in fake.requests[asked:] if one.path == "/_mget"]
    sizes = [len(one.json()["docs"]) for one in reads]
    assert report.recovered == COUNT + 24
    assert max(sizes) <= 16
    assert max(sizes[2:]) <= 8


async def test_a_chain_that_is_not_there_is_named_with_those_that_are(
    bared: Bared,
) -> None:
    with pytest.raises(UsageError, match="audit-1 has no chain nowhere") as caught:
        await bared.recover(only=["nowhere"])

    assert f"audit-1/acme/{STREAM}/" in caught.value.hint


async def test_only_the_chain_that_is_named_is_looked_at(bared: Bared) -> None:
    (origin,) = {
        one
        for one in (hit["_source"].get("origin") for hit in _seals(bared))
        if one and one != NAME
    }

    assert (await bared.recover(only=[origin])).recovered == COUNT


async def test_a_signer_that_has_nothing_there_is_undecided(bared: Bared) -> None:
    other = Bared(bared.place, bared.path, "audit-2")

    with pytest.raises(SourceError, match="no chain of audit-2"):
        await other.recover()


def _seals(bared: Bared) -> list[dict[str, dict[str, str]]]:
    found = bared.place.client.search(index="beats-signer-seals-*", size=1000)
    return list(found["hits"]["hits"])
