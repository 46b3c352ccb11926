"""Find out where bare documents may stand.

Two ways lead there, and both are gone, over one view of the targets:

- by the tag. It finds all bare documents but the minimal ones, also those that a
  signer has not listed yet, in a moment, whatever the catalogue has become.
- by the catalogue, for those that have no tag: minimal ones, and where a mapping
  of somebody else does not index tags. No query finds a document by the fields that
  it lacks, for the mapping of an index may give any field a value of its own. To
  read a catalogue costs what the beginning of a verification costs.

Nothing that is found here is believed: what a document says decides. Records that
cannot be read are skipped: they are for ``verify`` to report.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from beats_signer.chain.errors import ChainError
from beats_signer.chain.records import BareRecord, parse_record
from beats_signer.store.elasticsearch.places import CATALOGUE_INDEX
from beats_signer.store.elasticsearch.recover.answers import Hit
from beats_signer.store.elasticsearch.recover.document import Place
from beats_signer.store.elasticsearch.recover.requests import RecoveryRequests
from beats_signer.store.elasticsearch.write.rendering import BARE_TAG

__all__ = ["RecoverySearch", "Scope", "join_patterns"]

_PLACES: Final = 200
"""Documents of one page. They are read whole, and an event may be large."""
_RECORDS: Final = 200
"""Records of one page, of which each may name 10,000 entries."""
_INDEXES: Final = 1000
"""Entries that are looked for at once."""
_PATH_CHARACTERS: Final = 2000
"""The server takes a request line of 4,096 bytes."""
_CHAIN: Final = "beats_signer.chain"
_INDEX: Final = "beats_signer.index"


@dataclass(frozen=True, slots=True)
class Scope:
    """What is looked at."""

    patterns: tuple[str, ...]
    """Targets of events."""
    chains: Mapping[str, str]
    """First 32 digits of the chain id, by origin."""
    catalogue: str
    """The same of the catalogue."""
    since: str | None = None
    """From this ``@timestamp`` on."""
    until: str | None = None
    """Before this one."""


class _Signed(msgspec.Struct, frozen=True):
    payload: str = ""


class _Record(msgspec.Struct, frozen=True):
    beats_signer: _Signed = _Signed()


class RecoverySearch:
    """One search through a scope."""

    def __init__(self, requests: RecoveryRequests, scope: Scope) -> None:
        self._requests = requests
        self._scope = scope
        self._shares = [0.0, 0.0]
        """How much of each of the two ways is behind us, from 0 to 1."""

    def done(self) -> float:
        """Return how much is looked at, from 0 to 1."""
        return sum(self._shares) / len(self._shares)

    async def pages(self) -> AsyncIterator[list[Place]]:
        """Yield places, none of them twice."""
        for patterns in join_patterns(self._scope.patterns):
            view = await self._requests.open_view(patterns)
            async for page in self._tagged(view):
                yield page
            self._shares[0] = 1.0
            async for page in self._listed(view):
                yield page
            await self._requests.close_view(view)
        self._shares = [1.0, 1.0]

    async def _tagged(self, view: str) -> AsyncIterator[list[Place]]:
        chains = list(self._scope.chains.values())
        query = self._query([{"terms": {_CHAIN: chains}}, _TAGGED])
        async for hits, share in self._read(view, query, _PLACES):
            self._shares[0] = share
            yield [hit.place for hit in hits]

    async def _listed(self, view: str) -> AsyncIterator[list[Place]]:
        async for chain, indexes in self._bare_entries():
            for start in range(0, len(indexes), _INDEXES):
                wanted = indexes[start : start + _INDEXES]
                named: list[dict[str, Any]] = [
                    {"term": {_CHAIN: chain}},
                    {"terms": {_INDEX: wanted}},
                ]
                query = self._query(named, but=_TAGGED)
                async for hits, _ in self._read(view, query, _PLACES):
                    yield [hit.place for hit in hits]

    async def _bare_entries(self) -> AsyncIterator[tuple[str, list[int]]]:
        """Yield what the catalogue lists: some entries of one chain at a time."""
        view = await self._requests.open_view(CATALOGUE_INDEX)
        query = {"term": {_CHAIN: self._scope.catalogue}}
        source = "beats_signer.payload"
        async for hits, share in self._read(view, query, _RECORDS, source=source):
            waiting: dict[str, set[int]] = {}
            for hit in hits:
                chain, indexes = self._bare_record(hit)
                if chain is None:
                    continue
                waiting.setdefault(chain, set()).update(indexes)
                if len(waiting[chain]) >= _INDEXES:
                    yield chain, sorted(waiting.pop(chain))
            for chain, rest in waiting.items():
                yield chain, sorted(rest)
            self._shares[1] = share
        await self._requests.close_view(view)

    def _bare_record(self, hit: Hit) -> tuple[str | None, Sequence[int]]:
        try:
            payload = msgspec.json.decode(hit.source, type=_Record).beats_signer.payload
            if '"bare"' not in payload:
                return None, ()
            record = parse_record(payload.encode())
        except (msgspec.MsgspecError, RecursionError, ValueError, ChainError):
            return None, ()
        if not isinstance(record, BareRecord):
            return None, ()
        return self._scope.chains.get(record.origin), record.indexes

    def _query(
        self, conditions: list[dict[str, Any]], but: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        bounds = {"gte": self._scope.since, "lt": self._scope.until}
        wanted = {name: bound for name, bound in bounds.items() if bound is not None}
        if wanted:
            conditions = [*conditions, {"range": {"@timestamp": wanted}}]
        query: dict[str, Any] = {"filter": conditions}
        return {"bool": query if but is None else query | {"must_not": but}}

    async def _read(
        self,
        view: str,
        query: dict[str, Any],
        size: int,
        *,
        source: str | bool = False,
    ) -> AsyncIterator[tuple[list[Hit], float]]:
        """Yield the hits by pages, with the share of all that they end at."""
        asked: dict[str, Any] = {
            "query": query,
            "sort": ["_shard_doc"],
            "size": size,
            "_source": source,
            "track_total_hits": True,
        }
        seen = total = 0
        while True:
            found = await self._requests.search(view, asked)
            hits = found.hits.hits
            if found.hits.total is not None:
                total = found.hits.total.value
            if hits:
                seen += len(hits)
                yield hits, seen / max(total, seen)
            if len(hits) < size:
                return
            asked |= {"search_after": hits[-1].sort, "track_total_hits": False}


_TAGGED: Final = {"term": {"tags": BARE_TAG}}


def join_patterns(patterns: Sequence[str]) -> list[str]:
    """Return the patterns by lists, as a path takes them; none is part of another."""
    wide = [
        one
        for one in dict.fromkeys(patterns)
        if not any(other != one and _covers(other, one) for other in patterns)
    ]
    lists: list[str] = []
    for pattern in wide:
        if lists and len(lists[-1]) + len(pattern) < _PATH_CHARACTERS:
            lists[-1] += f",{pattern}"
        else:
            lists.append(pattern)
    return lists


def _covers(wide: str, narrow: str) -> bool:
    """Tell whether all names of a pattern are names of another one."""
    first, *rest = wide.split("*")
    if not rest:
        return wide == narrow
    *middle, last = rest
    if not narrow.startswith(first):
        return False
    at = len(first)
    for part in middle:
        at = narrow.find(part, at)
        if at < 0:
            return False
        at += len(part)
    return len(narrow) - len(last) >= at and narrow.endswith(last)
