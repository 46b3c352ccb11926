"""A store that fails as told, and an archive that takes the write again."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from beats_signer.errors import ForkError, StoreError
from beats_signer.store import Archive, ArchiveSource, Store
from tests.fakes.faulty import Delay, FaultyStore, Outcome
from tests.fakes.memory import MemorySource, MemoryStore
from tests.store.chains import SIGNER, Chain, content, expected, to_write


@pytest.mark.parametrize(
    ("outcome", "stored"), [(Outcome.FAILED, 1), (Outcome.FAILED_BUT_STORED, 2)]
)
async def test_a_write_that_failed_is_stored_once_when_it_is_sent_again(
    tmp_path: Path, outcome: Outcome, stored: int
) -> None:
    path = tmp_path / "archive.db"
    store = FaultyStore(Archive(path), [Outcome.STORED, outcome])
    await store.open()
    chain = Chain()
    seals = [chain.founding, chain.events([b"1", b"2"])]
    founding, write = map(to_write, seals)
    await store.append(founding)

    with pytest.raises(StoreError, match="seal 1 of signer-1"):
        await store.append(write)
    with ArchiveSource(path) as source:
        assert content(source, chain.origin) == expected(*seals[:stored])
    await store.append(write)
    await store.close()
    with ArchiveSource(path) as source:
        assert content(source, chain.origin) == expected(*seals)
    assert store.attempts == [founding, write, write]


async def test_a_scripted_fork_stores_nothing() -> None:
    memory = MemoryStore()
    with pytest.raises(ForkError, match="another seal stands under number 0"):
        await FaultyStore(memory, [Outcome.FORK]).append(to_write(Chain().founding))
    assert MemorySource(memory, SIGNER).origins() == []


@pytest.mark.parametrize("outcome", [Outcome.STORED, Outcome.FAILED])
async def test_a_delayed_write_waits_until_it_is_released(outcome: Outcome) -> None:
    memory = MemoryStore()
    delay = Delay(outcome)
    store = FaultyStore(memory, [delay])
    chain = Chain()
    append = asyncio.create_task(store.append(to_write(chain.founding)))
    await delay.arrived.wait()

    assert await store.highest(chain.id) is None
    delay.released.set()
    (error,) = await asyncio.gather(append, return_exceptions=True)
    has_failed = isinstance(error, StoreError)
    assert has_failed == (outcome is Outcome.FAILED)
    assert await store.highest(chain.id) == (None if has_failed else 0)


CALLS: dict[str, Callable[[Store], Awaitable[object]]] = {
    "open": lambda store: store.open(),
    "append": lambda store: store.append(to_write(Chain().founding)),
    "publish_checkpoint": lambda store: store.publish_checkpoint(SIGNER, "note"),
    "seal": lambda store: store.seal(b"", 0),
    "highest": lambda store: store.highest(b""),
    "chains": lambda store: store.chains(SIGNER),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
async def test_an_unreachable_store_answers_nothing_until_it_is_back(
    call: Callable[[Store], Awaitable[object]],
) -> None:
    store = FaultyStore(MemoryStore())
    store.unreachable = True
    with pytest.raises(StoreError, match="cannot be reached"):
        await call(store)
    store.unreachable = False
    await call(store)
