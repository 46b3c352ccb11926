"""A chain is read whole, in part, or without what is known already."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from beats_signer.chain.seal import SealRecord, parse_seal_note
from beats_signer.store.contract import Entries, EntryBlock, Flaw
from beats_signer.store.elasticsearch.read.chain_reading import Item
from tests.elasticsearch.fake import Fake
from tests.verify.stored import Stored, new_world

NONE = Entries(b"", (), None)


@pytest.fixture
def stored(fake: Fake) -> Iterator[Stored]:
    """Store a world whose first chain has five seals of three events."""
    with fake.access.connect() as client:
        place = Stored(fake.access, client, new_world())
        place.set_up()
        place.store()
        yield place


def shape(items: Iterator[Item]) -> list[str]:
    """Return the number of every seal and the range of every block."""
    shapes = []
    for item in items:
        assert not isinstance(item, Flaw)
        if isinstance(item, SealRecord):
            shapes.append(f"seal {parse_seal_note(item.note)[0].number}")
        else:
            shapes.append(f"{item.first}-{item.first + item.count - 1}")
    return shapes


WHOLE = [
    *["seal 0", "seal 1", "0-2", "seal 2", "3-5", "seal 3", "6-8"],
    *["seal 4", "9-11", "seal 5", "12-14"],
]


@pytest.mark.parametrize("first", range(7))
def test_a_chain_is_read_from_any_seal_on(stored: Stored, first: int) -> None:
    with closing(stored.open()) as source:
        found = shape(source.read(stored.chain.origin, first))

    start = WHOLE.index(f"seal {first}") if first < 6 else len(WHOLE)
    assert found == WHOLE[start:]


@pytest.mark.parametrize(("first", "stop"), [(0, 3), (2, 4), (5, 9), (3, 3)])
def test_a_range_of_seals_is_read(stored: Stored, first: int, stop: int) -> None:
    with closing(stored.open()) as source:
        found = shape(source.read_range(stored.chain.origin, first, stop))

    end = WHOLE.index(f"seal {stop}") if stop < 6 else len(WHOLE)
    assert found == WHOLE[WHOLE.index(f"seal {first}") : end]


@pytest.mark.parametrize("known", [{1}, {5}, {2, 3}, {1, 2, 3, 4, 5}])
def test_entries_that_are_known_are_not_read(
    fake: Fake, stored: Stored, known: set[int]
) -> None:
    asked = []

    def ask(number: int, record: SealRecord) -> EntryBlock | None:
        asked.append(number)
        first = 3 * number - 3
        return EntryBlock(first, NONE, 3) if number in known else None

    with closing(stored.open()) as source:
        items = list(source.read_knowing(stored.chain.origin, ask))

    assert shape(iter(items)) == WHOLE
    assert asked == [1, 2, 3, 4, 5]
    given = [one for one in items if isinstance(one, EntryBlock)]
    assert [one.entries is NONE for one in given] == [n in known for n in range(1, 6)]


def test_a_chain_that_is_not_there_reads_as_one_without_seals(stored: Stored) -> None:
    with closing(stored.open()) as source:
        assert list(source.read("signer-9/a/b/20261123T090000Z")) == []
        assert source.last("signer-9/a/b/20261123T090000Z") is None


def test_the_last_seal_is_found(stored: Stored) -> None:
    with closing(stored.open()) as source:
        last = source.last(stored.chain.origin)

    assert last is not None
    assert last.note == stored.chain.notes[-1]
