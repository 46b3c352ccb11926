"""What is known is left out, and nothing else is: not what only claims to be there."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

from msgspec import Raw

from beats_signer.store.elasticsearch.read.entries import Claims
from beats_signer.store.elasticsearch.read.entry_stream import EntryStream
from beats_signer.store.elasticsearch.read.questions import Hit

CHAIN = "0" * 32
PAGE = 2


def hit(number: int, index: int) -> Hit:
    """Return a document that is found by a number and claims to be an entry."""
    signed = {
        "chain": CHAIN,
        "index": index,
        "seal": 1,
        "form": "J",
        "sender": "web-1",
        "payload": "{}",
    }
    source = Raw(json.dumps({"beats_signer": signed}).encode())
    return Hit("logs", str(number), source, Raw(json.dumps([number]).encode()))


@dataclass
class Found:
    """Documents that a search has found, in pages of two."""

    hits: list[Hit]
    is_closed: bool = False

    def __iter__(self) -> Iterator[list[Hit]]:
        for at in range(0, len(self.hits), PAGE):
            yield self.hits[at : at + PAGE]

    def close(self) -> None:
        """Read no more."""
        self.is_closed = True


@dataclass
class Search:
    """Documents by the number that they are found by, with the entry they claim."""

    documents: list[tuple[int, int]]
    opened: list[Found] = field(default_factory=list)

    def open(self, first: int, stop: int | None = None) -> Claims:
        """Return those between two numbers."""
        end = len(self.documents) if stop is None else stop
        hits = [hit(*one) for one in self.documents if first <= one[0] < end]
        self.opened.append(Found(hits))
        return Claims(self.opened[-1], CHAIN)  # type: ignore[arg-type]


def stream(search: Search, stop: int | None = None) -> EntryStream:
    """Return the stream of all documents."""
    return EntryStream(search, 0, stop)  # type: ignore[arg-type]


def read(entries: EntryStream, stop: int | None) -> list[str]:
    """Return the names of what is read up to an index."""
    return [claim.hit.id for part in entries.until(stop) for claim in part]


def whole(count: int) -> Search:
    """Return documents that are what they are found as."""
    return Search([(number, number) for number in range(count)])


def test_what_is_passed_over_is_not_asked_for() -> None:
    search = whole(9)
    entries = stream(search)

    assert entries.pass_over(0, 3)
    assert entries.pass_over(3, 6)
    assert read(entries, None) == ["6", "7", "8"]
    assert [len(found.hits) for found in search.opened] == [3]


def test_reading_goes_on_behind_what_is_passed_over() -> None:
    search = whole(9)
    entries = stream(search)

    assert read(entries, 3) == ["0", "1", "2"]
    assert entries.pass_over(3, 6)
    assert search.opened[0].is_closed
    assert read(entries, 9) == ["6", "7", "8"]


def test_what_does_not_begin_where_reading_has_come_to_is_not_passed_over() -> None:
    entries = stream(whole(9))
    entries.pass_over(0, 3)

    assert not entries.pass_over(4, 6)
    assert not entries.pass_over(2, 6)
    assert read(entries, 6) == ["3", "4", "5"]


def test_a_document_that_waits_for_a_later_place_is_not_left_out() -> None:
    """It would be nobody's: what follows is found behind it, and read without it."""
    entries = stream(Search([(0, 0), (1, 7), (2, 2), (3, 3), (4, 4)]))

    assert read(entries, 2) == ["0"]
    assert not entries.is_clean
    assert not entries.pass_over(2, 4)
    assert read(entries, None)[0] == "1"


def test_nothing_behind_the_end_is_read() -> None:
    search = whole(9)
    entries = stream(search, 6)

    assert read(entries, 3) == ["0", "1", "2"]
    assert read(entries, None) == ["3", "4", "5"]


def test_nothing_is_asked_when_all_was_passed_over() -> None:
    search = whole(6)
    entries = stream(search, 6)

    assert entries.pass_over(0, 6)
    assert read(entries, None) == []
    assert search.opened == []


def test_what_is_dropped_is_behind_us() -> None:
    search = whole(9)
    entries = stream(search)

    entries.drop(3)
    assert search.opened == []
    assert read(entries, 5) == ["3", "4"]
    entries.drop(7)
    assert read(entries, None) == ["7", "8"]
