"""Read the seals of one chain in order, also those that a search does not show.

A search shows what was stored a second ago, and finds by what stands beside the
note. So a number that it does not find is asked for by name, in realtime; and so
is what may come behind the last one. When writes overtake each other, young seals
may stand behind a gap that is about to be filled: the chain ends before it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

import msgspec
from msgspec import Raw, Struct

from beats_signer.chain.findings import FindingKind
from beats_signer.chain.seal import Seal
from beats_signer.errors import SourceError
from beats_signer.store.contract import Flaw
from beats_signer.store.elasticsearch.places import SEALS_INDEX, seal_id
from beats_signer.store.elasticsearch.read.pages import Pages, Search
from beats_signer.store.elasticsearch.read.questions import Asking, Hit, decode
from beats_signer.store.elasticsearch.read.seal_documents import (
    StoredSeal,
    choose_seal,
    read_seal,
)

__all__ = ["ChainSeals", "InPlace"]

_AHEAD: Final = 100
"""Numbers that are asked for by name at once: more than a chain has on their way."""
_CANDIDATES: Final = 100
"""Documents under one number that are looked at; more are foreign unseen."""


class _Found(Struct):
    index: str = msgspec.field(name="_index")
    id: str = msgspec.field(name="_id", default="")
    found: bool = False
    source: Raw = msgspec.field(name="_source", default=Raw(b"{}"))
    error: Raw | None = None


class _Documents(Struct):
    docs: list[_Found]


@dataclass(frozen=True, slots=True)
class InPlace:
    """A seal in its place."""

    number: int
    stored: StoredSeal
    is_behind_gap: bool
    """Whether seals in front of it are missing."""
    is_twin: bool = False
    """Whether its place is taken by the one before."""


class ChainSeals:
    """The seals of one chain, from a number on."""

    def __init__(
        self,
        asking: Asking,
        chain: str,
        first: int,
        settled: int | None,
        page_bytes: int,
        stop: int | None = None,
    ) -> None:
        """Take the first half of the chain's id, in hex.

        ``settled`` is the time up to which everything that was stored is there;
        ``stop`` one more than the last number, ``None``: as many as there are.
        """
        self._asking = asking
        self._chain = chain
        self._settled = settled
        self._page_bytes = page_bytes
        self._due = first
        self._stop = stop
        self._before: Seal | None = None
        self._is_over = False
        self._months: Sequence[str] | None = None

    def read(self) -> Iterator[InPlace | Flaw]:
        """Yield the seals, and what is wrong with their documents.

        Raises:
            SourceError: They cannot be read on.
        """
        for number, group in self._groups():
            yield from self._read_named(number)
            yield from self._take(number, group)
            if self._is_over:
                return
        yield from self._read_named(self._stop)

    def _groups(self) -> Iterator[tuple[int, list[StoredSeal]]]:
        """Yield what searches find, by number."""
        numbers = {"gte": self._due}
        if self._stop is not None:
            numbers["lt"] = self._stop
        ours = [{"term": {"chain": self._chain}}, {"range": {"seal": numbers}}]
        query = {"bool": {"filter": ours}}
        number, group = -1, list[StoredSeal]()
        search = Search(SEALS_INDEX, query, "seal")
        for hits in Pages(self._asking, search, page_bytes=self._page_bytes):
            for hit in hits:
                found = decode(hit.sort, list[Any])[0]
                if found != number:
                    if group:
                        yield number, group
                    number, group = found, []
                if len(group) < _CANDIDATES:
                    group.append(read_seal(hit, self._chain))
        if group:
            yield number, group

    def _read_named(self, stop: int | None) -> Iterator[InPlace | Flaw]:
        """Yield the seals from the one that is due on that have their names."""
        while not self._is_over and (stop is None or self._due < stop):
            end = self._due + _AHEAD
            found = self._find_named(range(self._due, min(end, stop or end)))
            if not found:
                return
            for number in sorted(found):
                yield from self._take(number, [found[number]])
                if self._is_over:
                    return

    def _find_named(self, numbers: range) -> dict[int, StoredSeal]:
        """Return the seals of some numbers by name, in realtime."""
        found: dict[int, StoredSeal] = {}
        chain = bytes.fromhex(self._chain)
        for month in self._list_months():
            docs = [{"_index": month, "_id": seal_id(chain, n)} for n in numbers]
            body = {"docs": docs}
            read = self._asking.read("POST", "/_mget", body, kind=_Documents).docs
            for number, one in zip(numbers, read, strict=False):
                if one.error is not None:
                    raise SourceError(
                        f"{self._asking.where}: {month} cannot be read:"
                        f" {bytes(one.error)[:200]!r}",
                        hint="Open it if it is closed.",
                    )
                if one.found:
                    hit = Hit(one.index, one.id, one.source)
                    found[number] = read_seal(hit, self._chain)
        return found

    def _list_months(self) -> Sequence[str]:
        """Return the indices of seals that there are, the newest first."""
        if self._months is None:
            path = f"/{quote(SEALS_INDEX)}/_settings/index.creation_date"
            found = self._asking.read("GET", path, kind=dict[str, Raw])
            self._months = sorted(found, reverse=True)
        return self._months

    def _take(
        self, number: int, group: Sequence[StoredSeal]
    ) -> Iterator[InPlace | Flaw]:
        """Yield the seal of a number, unless what is in front of it may yet come."""
        if number < self._due:
            return
        if number > self._due and self._is_young(group):
            yield Flaw(FindingKind.PENDING, "seals", seals=(self._due, number))
            self._is_over = True
            return
        yield from self._place(number, group, is_behind_gap=number > self._due)

    def _place(
        self, number: int, group: Sequence[StoredSeal], *, is_behind_gap: bool
    ) -> Iterator[InPlace | Flaw]:
        before = None if is_behind_gap else self._before
        chosen = choose_seal(group, number, self._chain, before)
        yield from chosen.flaws
        if chosen.stored is None:
            return
        self._before = chosen.stored.seal
        self._due = number + 1
        yield InPlace(number, chosen.stored, is_behind_gap)
        for twin in chosen.twins:
            yield InPlace(number, twin, False, is_twin=True)

    def _is_young(self, group: Sequence[StoredSeal]) -> bool:
        times = [one.seal.time for one in group if one.seal is not None]
        return self._settled is not None and min(times, default=0) > self._settled
