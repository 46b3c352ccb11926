"""What every store promises, held by the archive and by the fake alike."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import pytest

from beats_signer.errors import ForkError, SourceError
from beats_signer.store import (
    Archive,
    ArchiveSource,
    Entries,
    EntryBlock,
    Source,
    Store,
    Write,
)
from tests.fakes.memory import MemorySource, MemoryStore
from tests.store.chains import SIGNER, Chain, content, expected, to_write

ODD = (b"", b"null", b"\xff\xfe\x00", b'{"a":1,"a":2}', b"\n\r\n", b"x" * 3_000_000)


class Room(Protocol):
    """A place that stores are opened in, one after the other."""

    def store(self) -> Store: ...

    def source(self, signer: str | None = None) -> Source: ...

    def close(self) -> None: ...


class ArchiveRoom:
    def __init__(self, folder: Path) -> None:
        self._path = folder / "archive.db"
        self._sources: list[ArchiveSource] = []

    def store(self) -> Store:
        return Archive(self._path)

    def source(self, signer: str | None = None) -> Source:
        self._sources.append(ArchiveSource(self._path, signer))
        return self._sources[-1]

    def close(self) -> None:
        for source in self._sources:
            source.close()


class MemoryRoom:
    def __init__(self, folder: Path) -> None:
        self._store = MemoryStore()

    def store(self) -> Store:
        return self._store

    def source(self, signer: str | None = None) -> Source:
        return MemorySource(self._store, signer)

    def close(self) -> None:
        pass


@pytest.fixture(params=[ArchiveRoom, MemoryRoom])
def room(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Room]:
    made: Room = request.param(tmp_path)
    yield made
    made.close()


async def test_what_append_returned_for_is_there_after_reopening(room: Room) -> None:
    chain = Chain()
    seals = [chain.founding, chain.events([b"1", b"2"]), chain.events([b"3"])]
    await _store(room, *map(to_write, seals))

    assert content(room.source(), chain.origin) == expected(*seals)


async def test_a_write_that_is_repeated_is_stored_once(room: Room) -> None:
    chain = Chain()
    seals = [chain.founding, chain.events([b"1", b"2"])]
    writes = [to_write(sealed) for sealed in seals]
    await _store(room, *writes, *writes)
    await _store(room, *writes)

    assert content(room.source(), chain.origin) == expected(*seals)


@pytest.mark.parametrize("field", ["note", "body", "leaves"])
async def test_another_seal_under_the_same_number_is_a_fork(
    room: Room, field: str
) -> None:
    chain = Chain()
    seals = [chain.founding, chain.events([b"1"])]
    write = to_write(seals[1])
    await _store(room, to_write(seals[0]), write)
    value = getattr(write.record, field)
    other = replace(write.record, **{field: value + value[:1]})

    with pytest.raises(ForkError, match=r"another seal stands under number 1 of sig"):
        await _store(room, replace(write, record=other))
    assert content(room.source(), chain.origin) == expected(*seals)


async def test_other_entries_under_a_stored_seal_are_a_fork(room: Room) -> None:
    chain = Chain()
    seals = [chain.founding, chain.events([b"1"])]
    write = to_write(seals[1])
    await _store(room, to_write(seals[0]), write)
    body = to_write(replace(seals[1], entries=Entries(b"J", (b"2",), None))).body

    with pytest.raises(ForkError, match="other entries stand at 0 of"):
        await _store(room, replace(write, body=body))
    assert content(room.source(), chain.origin) == expected(*seals)


@pytest.mark.parametrize("first", [0, 1, 2])
async def test_entries_in_the_place_of_another_seal_are_a_fork(
    room: Room, first: int
) -> None:
    chain = Chain()
    seals = [chain.founding, chain.events([b"1", b"2", b"3"])]
    await _store(room, *map(to_write, seals))
    later = to_write(chain.events([b"4", b"5"]))

    with pytest.raises(ForkError, match="other entries stand at"):
        await _store(room, replace(later, seal=replace(later.seal, first=first)))
    assert content(room.source(), chain.origin) == expected(*seals)


async def test_an_origin_names_one_chain_for_good(room: Room) -> None:
    chain, twin = Chain(), Chain(twin="another key")
    await _store(room, to_write(chain.founding))

    with pytest.raises(ForkError, match="another chain stands under the name"):
        await _store(room, to_write(twin.founding))
    assert content(room.source(), chain.origin) == expected(chain.founding)


async def test_writes_may_arrive_out_of_order_and_together(room: Room) -> None:
    chain = Chain()
    seals = [chain.founding, *(chain.events([b"%d" % n] * 3) for n in range(8))]
    store = room.store()
    await store.open()
    await asyncio.gather(*(store.append(to_write(one)) for one in reversed(seals)))
    await store.close()

    assert content(room.source(), chain.origin) == expected(*seals)


async def test_a_store_answers_for_the_chains_that_it_holds(room: Room) -> None:
    chain, other = Chain(), Chain("audit")
    sealed = chain.events([b"1"])
    await _store(room, *map(to_write, [chain.founding, sealed, other.founding]))
    store = room.store()
    await store.open()

    assert await store.chains(SIGNER) == {
        chain.origin: chain.id,
        other.origin: other.id,
    }
    assert await store.highest(chain.id) == 1
    assert await store.highest(other.id) == 0
    assert await store.seal(chain.id, 1) == sealed.record
    await store.close()


async def test_a_store_knows_nothing_of_what_was_never_stored(room: Room) -> None:
    store = room.store()
    await store.open()
    await store.append(to_write(Chain().founding))

    assert await store.chains("signer-2.example.com") == {}
    assert await store.highest(Chain("audit").id) is None
    assert await store.seal(Chain().id, 1) is None
    await store.close()


async def test_a_chain_of_seals_without_entries_reads_as_such(room: Room) -> None:
    chain = Chain()
    seals = [chain.founding, chain.config(), chain.events([b"1"]), chain.config()]
    await _store(room, *map(to_write, seals))

    assert content(room.source(), chain.origin) == expected(*seals)


@pytest.mark.parametrize("erasable", [False, True])
async def test_payloads_forms_and_salts_come_back_byte_for_byte(
    room: Room, erasable: bool
) -> None:
    chain = Chain(erasable=erasable)
    seals = [chain.founding, chain.events(ODD, b"JJLDLJ"), chain.events([b"7"], b"R")]
    await _store(room, *map(to_write, seals))

    assert content(room.source(), chain.origin) == expected(*seals)


async def test_the_largest_seal_is_stored_whole(room: Room) -> None:
    chain = Chain()
    seals = [chain.founding, chain.events([b"%d" % n for n in range(65_536)])]
    await _store(room, *map(to_write, seals))

    assert content(room.source(), chain.origin) == expected(*seals)


async def test_reading_on_from_a_number_follows_a_chain_that_grows(room: Room) -> None:
    chain = Chain()
    early = [chain.founding, chain.events([b"1", b"2"])]
    late = [chain.config(), chain.events([b"3"])]
    await _store(room, *map(to_write, early))
    source = room.source()

    assert source.highest(chain.origin) == 1
    assert content(source, chain.origin, 2) == []
    await _store(room, *map(to_write, late))
    assert source.highest(chain.origin) == 3
    assert content(source, chain.origin, 2) == expected(*late)


async def test_single_seals_and_entries_are_found_by_number_and_index(
    room: Room,
) -> None:
    chain = Chain(erasable=True)
    early, late = chain.events([b"a", b"b"]), chain.events([b"c"], b"L")
    await _store(room, *map(to_write, [chain.founding, early, late]))
    source = room.source()

    assert source.seal(chain.origin, 2) == late.record
    assert source.seal(chain.origin, 3) is None
    assert source.seal_of(chain.origin, 1) == early.record
    assert source.seal_of(chain.origin, 3) is None
    assert source.entry(chain.origin, 2) == EntryBlock(
        2, Entries(b"L", [b"c"], list(late.entries.salts or ())), 1
    )
    assert source.entry(chain.origin, 3) is None


async def test_the_newest_checkpoint_is_the_one_to_read(room: Room) -> None:
    store = room.store()
    await store.open()
    await store.append(to_write(Chain().founding))
    await store.publish_checkpoint("signer-2.example.com", "of another")

    assert room.source().checkpoint() is None
    await store.publish_checkpoint(SIGNER, "first")
    await store.publish_checkpoint(SIGNER, "second")
    assert room.source().checkpoint() == "second"
    await store.close()


async def test_a_source_of_one_signer_needs_no_name(room: Room) -> None:
    await _store(room, to_write(Chain().founding), to_write(Chain("audit").founding))
    source = room.source()

    assert source.catalogue() == SIGNER
    assert source.origins() == [Chain("audit").origin, Chain().origin]


async def test_a_source_names_no_signer_when_it_is_empty(room: Room) -> None:
    await _store(room)

    with pytest.raises(SourceError, match=r"holds (no chain|the chains of 0 signers)"):
        room.source().catalogue()


async def test_a_chain_that_is_not_there_reads_as_empty(room: Room) -> None:
    await _store(room)
    source = room.source(SIGNER)

    assert source.origins() == []
    assert source.highest(Chain().origin) is None
    assert content(source, Chain().origin) == []
    assert source.entry(Chain().origin, 0) is None


async def test_closing_twice_is_closing_once(room: Room) -> None:
    store = room.store()
    await store.open()
    await store.close()
    await store.close()


async def _store(room: Room, *writes: Write) -> None:
    """Append in a store of its own, as a signer that starts and ends."""
    store = room.store()
    await store.open()
    try:
        for write in writes:
            await store.append(write)
    finally:
        await store.close()
