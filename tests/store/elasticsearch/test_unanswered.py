"""Requests that fail as a whole: failed and not stored, failed but stored."""

import asyncio
from dataclasses import dataclass

import pytest

from beats_signer.errors import RefusedError, StoreError
from beats_signer.store.contract import Sealed
from beats_signer.store.elasticsearch.client import UnansweredError
from tests.elasticsearch.fake import Fake
from tests.elasticsearch.faults import Fault, Outcome
from tests.store.chains import Chain
from tests.store.elasticsearch.rooms import append, opened, sent, to_write

TARGET = "logs-syslog-acme"
EVENTS = 6


def some() -> Sealed:
    return Chain().events([b'{"n":%d}' % n for n in range(EVENTS)])


def check(fake: Fake) -> None:
    """See that everything is there, and each of it once."""
    found = [one["n"] for one in fake.documents("logs-*").values()]
    assert sorted(found) == list(range(EVENTS))
    assert len(fake.documents("beats-signer-seals-*")) == 1


UNANSWERED = {
    "cut before": Fault.cut(0),
    "cut after": Fault.cut(None),
    "cut in the middle": Fault.cut(3),
    "answer cut": Fault.cut(None, after=40),
    "garbled": Fault.garbled(),
    "garbled, nothing stored": Fault.garbled(0),
    "too few items": Fault.short(2),
    "empty": Fault(applied=None, body=b""),
    "of another kind": Fault(applied=None, body=b"<x/>", content_type="text/html"),
}


@pytest.mark.parametrize("fault", UNANSWERED.values(), ids=UNANSWERED)
async def test_without_an_answer_the_same_bytes_are_sent_again(
    fake: Fake, fault: Fault
) -> None:
    fake.fail(fault)
    async with opened(fake) as store:
        write = to_write(store, some())
        with pytest.raises(UnansweredError):
            await store.append(write)
        assert (await store.append(write)).bare == ()

    check(fake)
    first, second = sent(fake)
    assert first == second


@pytest.mark.parametrize("applied", [0, 3, None])
async def test_a_request_that_times_out_is_sent_again(
    fake: Fake, applied: int | None
) -> None:
    fake.fail(Fault.timed_out(applied))
    async with opened(fake, timeout_seconds=0.2) as store:
        write = to_write(store, some())
        with pytest.raises(UnansweredError, match="timed out"):
            await store.append(write)
        await store.append(write)

    check(fake)


async def test_a_server_that_is_not_there_is_an_error_of_the_store() -> None:
    with Fake() as gone:
        pass
    async with opened(gone) as store:
        with pytest.raises(UnansweredError) as unanswered:
            await store.append(to_write(store, some()))

    assert "can be reached" in unanswered.value.hint


