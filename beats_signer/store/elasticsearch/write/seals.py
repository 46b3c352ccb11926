"""Read the seals that are stored, and publish the newest checkpoint.

A seal is read by name in realtime; names are known, months are not, so all
months are asked. Whatever needs a search refreshes the index first.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar
from urllib.parse import quote

import msgspec
from msgspec import Raw, Struct

from beats_signer.chain.encoding import decode_base64
from beats_signer.chain.errors import ChainError
from beats_signer.chain.origin import signer_of
from beats_signer.chain.seal import Kind, SealRecord, parse_seal_note
from beats_signer.errors import RefusedError, StoreError
from beats_signer.store.elasticsearch.client import Answer, Client
from beats_signer.store.elasticsearch.places import (
    CHECKPOINTS_INDEX,
    SEALS_INDEX,
    seal_id,
)
from beats_signer.store.elasticsearch.write.outcomes import reason_of
from beats_signer.store.elasticsearch.write.standing import read_documents, request_of

__all__ = ["SealDocument", "StoredSeals"]

_PAGE: Final = 1000
_AHEAD: Final = 100
"""Numbers that are asked for at once beyond the highest found: more than a chain
has seals on their way."""
_WHOLE: Final = {"allow_partial_search_results": "false"}
_T = TypeVar("_T")


class SealDocument(Struct):
    """What is read back of a seal's document."""

    note: str
    body: str
    leaves: str

    def record(self) -> SealRecord:
        """Return the seal as it was signed."""
        return SealRecord(
            self.note, self.body, decode_base64(self.leaves, "leaves", None)
        )


class _Hit(Struct):
    source: Raw = msgspec.field(name="_source", default=Raw(b"{}"))
    sort: list[Raw] = msgspec.field(default_factory=list)


class _Hits(Struct):
    hits: list[_Hit] = msgspec.field(default_factory=list)


class _Shards(Struct):
    failed: int = 0


class _Found(Struct):
    hits: _Hits
    timed_out: bool = False
    shards: _Shards = msgspec.field(name="_shards", default_factory=_Shards)


class _Numbered(Struct):
    seal: int


class _Named(Struct):
    note: str


class StoredSeals:
    """The seals of all chains in one cluster."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def seal(self, chain: bytes, number: int) -> SealRecord | None:
        """Return one seal, in realtime.

        Raises:
            StoreError: The answer is unknown; ask again.
        """
        found = await self._named([seal_id(chain, number)])
        if not found:
            return None
        try:
            return _decode(found[0], SealDocument).record()
        except ChainError as error:
            raise StoreError(f"seal {number} cannot be read: {error}") from error

    async def highest(self, chain: bytes) -> int | None:
        """Return the highest number of a chain; see ``seal``.

        What a search finds is a lower bound where nobody may refresh; from
        there on each number is asked for by name.
        """
        query = {
            "query": {"term": {"chain": chain.hex()[:32]}},
            "sort": [{"seal": {"order": "desc", "unmapped_type": "long"}}],
            "_source": ["seal"],
            "size": 1,
        }
        found = await self._search(query)
        highest = _decode(found[0].source, _Numbered).seal if found else -1
        while True:
            above = await self._highest_of(chain, highest + 1, highest + _AHEAD)
            if above is None:
                return highest if highest >= 0 else None
            highest = above

    async def chains(self, signer: str) -> dict[str, bytes]:
        """Return the chain id of every origin of a signer; see ``seal``."""
        query: dict[str, Any] = {
            "query": {"term": {"kind": Kind.FOUND.value}},
            "sort": [
                {name: {"order": "asc", "unmapped_type": "keyword"}}
                for name in ("origin", "chain")
            ],
            "_source": ["note"],
            "size": _PAGE,
        }
        chains: dict[str, bytes] = {}
        while found := await self._search(query):
            for hit in found:
                try:
                    note = _decode(hit.source, _Named).note
                    seal, _ = parse_seal_note(note)
                except ChainError:
                    continue  # no founding: a stranger's, which verification reports
                if signer_of(seal.origin) == signer:
                    chains[seal.origin] = seal.hash()
            query["search_after"] = found[-1].sort
        return chains

    async def publish_checkpoint(self, signer: str, note: str) -> None:
        """Put the newest checkpoint of a signer in place of the one before.

        Raises:
            StoreError: Nothing is known; publish the newest again.
        """
        path = f"/{CHECKPOINTS_INDEX}/_doc/{quote(signer, safe='')}"
        document = {"signer": signer, "note": note}
        await self._ask("PUT", path, document, expected=(200, 201))

    async def _highest_of(self, chain: bytes, first: int, last: int) -> int | None:
        """Return the highest of some numbers that is stored, in realtime."""
        numbers = range(first, last + 1)
        found = await self._named([seal_id(chain, number) for number in numbers])
        return max((numbers[place] for place in found), default=None)

    async def _named(self, names: Sequence[str]) -> dict[int, bytes]:
        """Return the documents of these names over all months, by their place."""
        months = await self._months()
        found: dict[int, bytes] = {}
        for month in months:
            docs = request_of([(month, name) for name in names])
            answer = await self._ask("POST", "/_mget", docs)
            try:
                sources = read_documents(answer, len(names))
            except ValueError as error:
                raise StoreError(f"seals cannot be read: {error}") from error
            for place, source in enumerate(sources):
                if source is not None:
                    found[place] = source
        return found

    async def _months(self) -> list[str]:
        """Return the indices of seals that there are, the newest first."""
        path = f"/{quote(SEALS_INDEX)}/_settings/index.creation_date"
        answer = await self._ask("GET", path)
        return sorted(_decode(answer.data, dict[str, Raw]), reverse=True)

    async def _search(self, query: dict[str, Any]) -> list[_Hit]:
        """Search all seals, after a refresh where the role may do one."""
        pattern = quote(SEALS_INDEX)
        await self._ask("POST", f"/{pattern}/_refresh", expected=(200, 403))
        answer = await self._ask(
            "POST", f"/{pattern}/_search", query, parameters=_WHOLE
        )
        found = _decode(answer.data, _Found)
        if found.timed_out or found.shards.failed:
            raise StoreError(
                f"seals cannot be searched: {found.shards.failed} shards failed",
                hint="See to the health of the cluster.",
            )
        return found.hits.hits

    async def _ask(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | bytes | None = None,
        *,
        expected: tuple[int, ...] = (200,),
        parameters: Mapping[str, str] | None = None,
    ) -> Answer:
        data = body if isinstance(body, bytes | None) else msgspec.json.encode(body)
        answer = await self._client.request(
            method, path, parameters=parameters, data=data
        )
        if answer.status in expected:
            return answer
        kind, reason = reason_of(answer.data)
        message = f"{method} {path}: {answer.status} {kind}: {reason}"
        if answer.status in (400, 401, 403):
            raise RefusedError(
                message,
                hint="See that 'beats-signer setup' has run, and what the signer's "
                "role may do.",
            )
        raise StoreError(message, hint="See to the health of the cluster.")


def _decode(data: bytes | Raw, kind: type[_T]) -> _T:
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise StoreError(f"an answer cannot be read: {error}") from error
