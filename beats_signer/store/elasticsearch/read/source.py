"""Read one signer's chains from a cluster, also while the signer writes them.

Nothing is believed here but the hash of a founding, which is a chain's id. What is
not there and what could not be read are told apart: the second is a ``SourceError``.
"""

from collections.abc import Callable, Iterator, Sequence
from urllib.parse import quote

import msgspec
from msgspec import Raw, Struct

from beats_signer.chain.findings import Document, FindingKind, Range
from beats_signer.chain.origin import signer_of
from beats_signer.chain.seal import SealRecord
from beats_signer.store.contract import Flaw, Known
from beats_signer.store.elasticsearch.places import CHECKPOINTS_INDEX, SEALS_INDEX
from beats_signer.store.elasticsearch.read.chain_reading import (
    ChainReading,
    Compare,
    Item,
)
from beats_signer.store.elasticsearch.read.closed import refuse_closed
from beats_signer.store.elasticsearch.read.foundings import Foundings
from beats_signer.store.elasticsearch.read.located import Located
from beats_signer.store.elasticsearch.read.pages import PAGE_BYTES
from beats_signer.store.elasticsearch.read.questions import Asking
from beats_signer.store.elasticsearch.read.seal_documents import read_seal
from beats_signer.store.elasticsearch.read.strangers import Strangers

__all__ = ["ElasticsearchSource"]


class _Checkpoint(Struct):
    note: str = ""


class _Named(Struct):
    source: Raw = msgspec.field(name="_source", default=Raw(b"{}"))


