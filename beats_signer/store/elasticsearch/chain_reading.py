"""Read one chain: its seals, and between them the documents of its entries.

Both are read side by side, and joined by index alone: in which indices documents
stand, and under which name, does not matter.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

from msgspec import UNSET

from beats_signer.chain.body import ConfigBody, Found, parse_body
from beats_signer.chain.errors import ChainError
from beats_signer.chain.findings import FindingKind
from beats_signer.chain.origin import is_catalogue
from beats_signer.chain.seal import Kind, Seal, SealRecord
from beats_signer.chain.times import SECOND
from beats_signer.store.contract import EntryBlock, Flaw
from beats_signer.store.elasticsearch.claims import Claim
from beats_signer.store.elasticsearch.entries import Candidates, Claims, Other
from beats_signer.store.elasticsearch.entry_blocks import (
    build_absence,
    build_entry_blocks,
)
from beats_signer.store.elasticsearch.located import Located
from beats_signer.store.elasticsearch.pages import Pages, Search
from beats_signer.store.elasticsearch.places import CATALOGUE_INDEX
from beats_signer.store.elasticsearch.questions import Asking
from beats_signer.store.elasticsearch.stored_chain import ChainSeals, InPlace

__all__ = ["ChainReading", "Compare", "Item", "Known"]

_DAY: Final = 86_400 * SECOND
_YOUNG: Final = 300 * SECOND
"""For so long after its seal an entry may not be visible yet."""
_LATE_SECONDS: Final = 1.0
_INDEX: Final = "beats_signer.index"
_SIGNED: Final = ("beats_signer", "beats_signer.*")

Item = SealRecord | EntryBlock | Flaw
Known = Callable[[int, SealRecord], EntryBlock | None]
"""Returns what stands for the entries of a seal, or that they have to be read."""
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
        self._indices = f"{indices},{CATALOGUE_INDEX}"
        self._now = now
        self._settled = settled
        self._compare = compare
        self._page_bytes = page_bytes
        self._late_tries = late_tries
        self._claims: Claims | None = None
        self._is_behind = False  # whether entries were left out that were known
        self._end = 0  # index behind the entries of the last seal
        self._is_certain = True  # where the entries of the next seal begin
        self._retention_days: int | None = None
        self._is_erasable = False
        self._is_catalogue = False

    def read(
        self,
        first_seal: int,
        stop_seal: int | None = None,
        known: Known = lambda number, record: None,
    ) -> Iterator[Item]:
        """Yield the seals of a range of numbers, each followed by its entries.

        Without an end, what no seal covers comes last. ``known`` is asked about each
        seal once it was taken: what it returns stands for the seal's entries, which
        are not read then.

        Raises:
            SourceError: They cannot be read on.
        """
        try:
            if first_seal == 0:
                self._claims = self._open(0)
            yield from self._read_seals(first_seal, stop_seal, known)
            if stop_seal is None:
                yield from self._read_rest()
        finally:
            if self._claims is not None:
                self._claims.close()

    def _read_seals(self, first: int, stop: int | None, known: Known) -> Iterator[Item]:
        chain = ChainSeals(
            self._asking, self._name, first, self._settled, self._page_bytes
        )
        for item in chain.read():
            if isinstance(item, Flaw):
                yield item
                continue
            if stop is not None and item.number >= stop:
                return
            yield from self._read_seal(item, known)

    def _read_rest(self) -> Iterator[Item]:
        """Yield what no seal covers."""
        if self._claims is None:
            return
        self._catch_up(self._end)
        self._located.leave()
        for part in self._claims.until(None):
            self._located.add(part)
            yield from self._build(part)

    def _catch_up(self, first: int) -> None:
        """Read on at an index, when entries before it were not read."""
        if self._claims is None or self._is_behind:
            if self._claims is not None:
                self._claims.close()
            self._claims = self._open(first)
            self._is_behind = False

    def _open(self, first: int, stop: int | None = None) -> Claims:
        """Return the documents of the chain from an index on, as they are now."""
        source = True if self._compare is not None else _SIGNED
        search = Search(self._indices, self._query(first, stop), _INDEX, source)
        pages = Pages(self._asking, search, page_bytes=self._page_bytes)
        pages.open()
        return Claims(pages, self._name)

    def _query(self, first: int, stop: int | None) -> dict[str, Any]:
        bounds = {"gte": first} | ({} if stop is None else {"lt": stop})
        entries = [
            {"term": {"beats_signer.chain": self._name}},
            {"range": {_INDEX: bounds}},
        ]
        return {"bool": {"filter": entries}}

    def _read_seal(self, item: InPlace, known: Known) -> Iterator[Item]:
        stored = item.stored
        seal, record = stored.seal, stored.record
        if item.is_twin or seal is None:
            self._is_certain = self._is_certain and item.is_twin
            self._located.open(item.number, stored.document, None)
            yield record
            return
        self._end = seal.first + seal.count
        candidates = Candidates(self._chain, seal, record)
        self._located.open(item.number, stored.document, candidates)
        self._is_catalogue = is_catalogue(seal.origin)
        yield record
        self._obey(seal, record)
        if seal.count and (block := known(item.number, record)) is not None:
            self._is_behind = True
            yield block
            return
        self._catch_up(seal.first)
        assert self._claims is not None, "it was opened by now"
        if not self._is_certain or item.is_behind_gap:
            for _ in self._claims.until(seal.first):
                pass  # entries of seals that are missing: nobody can judge them
            self._is_certain = True
        yield from self._read_entries(seal, record, candidates)

    def _read_entries(
        self, seal: Seal, record: SealRecord, candidates: Candidates
    ) -> Iterator[Item]:
        assert self._claims is not None, "seals are read before entries"
        end = seal.first + seal.count
        due = seal.first
        for found in candidates.choose(self._claims.until(end)):
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
        days = self._retention_days
        if due >= first:
            return
        if days is not None and seal.time + days * _DAY <= self._now:
            yield build_absence(due, first - due, "expired")
        elif self._late_tries and seal.time + _YOUNG > self._now:
            yield from self._read_late(record, candidates, due, first)

    def _read_late(
        self, record: SealRecord, candidates: Candidates, due: int, first: int
    ) -> Iterator[Item]:
        """Yield entries that were stored a moment ago, once searches show them."""
        query = self._query(due, first)
        for _ in range(self._late_tries):
            if self._asking.count(self._indices, query) >= first - due:
                break
            self._asking.pause(_LATE_SECONDS)
        claims = self._open(due, first)
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
            is_erasable=self._is_erasable,
            is_compared=self._compare is not None and not self._is_catalogue,
        )

    def _obey(self, seal: Seal, record: SealRecord) -> None:
        """Learn from a body what may be gone; the verifier judges it."""
        if seal.kind not in (Kind.FOUND, Kind.CONFIG):
            return
        try:
            body = parse_body(seal, record.body)
        except ChainError:
            return
        if isinstance(body, Found):
            self._retention_days = body.retention_days
            self._is_erasable = body.salt_bytes > 0
        elif isinstance(body, ConfigBody) and body.retention_days is not UNSET:
            self._retention_days = body.retention_days
