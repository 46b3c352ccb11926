"""File descriptors: a part of them is never given to senders."""

import os
import resource
import socket
from collections.abc import Iterator
from contextlib import AsyncExitStack

import pytest

from beats_signer.receive.descriptors import RESERVED, are_left, raise_limit
from tests.receive.serving import connect, serve

WAITS = "few file descriptors are left, who connects has to wait"


@pytest.fixture
def limit() -> Iterator[int]:
    """Lower the soft limit, and return it; no number below those in use is free."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    highest = max(map(int, os.listdir("/proc/self/fd")))
    taken = [os.dup(0)]
    while taken[-1] <= highest:
        taken.append(os.dup(0))
    few = taken[-1] + RESERVED + 40
    resource.setrlimit(resource.RLIMIT_NOFILE, (few, hard))
    yield few
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    for descriptor in taken:
        os.close(descriptor)


def test_the_limit_is_raised_to_the_most_there_may_be(limit: int) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)

    assert raise_limit() == hard
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard)


def test_none_is_left_for_senders_when_the_reserve_begins(limit: int) -> None:
    taken = []
    try:
        while are_left(0):
            taken.append(os.dup(0))
        free = limit - taken[-1] - 1
    finally:
        for descriptor in taken:
            os.close(descriptor)

    assert free == RESERVED
    assert are_left(0)


def test_none_is_left_when_there_is_none_at_all(limit: int) -> None:
    taken = []
    try:
        with pytest.raises(OSError, match="Too many open files"):
            while True:
                taken.append(os.dup(0))
        assert not are_left(0)
    finally:
        for descriptor in taken:
            os.close(descriptor)


async def test_senders_beyond_wait_while_others_are_served_and_come_in_later(
    limit: int,
) -> None:
    async with serve() as desk, AsyncExitStack() as stack, connect(desk) as old:
        old.send(b"{}")
        assert await old.receive_acks(1) == [1]
        taken = []
        while are_left(0):
            taken.append(os.dup(0))
        # One was being waited for before.
        waiting = [await stack.enter_async_context(connect(desk)) for _ in range(3)]
        await desk.wait_for(WAITS)
        (problem,) = desk.reception.problems()
        old.send(b"{}")
        assert await old.receive_acks(1) == [1]
        with socket.socket():  # the journal could still be opened
            pass
        for descriptor in taken:
            os.close(descriptor)
        for client in waiting:
            client.send(b"{}")
            assert await client.receive_acks(1) == [1]

        assert problem.symptom == "few file descriptors are left"
        assert list(desk.reception.problems()) == []
        assert len(desk.lines(WAITS)) == 1
