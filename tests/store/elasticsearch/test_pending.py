"""What is left of a request: as few lines in memory as it can be."""

from beats_signer.store.elasticsearch.write.body import build_body, split_body
from beats_signer.store.elasticsearch.write.outcomes import Outcome, Verdict
from beats_signer.store.elasticsearch.write.pending import Pending, chunks
from beats_signer.store.elasticsearch.write.rendering import Rendering, render
from tests.store.chains import Chain

STORED = Outcome(Verdict.STORED)
WHY = Outcome(Verdict.REJECTED, "type", "reason")


def three() -> Pending:
    (part,) = split_body(build_body(Chain().events([b"1", b"2", b"3"]), 1 << 20))
    return Pending(part, 0, 3)


async def opened() -> Pending:
    pending = three()
    await pending.open()
    return pending


async def test_what_is_parked_is_not_kept_and_comes_back_as_it_was_encoded() -> None:
    pending = await opened()
    first, second, *others = before = pending.items
    pending.settle(others, [STORED] * len(others))
    bare = render(second, Rendering.BARE, WHY, target="t", time="now")
    pending.replace([bare])
    await pending.park([first, bare])
    pending.put_away()

    assert pending.items == []
    assert pending.is_away
    await pending.open()
    assert pending.items == before[:2]
    assert not pending.is_away


async def test_what_is_not_parked_stays() -> None:
    pending = await opened()
    first, second, third, seal = pending.items
    await pending.park([second])
    pending.put_away()

    assert pending.items == [first, third, seal]
    await pending.open()
    assert await pending.ready() == [first, third, seal, second]


async def test_of_what_is_parked_one_is_ready_for_each_target() -> None:
    pending = await opened()
    *entries, seal = pending.items
    await pending.park([*entries, seal])

    assert await pending.ready() == [entries[-1], seal]


async def test_what_is_parked_is_freed_when_one_for_its_target_is_stored() -> None:
    pending = await opened()
    *entries, seal = pending.items
    await pending.park([*entries, seal])
    probe, _ = await pending.ready()

    assert await pending.freed() == []
    pending.settle([probe], [STORED])
    assert await pending.freed() == entries[:-1]
    assert await pending.freed() == []
    assert await pending.ready() == [*entries[:-1], seal]


async def test_what_is_stored_is_parked_no_more() -> None:
    pending = await opened()
    first, *others = pending.items
    await pending.park([first])
    pending.settle([first], [STORED])
    pending.put_away()

    assert not pending.is_away
    assert pending.items == others


async def test_chunks_are_as_large_as_they_may_be() -> None:
    items = (await opened()).items
    size = items[0].size

    assert list(chunks(items, 1)) == [[item] for item in items]
    assert next(chunks(items, 2 * size)) == items[:2]
    assert list(chunks(items, 1 << 20)) == [items]
    assert list(chunks([], 1)) == []
