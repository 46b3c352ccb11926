"""Search for the documents of one chain's entries, in the order of their index."""

from collections.abc import Sequence
from typing import Any, Final

from beats_signer.store.elasticsearch.places import CATALOGUE_INDEX
from beats_signer.store.elasticsearch.read.claims import number_of
from beats_signer.store.elasticsearch.read.entries import Claims
from beats_signer.store.elasticsearch.read.pages import Pages, Search
from beats_signer.store.elasticsearch.read.questions import Asking

__all__ = ["EntrySearch"]

_INDEX: Final = "beats_signer.index"


class EntrySearch:
    """Whatever claims to be an entry of one chain, wherever it stands."""

    def __init__(
        self,
        asking: Asking,
        chain: str,
        *,
        indices: str,
        source: bool | Sequence[str],
        page_bytes: int,
    ) -> None:
        """Take the first half of the chain's id in hex, and what is to be read.

        Args:
            asking: The cluster.
            chain: First half of the chain's id, in hex.
            indices: Pattern of the indices that may hold entries.
            source: Which fields are read.
            page_bytes: About how much one answer should have.
        """
        self._asking = asking
        self._chain = chain
        self._indices = f"{indices},{CATALOGUE_INDEX}"
        self._source = source
        self._page_bytes = page_bytes

    def open(self, first: int, stop: int | None = None) -> Claims:
        """Return the documents from an index on, as they are now."""
        search = Search(self._indices, self._query(first, stop), _INDEX, self._source)
        pages = Pages(self._asking, search, page_bytes=self._page_bytes)
        pages.open()
        return Claims(pages, self._chain)

    def count(self, first: int, stop: int) -> int:
        """Return how many documents there are between two indexes now."""
        return self._asking.count(self._indices, self._query(first, stop))

    def find_end(self) -> int:
        """Return one more than the highest index that there is now."""
        body = {
            "query": self._query(0, None),
            "sort": [{_INDEX: {"order": "desc", "unmapped_type": "long"}}],
            "size": 1,
            "_source": False,
        }
        hits = self._asking.search(self._indices, body).hits
        return number_of(hits[0]) + 1 if hits else 0

    def _query(self, first: int, stop: int | None) -> dict[str, Any]:
        bounds = {"gte": first} | ({} if stop is None else {"lt": stop})
        entries = [
            {"term": {"beats_signer.chain": self._chain}},
            {"range": {_INDEX: bounds}},
        ]
        return {"bool": {"filter": entries}}
