"""Find documents that are nobody's: signed by no chain, or not signed at all.

What is asked is what searches can see: a document that hides its signed object from
the index is found only where everything has to be signed.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec
from msgspec import UNSET, Raw, Struct

from beats_signer.chain.findings import MOST_DOCUMENTS, Document, FindingKind
from beats_signer.store.contract import Flaw
from beats_signer.store.elasticsearch.document import RESERVED
from beats_signer.store.elasticsearch.read.pages import Pages, Search
from beats_signer.store.elasticsearch.read.questions import Asking, Hit

__all__ = ["Strangers"]

_CHAIN: Final = f"{RESERVED}.chain"
_INDEX: Final = f"{RESERVED}.index"
_CHAINS: Final = 1000
"""Chains that are told apart; documents of more of them are one flaw."""
_CHARACTERS: Final = 80


class _Signed(Struct):
    chain: Raw = Raw(b'""')


class _Source(Struct, rename={"dotted": _CHAIN}):
    beats_signer: _Signed | None = None
    dotted: Raw | msgspec.UnsetType = UNSET


class Strangers:
    """The documents that no chain covers, in the indices that may hold events."""

    def __init__(self, asking: Asking, indices: str) -> None:
        """Take the pattern of the indices."""
        self._asking = asking
        self._indices = indices

    def unfounded(self, known: Sequence[str]) -> Iterator[Flaw]:
        """Yield the documents that claim to be of none of these chains, by chain.

        So it is with documents that have no index in theirs. The detail of a flaw is
        what they claim; chains are given by the first 32 digits of their id.
        """
        entry = [{"terms": {_CHAIN: list(known)}}, {"range": {_INDEX: {"gte": 0}}}]
        query = {
            "bool": {
                "filter": [{"exists": {"field": RESERVED}}],
                "must_not": [{"bool": {"filter": entry}}],
            }
        }
        found: dict[str, tuple[int, list[Document]]] = {}
        for hit in self._search(self._indices, query, [RESERVED, _CHAIN]):
            chain = _chain_of(hit)
            if chain in known:
                chain += ", without an index"
            if chain not in found and len(found) >= _CHAINS:
                chain = "and others"
            count, documents = found.get(chain, (0, []))
            if count < MOST_DOCUMENTS:
                documents.append(Document(hit.index, hit.id))
            found[chain] = count + 1, documents
        for chain in sorted(found):
            count, documents = found[chain]
            yield Flaw(
                FindingKind.FOREIGN,
                "chain",
                chain,
                documents=tuple(documents),
                count=count,
            )

    def unsigned(self, patterns: Sequence[str]) -> Iterator[Flaw]:
        """Yield the documents without a signed object in places of the signer's."""
        query = {"bool": {"must_not": [{"exists": {"field": RESERVED}}]}}
        for pattern in patterns:
            documents: list[Document] = []
            count = 0
            for hit in self._search(pattern, query, False):
                count += 1
                if count <= MOST_DOCUMENTS:
                    documents.append(Document(hit.index, hit.id))
            if count:
                yield Flaw(
                    FindingKind.FOREIGN,
                    "unsigned",
                    pattern,
                    documents=tuple(documents),
                    count=count,
                )

    def count(self, chains: Sequence[str]) -> int:
        """Return how many documents claim to be of these chains."""
        if not chains:
            return 0
        return self._asking.count(self._indices, {"terms": {_CHAIN: list(chains)}})

    def _search(
        self, target: str, query: dict[str, Any], source: bool | list[str]
    ) -> Iterator[Hit]:
        for hits in Pages(self._asking, Search(target, query, None, source)):
            yield from hits


def _chain_of(hit: Hit) -> str:
    """Return the chain that a document claims to be of, or that there is none."""
    try:
        source = msgspec.json.decode(hit.source, type=_Source)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return "no chain"
    raw = source.dotted if source.beats_signer is None else source.beats_signer.chain
    if raw is UNSET:
        return "no chain"
    text = bytes(raw).decode("utf-8", "replace").strip('"')
    return text[:_CHARACTERS] or "no chain"