@dataclass
class Clock:
    """A clock that a test sets, and a note of what was asked of it."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


async def test_a_conflict_counts_only_once_the_grace_has_passed(
    fake: Fake,
) -> None:
    fake.fail(Fault.cut(None))
    clock, slept = Clock(), []

    async def sleep(seconds: float) -> None:
        slept.append((seconds, fake.count("get")))
        clock.now += seconds

    async with opened(fake, grace_seconds=5, clock=clock, sleep=sleep) as store:
        clock.now += 100
        write = to_write(store, some())
        with pytest.raises(UnansweredError):
            await store.append(write)
        clock.now += 2
        await store.append(write)

    assert slept == [(3.0, 0)]  # and nothing was read before
    assert fake.count("get") == 1
    check(fake)


async def test_what_an_earlier_process_sent_may_still_be_under_way(
    fake: Fake,
) -> None:
    clock, slept = Clock(), []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        clock.now += seconds

    sealed = some()
    for _ in range(2):
        async with opened(fake, grace_seconds=5, clock=clock, sleep=sleep) as store:
            await store.append(to_write(store, sealed))

    assert slept == [5.0]


async def test_without_a_conflict_nobody_waits_for_the_grace(fake: Fake) -> None:
    async def sleep(seconds: float) -> None:
        raise AssertionError("it slept")

    fake.fail(Fault.cut(0))
    async with opened(fake, grace_seconds=60, sleep=sleep) as store:
        await append(store, to_write(store, some()))

    check(fake)


async def test_an_item_that_failed_may_be_stored_all_the_same(fake: Fake) -> None:
    """A copy of the shard may have it; the conflict is judged after the grace."""
    clock, slept = Clock(), []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        clock.now += seconds

    fake.judge(Outcome(503, "unavailable_shards_exception", applied=True))
    async with opened(fake, grace_seconds=5, clock=clock, sleep=sleep) as store:
        clock.now += 100
        await append(store, to_write(store, some()))

    assert slept == [5.0]
    check(fake)


BUSY = [429, 502, 503, 504, 408]


@pytest.mark.parametrize("status", BUSY)
async def test_a_busy_server_gets_everything_again(fake: Fake, status: int) -> None:
    fake.fail(Fault.refused(status), times=2)
    async with opened(fake) as store:
        write = to_write(store, some())
        for _ in range(2):
            with pytest.raises(StoreError, match=f"7 items: {status} es_rejected"):
                await store.append(write)
        await store.append(write)

    check(fake)


async def test_a_page_of_a_proxy_is_no_answer(fake: Fake) -> None:
    fake.fail(Fault.page(502))
    async with opened(fake) as store:
        with pytest.raises(StoreError, match="502"):
            await store.append(to_write(store, some()))


@pytest.mark.parametrize("status", [401, 403, 404, 405])
async def test_what_will_not_come_by_itself_is_told(fake: Fake, status: int) -> None:
    fake.fail(Fault.refused(status, "security_exception"))
    async with opened(fake) as store:
        write = to_write(store, some())
        with pytest.raises(RefusedError, match=f"{status} security_exception") as told:
            await store.append(write)
        await store.append(write)

    assert told.value.hint
    check(fake)


async def test_a_client_of_another_major_is_told(fake: Fake) -> None:
    fake.fail(Fault.refused(400, "media_type_header_exception"))
    async with opened(fake) as store:
        with pytest.raises(RefusedError, match="media_type_header_exception"):
            await store.append(to_write(store, some()))


async def test_another_product_is_told(fake: Fake) -> None:
    fake.product = False
    async with opened(fake) as store:
        with pytest.raises(RefusedError, match="does not say that it is Elastic"):
            await store.append(to_write(store, some()))


@pytest.mark.parametrize("status", [400, 413])
async def test_what_is_not_taken_whole_is_sent_in_halves(
    fake: Fake, status: int
) -> None:
    fake.fail(Fault.refused(status, "too_much"))
    async with opened(fake) as store:
        assert (await store.append(to_write(store, some()))).bare == ()

    assert [len(actions) for actions in sent(fake)] == [7, 3, 4]
    check(fake)


async def test_a_server_that_fails_at_a_request_gets_it_three_times(fake: Fake) -> None:
    fake.fail(Fault.refused(500, "oops"), times=3)
    async with opened(fake) as store:
        write = to_write(store, some())
        for _ in range(2):
            with pytest.raises(StoreError, match="500 oops"):
                await store.append(write)
        assert (await store.append(write)).bare == ()

    assert [len(actions) for actions in sent(fake)] == [7, 7, 7, 3, 4]
    check(fake)


@pytest.mark.parametrize("status", [400, 500])
async def test_a_server_that_takes_nothing_at_all_is_not_asked_for_each_event(
    fake: Fake, status: int
) -> None:
    fake.fail(Fault.refused(status, "oops"), times=None)
    chain = Chain()
    async with opened(fake) as store:
        write = to_write(store, chain.events([b'{"n":%d}' % n for n in range(500)]))
        with pytest.raises(RefusedError, match=f"501 of 501 items .* {status} oops"):
            await append(store, write, 9)
        told = fake.count("bulk")
        with pytest.raises(StoreError):
            await store.append(write)
        fake.mend()
        assert (await append(store, write)).bare == ()

    assert told < 100
    assert len(fake.documents("logs-*")) == 500


@pytest.mark.parametrize("status", [400, 500])
async def test_one_event_that_a_request_fails_at_is_found_and_stored_bare(
    fake: Fake, status: int
) -> None:
    """Older servers refuse a whole request for a document that a pipeline gets."""
    fake.fail(Fault.refused(status, "oops"), times=None, having=b'"n":3}\n')
    async with opened(fake) as store:
        assert (await append(store, to_write(store, some()), 9)).bare == (3,)

    assert len(fake.documents("logs-*")) == EVENTS


def _large(count: int, size: int) -> Sealed:
    return Chain().events(
        [b'{"n":%d,"x":"%b"}' % (n, b"x" * size) for n in range(count)]
    )


async def test_a_server_that_takes_less_gets_less_from_then_on(fake: Fake) -> None:
    fake.max_body_bytes = 1000 << 10
    async with opened(fake, part_bytes=8 << 20) as store:
        chain = Chain()
        first = chain.events([b'{"x":"%b"}' % (b"x" * 100_000) for _ in range(20)])
        second = chain.events([b'{"x":"%b"}' % (b"x" * 100_000) for _ in range(20)])
        await store.append(to_write(store, first))
        before = len(fake.requests)
        assert (await store.append(to_write(store, second))).bare == ()

    sizes = [len(one.body) for one in fake.requests[before:]]
    assert max(sizes) <= 1000 << 10
    assert len(fake.documents("logs-*")) == 40


async def test_an_event_that_is_too_large_is_stored_bare(fake: Fake) -> None:
    fake.max_body_bytes = 150_000
    sealed = Chain().events([b"{}", b'{"x":"%b"}' % (b"x" * 100_000)])
    async with opened(fake) as store:
        assert (await store.append(to_write(store, sealed))).bare == (1,)


async def test_an_event_that_does_not_fit_at_all_is_told(fake: Fake) -> None:
    fake.max_body_bytes = 50_000
    sealed = Chain().events([b"{}", b'{"x":"%b"}' % (b"x" * 100_000)])
    async with opened(fake) as store:
        write = to_write(store, sealed)
        with pytest.raises(RefusedError, match=r"1 of 3 items .* 413"):
            await store.append(write)
        fake.max_body_bytes = 1 << 20
        assert (await store.append(write)).bare == ()


async def test_a_seal_larger_than_a_request_is_several_requests(fake: Fake) -> None:
    sealed = _large(40, 50_000)
    async with opened(fake, part_bytes=1 << 20) as store:
        await store.append(to_write(store, sealed))

    assert len(sent(fake)) == 4
    assert len(fake.documents("logs-*")) == 40
    assert sent(fake)[-1][-1].target == "beats-signer-seals-2026.11"
    assert max(len(one.body) for one in fake.requests) < 1.1 * (1 << 20)


async def test_what_is_stored_of_several_requests_is_not_sent_again(
    fake: Fake,
) -> None:
    sealed = _large(40, 50_000)
    async with opened(fake, part_bytes=1 << 20) as store:
        write = to_write(store, sealed)
        fake.fail(Fault(applied=None), times=2)  # they pass
        fake.fail(Fault.refused(429))
        with pytest.raises(StoreError):
            await store.append(write)
        await store.append(write)

    assert fake.count("bulk") == 5
    assert fake.count("get") == 0


async def test_comparing_needs_the_right_to_read(fake: Fake) -> None:
    sealed = some()
    async with opened(fake) as store:
        await store.append(to_write(store, sealed))
    fake.fail(Fault.refused(403, "security_exception"), on="get")
    async with opened(fake) as store:
        write = to_write(store, sealed)
        with pytest.raises(RefusedError, match="cannot be compared") as told:
            await store.append(write)
        await store.append(write)

    assert "read" in told.value.hint


@pytest.mark.parametrize(
    "fault",
    [
        Fault.refused(503),
        Fault.refused(500),
        Fault(body=b"{}", applied=None),
        Fault(body=b'{"docs":[]}', applied=None),
        Fault.cut(None),
        Fault.garbled(None),
    ],
    ids=str,
)
async def test_a_comparison_that_fails_proves_nothing(fake: Fake, fault: Fault) -> None:
    sealed = some()
    async with opened(fake) as store:
        await store.append(to_write(store, sealed))
    fake.fail(fault, on="get")
    async with opened(fake) as store:
        write = to_write(store, sealed)
        with pytest.raises(StoreError):
            await store.append(write)
        await store.append(write)

    check(fake)


async def test_an_append_that_is_cancelled_can_be_repeated(fake: Fake) -> None:
    fake.hold("bulk")
    async with opened(fake) as store:
        write = to_write(store, some())
        task = asyncio.create_task(store.append(write))
        await asyncio.to_thread(fake.wait_for, "bulk")
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        fake.release()
        await append(store, write)

    check(fake)


async def test_who_closes_waits_for_what_is_under_way(fake: Fake) -> None:
    fake.hold("bulk")
    async with opened(fake) as store:
        appending = asyncio.create_task(store.append(to_write(store, some())))
        await asyncio.to_thread(fake.wait_for, "bulk")
        closing = asyncio.create_task(store.close())
        for _ in range(5):
            await asyncio.sleep(0)
        assert not closing.done()
        fake.release()
        await closing
        assert appending.done()
        await appending

    check(fake)
