"""Read one chain: its seals, and between them the documents of its entries.

Both are read side by side, and joined by index alone: in which indices documents
stand, and under which name, does not matter.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Final

from beats_signer.chain.findings import FindingKind
from beats_signer.chain.seal import Seal, SealRecord
from beats_signer.chain.times import SECOND
from beats_signer.errors import SourceError
from beats_signer.store.contract import EntryBlock, Flaw, Known
from beats_signer.store.elasticsearch.read.claims import Claim
from beats_signer.store.elasticsearch.read.entries import Candidates, Other
from beats_signer.store.elasticsearch.read.entry_blocks import (
    build_absence,
    build_entry_blocks,
)
from beats_signer.store.elasticsearch.read.entry_search import EntrySearch
from beats_signer.store.elasticsearch.read.entry_stream import EntryStream
from beats_signer.store.elasticsearch.read.located import Located
from beats_signer.store.elasticsearch.read.questions import Asking
from beats_signer.store.elasticsearch.read.stored_chain import ChainSeals, InPlace
from beats_signer.store.elasticsearch.read.terms import Terms

__all__ = ["ChainReading", "Compare", "Item"]

_YOUNG: Final = 300 * SECOND
"""For so long after its seal an entry may not be visible yet."""
_LATE_SECONDS: Final = 1.0
_SIGNED: Final = ("beats_signer", "beats_signer.*")

Item = SealRecord | EntryBlock | Flaw
Compare = Callable[[Seal, SealRecord, Sequence[Claim]], Iterable[tuple[Claim, Flaw]]]
"""Holds what people see of some entries against their payloads."""


class ChainReading:
    """One reading of one chain."""

    def __init__(
        self,
        asking: Asking,
        chain: bytes,
        located: Located,
        *,
        indices: str,
        now: int,
        settled: int | None,
        compare: Compare | None,
        page_bytes: int,
        late_tries: int,
    ) -> None:
        """Prepare to read.

        Args:
            asking: The cluster.
            chain: The chain id, 32 bytes.
            located: Told where everything stands.
            indices: Pattern of the indices that may hold entries.
            now: The reader's clock, nanoseconds since 1970.
            settled: The time up to which everything that was stored is there.
            compare: Holds visible fields against payloads; ``None``: not read.
            page_bytes: About how much one answer should have.
            late_tries: How often to look again, a second later, for entries of
                young seals that are not visible yet.
        """
        self._asking = asking
        self._chain = chain
        self._name = chain.hex()[:32]
        self._located = located
        self._search = EntrySearch(
            asking,
            self._name,
            indices=indices,
            source=True if compare is not None else _SIGNED,
            page_bytes=page_bytes,
        )
        self._now = now
        self._settled = settled
        self._compare = compare
        self._page_bytes = page_bytes
        self._late_tries = late_tries
        self._entries: EntryStream | None = None
        self._is_certain = True  # where the entries of the next seal begin
        self._terms = Terms()

    def read(self, first_seal: int, known: Known | None = None) -> Iterator[Item]:
        """Yield the seals from a number on, each followed by its entries.

        From the first seal on, entries are read as they are now: of seals that come
        while these are read, nothing is there. With what is known no view is kept,
        but it ends behind the highest index that there is now.

        Raises:
            SourceError: They cannot be read on.
        """
        if first_seal == 0:
            stop = None if known is None else self._search.find_end()
            self._entries = EntryStream(self._search, 0, stop)
            if known is None:
                self._entries.open()
        try:
            yield from self._read_seals(self._seals(first_seal), known)
            yield from self._read_rest()
        finally:
            self._close()

    def read_range(self, first_seal: int, stop_seal: int) -> Iterator[Item]:
        """Yield the seals of a range of numbers, each followed by its entries.

        Raises:
            SourceError: They cannot be read.
        """
        end = self._find_end(stop_seal - 1)
        try:
            yield from self._read_seals(self._seals(first_seal, stop_seal), None, end)
            if self._entries is not None and not self._entries.is_clean:
                raise SourceError("a document is found by another index than its own")
        finally:
            self._close()

    def _seals(self, first: int, stop: int | None = None) -> ChainSeals:
        return ChainSeals(
            self._asking, self._name, first, self._settled, self._page_bytes, stop
        )

    def _find_end(self, number: int) -> int | None:
        """Return the index behind the last entry of a seal, if it is there."""
        for item in self._seals(number, number + 1).read():
            if isinstance(item, InPlace) and (seal := item.stored.seal) is not None:
                return seal.first + seal.count
        return None

    def _read_seals(
        self, seals: ChainSeals, known: Known | None, end: int | None = None
    ) -> Iterator[Item]:
        for item in seals.read():
            if isinstance(item, Flaw):
                yield item
            else:
                yield from self._read_seal(item, known, end)

    def _read_rest(self) -> Iterator[Item]:
        """Yield what no seal covers."""
        if self._entries is not None:
            self._located.leave()
            for part in self._entries.until(None):
                self._located.add(part)
                yield from self._build(part)

    def _close(self) -> None:
        if self._entries is not None:
            self._entries.close()

    def _read_seal(
        self, item: InPlace, known: Known | None, end: int | None
    ) -> Iterator[Item]:
        stored = item.stored
        seal, record = stored.seal, stored.record
        if item.is_twin or seal is None:
            self._is_certain = self._is_certain and item.is_twin
            self._located.open(item.number, stored.document, None)
            yield record
            return
        if self._entries is None:
            self._entries = EntryStream(self._search, seal.first, end)
        if not self._is_certain or item.is_behind_gap:
            self._entries.drop(seal.first)
            self._is_certain = True
        candidates = Candidates(self._chain, seal, record)
        self._located.open(item.number, stored.document, candidates)
        yield record
        self._terms.obey(seal, record)
        stop, block = seal.first + seal.count, None
        if known is not None and seal.count:
            block = known(item.number, record)
        if block is not None and self._entries.pass_over(seal.first, stop):
            self._located.defer(partial(self._reread, seal, candidates))
            yield block
        else:
            yield from self._read_entries(seal, record, candidates)

    def _reread(self, seal: Seal, candidates: Candidates) -> Iterator[list[Claim]]:
        """Yield the documents of a seal whose entries were passed over."""
        entries = EntryStream(self._search, seal.first, seal.first + seal.count)
        try:
            for found in candidates.choose(entries.until(None)):
                if not isinstance(found, Other):
                    yield found
        finally:
            entries.close()

    def _read_entries(
        self, seal: Seal, record: SealRecord, candidates: Candidates
    ) -> Iterator[Item]:
        assert self._entries is not None, "seals are read before entries"
        end = seal.first + seal.count
        due = seal.first
        for found in candidates.choose(self._entries.until(end)):
            if isinstance(found, Other):
                yield found.flaw
                if found.flaw.kind is FindingKind.DUPLICATE:
                    yield from self._look(seal, record, candidates, [found.claim])
                continue
            self._located.add(found)
            for block in self._build(found):
                yield from self._miss(seal, record, candidates, due, block.first)
                yield block
                due = block.first + block.count
            yield from self._look(seal, record, candidates, found)
        yield from self._miss(seal, record, candidates, due, end)

    def _look(
        self,
        seal: Seal,
        record: SealRecord,
        candidates: Candidates,
        claims: Sequence[Claim],
    ) -> Iterator[Flaw]:
        """Yield what drifts; what is not what was sealed is worse, and said so."""
        if self._compare is None:
            return
        for claim, flaw in self._compare(seal, record, claims):
            if candidates.is_intact(claim):
                yield flaw

    def _miss(
        self,
        seal: Seal,
        record: SealRecord,
        candidates: Candidates,
        due: int,
        first: int,
    ) -> Iterator[Item]:
        """Yield what is known of entries that no document of this view is."""
        if due >= first:
            return
        if self._terms.is_over(seal, self._now):
            yield build_absence(due, first - due, "expired")
        elif self._late_tries and seal.time + _YOUNG > self._now:
            yield from self._read_late(record, candidates, due, first)

    def _read_late(
        self, record: SealRecord, candidates: Candidates, due: int, first: int
    ) -> Iterator[Item]:
        """Yield entries that were stored a moment ago, once searches show them."""
        for _ in range(self._late_tries):
            if self._search.count(due, first) >= first - due:
                break
            self._asking.pause(_LATE_SECONDS)
        claims = self._search.open(due, first)
        try:
            for found in candidates.choose(claims.until(first)):
                if not isinstance(found, Other):
                    self._located.add(found)
                    yield from self._build(found)
        finally:
            claims.close()

    def _build(self, claims: Sequence[Claim]) -> Iterator[EntryBlock]:
        return build_entry_blocks(
            claims,
            is_erasable=self._terms.is_erasable,
            is_compared=self._compare is not None and not self._terms.is_catalogue,
        )
