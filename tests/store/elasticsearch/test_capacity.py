"""How many requests may be on their way, and who has to wait."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from beats_signer.store.elasticsearch.write.capacity import Capacity
from tests.elasticsearch.fake import Fake
from tests.elasticsearch.faults import Fault, Outcome
from tests.store.chains import Chain
from tests.store.elasticsearch.rooms import append, opened, to_write

ONE, TWO = b"1" * 32, b"2" * 32


async def _is_free(capacity: Capacity, chain: bytes) -> bool:
    async def take() -> None:
        async with capacity.slot(chain):
            pass

    task = asyncio.create_task(take())
    for _ in range(5):
        await asyncio.sleep(0)
    is_done = task.done()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return is_done


async def _take(capacity: Capacity, chain: bytes, rounds: int = 1) -> None:
    for _ in range(rounds):
        async with capacity.slot(chain):
            await asyncio.sleep(0)


async def test_requests_wait_for_each_other_above_the_limit() -> None:
    capacity = Capacity(2, 1)
    async with AsyncExitStack() as stack:
        for _ in range(2):
            assert await _is_free(capacity, ONE)
            await stack.enter_async_context(capacity.slot(ONE))
        assert not await _is_free(capacity, ONE)
    assert await _is_free(capacity, ONE)


async def test_each_chain_may_have_one_whatever_the_others_have() -> None:
    capacity = Capacity(2, 1)
    async with capacity.slot(ONE), capacity.slot(ONE):
        assert await _is_free(capacity, TWO)
        async with capacity.slot(TWO):
            assert not await _is_free(capacity, TWO)


async def test_a_slot_that_is_free_goes_to_who_has_waited_longest() -> None:
    capacity = Capacity(1, 1)
    order = []

    async def take(name: str) -> None:
        async with capacity.slot(ONE):
            order.append(name)
            await asyncio.sleep(0)

    await asyncio.gather(*(take(name) for name in "abc"))

    assert order == ["a", "b", "c"]


async def test_a_waiting_request_that_is_cancelled_takes_nothing() -> None:
    capacity = Capacity(1, 1)
    async with capacity.slot(ONE):
        assert not await _is_free(capacity, ONE)
    assert await _is_free(capacity, ONE)


async def test_a_place_that_was_given_and_is_not_used_is_free_again() -> None:
    capacity = Capacity(1, 1)
    async with capacity.slot(ONE):
        given = asyncio.create_task(_take(capacity, ONE))
        waiting = asyncio.create_task(_take(capacity, ONE))
        await asyncio.sleep(0)
    given.cancel()

    async with asyncio.timeout(5):
        await waiting
    assert given.cancelled()


@pytest.mark.parametrize("lost", range(4))
async def test_whoever_is_cancelled_the_others_go_on(lost: int) -> None:
    capacity = Capacity(1, 1)
    tasks = [asyncio.create_task(_take(capacity, ONE, rounds=3)) for _ in range(4)]
    for _ in range(lost + 2):
        await asyncio.sleep(0)
    tasks[lost].cancel()

    async with asyncio.timeout(5):
        await asyncio.gather(*tasks, return_exceptions=True)
    assert await _is_free(capacity, ONE)
    assert sum(task.cancelled() for task in tasks) <= 1


def test_a_busy_server_gets_half_and_then_one_more_at_a_time() -> None:
    capacity = Capacity(8, 1)
    limits = []
    for _ in range(4):
        capacity.shrink()
        limits.append(capacity.limit)
    for _ in range(3):
        for _ in range(capacity.limit + 1):
            capacity.grow()
        limits.append(capacity.limit)
    for _ in range(100):
        capacity.grow()

    assert limits == [4, 2, 1, 1, 2, 3, 4]
    assert capacity.limit == 8


def test_a_request_that_was_too_large_halves_the_next() -> None:
    capacity = Capacity(1, 8 << 20)
    capacity.lower(6 << 20)
    assert capacity.part_bytes == 3 << 20
    capacity.lower(7 << 20)
    assert capacity.part_bytes == 3 << 20
    capacity.lower(100)
    assert capacity.part_bytes == 64 << 10


async def test_a_target_that_does_not_answer_holds_up_nobody_else(fake: Fake) -> None:
    stuck, free = Chain("stuck"), Chain("free")
    fake.fail(Fault.timed_out(), times=2)
    async with opened(fake, in_flight=2, timeout_seconds=60) as store:
        held = [
            asyncio.create_task(store.append(to_write(store, stuck.events([b"{}"]))))
            for _ in range(2)
        ]
        await asyncio.to_thread(fake.wait_for, "bulk", 2)
        for _ in range(3):
            await store.append(to_write(store, free.events([b"{}"])))
        for task in held:
            task.cancel()
        await asyncio.gather(*held, return_exceptions=True)

    assert len(fake.documents("logs-free-*")) == 3


async def test_items_that_were_refused_for_now_slow_the_next_requests(
    fake: Fake,
) -> None:
    fake.judge(Outcome.rejected(429), times=6)
    async with opened(fake, in_flight=8) as store:
        await append(store, to_write(store, Chain().events([b"{}"] * 3)))

        assert store.capacity.limit < 8
