"""Remember where the documents of the last two seals stand.

The verifier judges a seal when the next one comes, so both are kept; all else is
forgotten.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from beats_signer.chain.findings import MOST_DOCUMENTS, Document, Range
from beats_signer.store.elasticsearch.read.claims import Claim
from beats_signer.store.elasticsearch.read.entries import Candidates

__all__ = ["Located"]

Reread = Callable[[], Iterable[Sequence[Claim]]]


@dataclass(slots=True)
class _Open:
    """What is known of one seal and its entries."""

    number: int | None = None
    document: Document | None = None
    candidates: Candidates | None = None
    runs: list[tuple[list[int], list[str], list[str]]] = field(default_factory=list)
    """Of each run of documents: entry, index and ``_id``."""
    reread: Reread | None = None
    """Reads the documents, which were not read because they are known."""

    def add(self, claims: Sequence[Claim]) -> None:
        """Take documents, in the order of their entries."""
        numbers = [claim.index for claim in claims]
        indices = [claim.hit.index for claim in claims]
        self.runs.append((numbers, indices, [claim.hit.id for claim in claims]))

    def documents(self, entries: Range) -> Iterator[Document]:
        """Yield where some entries stand; of one that is missing, where it should."""
        reread, self.reread = self.reread, None
        for claims in reread() if reread is not None else ():
            self.add(claims)
        first, last = entries
        known = {}
        for numbers, indices, ids in self.runs:
            if numbers[0] <= last and numbers[-1] >= first:
                for number, index, id in zip(numbers, indices, ids, strict=True):
                    if first <= number <= last:
                        known[number] = Document(index, id)
        if self.candidates is None:
            yield from known.values()
            return
        for number in range(first, min(last, first + MOST_DOCUMENTS) + 1):
            document = known.get(number) or self.candidates.name(number)
            if document is not None:
                yield document


class Located:
    """Where the seal that was read last and the one before it stand."""

    def __init__(self) -> None:
        """Start with nothing."""
        self._before = _Open()
        self._now = _Open()

    def open(
        self, number: int, document: Document, candidates: Candidates | None
    ) -> None:
        """Take the next seal; its entries follow."""
        self._before, self._now = self._now, _Open(number, document, candidates)

    def leave(self) -> None:
        """Take note that no seal covers what follows."""
        self._before, self._now = self._now, _Open()

    def add(self, claims: Sequence[Claim]) -> None:
        """Take documents of the seal that is open, in the order of their entries."""
        self._now.add(claims)

    def defer(self, reread: Reread) -> None:
        """Take who reads the documents of the seal that is open, should one ask."""
        self._now.reread = reread

    def find(self, seals: Range | None, entries: Range | None) -> list[Document]:
        """Return documents of a range of entries, or else of a range of seals."""
        both = (self._before, self._now)
        if entries is not None:
            found = (document for one in both for document in one.documents(entries))
            return list(islice(found, MOST_DOCUMENTS))
        if seals is None:
            return []
        first, last = seals
        return [
            one.document
            for one in both
            if one.document is not None
            and one.number is not None
            and first <= one.number <= last
        ]