class ElasticsearchSource:
    """The chains of one signer in one cluster; for one thread."""

    def __init__(
        self,
        asking: Asking,
        signer: str | None = None,
        *,
        indices: str = "*",
        now: int,
        settled: int | None = None,
        compare: Compare | None = None,
        own: Sequence[str] = (),
        page_bytes: int = PAGE_BYTES,
        late_tries: int = 0,
    ) -> None:
        """Take the cluster, whose client ``close`` closes; nothing is asked yet.

        Args:
            asking: The cluster.
            signer: Whose chains; it may be left out where there is only one.
            indices: Pattern of the indices that may hold entries.
            now: The reader's clock, nanoseconds since 1970.
            settled: The time up to which everything that was stored is there.
            compare: Holds visible fields against payloads; ``None``: not read.
            own: Patterns of indices in which everything has to be signed.
            page_bytes: About how much one answer should have.
            late_tries: How often to look again, a second later, for entries of
                young seals that are not visible yet.
        """
        self.asking = asking
        self._signer = signer
        self._indices = indices
        self._now = now
        self._compare = compare
        self._own = own
        self._page_bytes = page_bytes
        self._late_tries = late_tries
        self._is_checked = False  # whether an index is closed
        self._located = Located()
        self._pinned: dict[str, bytes] = {}
        self._foundings = Foundings(asking)
        self._read_seals = 0
        self._total_seals: int | None = None
        self.settled = settled
        self.is_growing = True
        self.is_divisible = True
        self.is_shown = compare is not None
        self.ignored: list[str] = []
        self._left: list[str] = []

    def close(self) -> None:
        """Let go of the cluster. Idempotent."""
        self.asking.client.close()

    def catalogue(self) -> str:
        """See ``Readable.catalogue``."""
        if self._signer is None:
            self._signer = self._foundings.only_signer()
        return self._signer

    def origins(self) -> list[str]:
        """See ``Readable.origins``."""
        signer = self.catalogue()
        self._foundings.forget()
        others = sorted({*self._foundings.find()} - {signer})
        return [signer, *(one for one in others if signer_of(one) == signer)]

    def pin(self, origin: str, chain: bytes) -> None:
        """See ``Readable.pin``."""
        self._pinned[origin] = chain

    def checkpoint(self) -> str | None:
        """See ``Readable.checkpoint``."""
        path = f"/{CHECKPOINTS_INDEX}/_doc/{quote(self.catalogue(), safe='')}"
        found = self.asking.find(path, _Named)
        if found is None:
            return None
        try:
            return msgspec.json.decode(found.source, type=_Checkpoint).note
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return ""  # the verifier finds no checkpoint in it

    def flaws(self) -> list[Flaw]:
        """See ``Readable.flaws``."""
        return []

    def locate(self, seals: Range | None, entries: Range | None) -> Sequence[Document]:
        """See ``Readable.locate``."""
        return self._located.find(seals, entries)

    def leftovers(self) -> Iterator[Flaw]:
        """See ``Readable.leftovers``."""
        signer = self.catalogue()
        self._foundings.forget()
        known = {chain.hex()[:32] for chain in self._pinned.values()}
        others = set()
        for origin, foundings in self._foundings.find().items():
            for one in foundings:
                chain = one.chain.hex()[:32]
                if signer_of(origin) != signer:
                    others.add(chain)
                    continue
                known.add(chain)
                if self._pinned.get(origin, one.chain) != one.chain:
                    detail = f"another founding of {origin}"
                    documents = (one.document,)
                    yield Flaw(
                        FindingKind.FORGED, "unlisted", detail, documents=documents
                    )
        strangers = Strangers(self.asking, self._indices)
        yield from strangers.unfounded(sorted(known | others))
        yield from strangers.unsigned(self._own)
        if count := strangers.count(sorted(others)):
            self._left.append(f"{count} documents of other signers")

    def left(self) -> Sequence[str]:
        """See ``Readable.left``."""
        return self._left

    def done(self) -> float:
        """See ``Readable.done``; counted in seals."""
        if self._total_seals is None:
            chains = self._foundings.chains(self.catalogue())
            query = {"terms": {"chain": chains}}
            self._total_seals = self.asking.count(SEALS_INDEX, query)
        return min(1.0, self._read_seals / max(1, self._total_seals))

    def last(self, origin: str) -> SealRecord | None:
        """See ``Readable.last``."""
        chain = self._chain(origin)
        if chain is None:
            return None
        name = chain.hex()[:32]
        body = {
            "query": {"term": {"chain": name}},
            "sort": [{"seal": {"order": "desc", "unmapped_type": "long"}}],
            "size": 1,
        }
        hits = self.asking.search(SEALS_INDEX, body).hits
        return read_seal(hits[0], name).record if hits else None

    def read(self, origin: str, first_seal: int = 0) -> Iterator[Item]:
        """See ``Readable.read``."""
        return self._read(origin, lambda reading: reading.read(first_seal))

    def read_knowing(self, origin: str, known: Known) -> Iterator[Item]:
        """See ``Readable.read_knowing``."""
        return self._read(origin, lambda reading: reading.read(0, known))

    def read_range(
        self, origin: str, first_seal: int, stop_seal: int
    ) -> Iterator[Item]:
        """See ``Readable.read_range``."""
        return self._read(
            origin, lambda reading: reading.read_range(first_seal, stop_seal)
        )

    def _read(
        self, origin: str, how: Callable[[ChainReading], Iterator[Item]]
    ) -> Iterator[Item]:
        chain = self._chain(origin)
        if chain is None:
            return
        if not self._is_checked:
            refuse_closed(self.asking, f"{self._indices},{SEALS_INDEX}")
            self._is_checked = True
        self._located = Located()
        reading = ChainReading(
            self.asking,
            chain,
            self._located,
            indices=self._indices,
            now=self._now,
            settled=self.settled,
            compare=self._compare,
            page_bytes=self._page_bytes,
            late_tries=self._late_tries,
        )
        for item in how(reading):
            self._read_seals += isinstance(item, SealRecord)
            yield item

    def _chain(self, origin: str) -> bytes | None:
        """Return the id of a chain: the one that is trusted, or the first there."""
        if (chain := self._pinned.get(origin)) is not None:
            return chain
        founded = self._foundings.find().get(origin)
        return founded[0].chain if founded else None
