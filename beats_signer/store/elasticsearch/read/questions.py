"""Ask a cluster questions that only read, and take no half answer for a whole one.

An answer is whole, or it is a ``SourceError``: what a shard did not tell is not
missing. A question that failed for a moment is asked again, a few times.
"""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any, Final, NoReturn, TypeVar
from urllib.parse import quote

import msgspec
from msgspec import Raw, Struct

from beats_signer.errors import RefusedError, SourceError, StoreError
from beats_signer.store.elasticsearch.blocking import BlockingClient
from beats_signer.store.elasticsearch.client import Answer, UnansweredError
from beats_signer.store.elasticsearch.write.outcomes import reason_of

__all__ = ["Asking", "BusyError", "Hit", "LostPointError", "Page", "decode"]

_PAUSES_SECONDS: Final = (0.1, 0.4, 1.5)
"""Before a question is asked again; after the last of them it stays open."""
_PASSING: Final = (408, 429, 502, 503, 504)
"""What may be over in a moment."""
_LOST_POINT: Final = "search_context_missing_exception"
_WHOLE: Final = {
    "expand_wildcards": "open,hidden",
    "ignore_unavailable": "true",
    "allow_partial_search_results": "false",
}
_T = TypeVar("_T")


class BusyError(SourceError):
    """The server has not the memory, or the time, for an answer of this size."""


class LostPointError(SourceError):
    """The server no longer knows the point in time that is read."""


class Hit(Struct, gc=False):
    """One document that a search has found."""

    index: str = msgspec.field(name="_index")
    id: str = msgspec.field(name="_id")
    source: Raw = msgspec.field(name="_source", default=Raw(b"{}"))
    sort: Raw = Raw(b"[]")


class _Hits(Struct):
    hits: list[Hit]
    total: Raw = Raw(b"null")


class _Total(Struct):
    value: int


class _Failure(Struct):
    index: str | None = None
    reason: Raw = Raw(b"{}")


class _Shards(Struct):
    failed: int = 0
    failures: list[_Failure] = msgspec.field(default_factory=list)


class _Found(Struct):
    hits: _Hits
    timed_out: bool = False
    terminated_early: bool = False
    shards: _Shards = msgspec.field(name="_shards", default_factory=_Shards)
    pit_id: str | None = None


class Page(Struct):
    """One whole answer to a search."""

    hits: list[Hit]
    total: Raw
    point: str | None
    size: int
    """Bytes of the answer."""


class Asking:
    """One cluster, for one thread."""

    def __init__(
        self,
        client: BlockingClient,
        where: str,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """Take the client, which the owner closes, and the name of the cluster."""
        self.client = client
        self.where = where
        self.pause = pause

    def read(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        parameters: Mapping[str, str] | None = None,
        *,
        kind: type[_T],
    ) -> _T:
        """Return an answer of status 200 as values.

        Raises:
            SourceError: There is none.
        """

        def once() -> _T:
            answer = self.client.start(method, path, body, parameters).result()
            if answer.status != 200:
                self.refuse(answer, f"{method} {path}")
            return decode(answer.data, kind)

        return self.insist(once)

    def find(self, path: str, kind: type[_T]) -> _T | None:
        """Return one document as values, ``None`` when it is not there."""

        def once() -> _T | None:
            answer = self.client.start("GET", path).result()
            if answer.status == 404 and _LOST_POINT.encode() not in answer.data:
                return None
            if answer.status != 200:
                self.refuse(answer, f"GET {path}")
            return decode(answer.data, kind)

        return self.insist(once)

    def search(self, target: str, body: Mapping[str, Any]) -> Page:
        """Return the answer to a search of one page; see ``ask``."""
        path = f"/{quote(target, safe=',*')}/_search"
        return self.insist(
            lambda: self.read_page(self.client.start("POST", path, body, _WHOLE))
        )

    def count(self, target: str, query: Mapping[str, Any]) -> int:
        """Return how many documents a query finds; see ``ask``."""
        body = {"query": query, "size": 0, "track_total_hits": True}
        return decode(self.search(target, body).total, _Total).value

    def insist(self, once: Callable[[], _T]) -> _T:
        """Return what ``once`` returns, after a few more tries if need be."""
        for pause in _PAUSES_SECONDS:
            try:
                return once()
            except (UnansweredError, BusyError):
                self.pause(pause)
            except StoreError as error:
                self._give_up(error)
        try:
            return once()
        except StoreError as error:
            self._give_up(error)

    def read_page(self, coming: Future[Answer]) -> Page:
        """Return the page that is on its way, if it is whole.

        Raises:
            BusyError: Ask for less.
            LostPointError: Open another point in time.
            SourceError: It is not there.
            StoreError: There is no answer.
        """
        answer = coming.result()
        if answer.status != 200:
            self.refuse(answer, "the search")
        found = decode(answer.data, _Found)
        if found.timed_out or found.shards.failed or found.terminated_early:
            self._refuse_part(found)
        hits = found.hits
        return Page(hits.hits, hits.total, found.pit_id, len(answer.data))

    def refuse(self, answer: Answer, what: str) -> NoReturn:
        """Raise what an answer means that is none."""
        kind, reason = reason_of(answer.data)
        said = f"{kind}: {reason}" if kind else reason
        message = f"{self.where}: {what}: {answer.status} {said}".rstrip(": ")
        if _LOST_POINT.encode() in answer.data:
            raise LostPointError(message, hint="Verify again.")
        if answer.status in _PASSING:
            raise BusyError(message, hint="See to the health of the cluster.")
        if answer.status in (401, 403):
            raise SourceError(
                message,
                hint="Name a key or a user of the role beats-signer-verifier, which "
                "`beats-signer setup` makes.",
            )
        if not kind:
            raise SourceError(
                message,
                hint="That is no answer of Elasticsearch: see what listens there.",
            )
        raise SourceError(
            message,
            hint="See to the health of the cluster, and that its names are "
            "those of a signer's indices.",
        )

    def _refuse_part(self, found: _Found) -> NoReturn:
        failures = found.shards.failures
        if any(_LOST_POINT.encode() in bytes(one.reason) for one in failures):
            raise LostPointError(f"{self.where}: the point in time is lost")
        where = ", ".join(sorted({one.index or "?" for one in failures}))
        raise BusyError(
            f"{self.where}: the answer to the search is only a part: "
            f"{found.shards.failed} shards failed{f' of {where}' if where else ''}"
            f"{', and time ran out' if found.timed_out else ''}",
            hint="See to the health of the cluster; or leave indices out with "
            "--indices.",
        )

    def _give_up(self, error: StoreError) -> NoReturn:
        hint = error.hint
        said = str(error)
        if isinstance(error, RefusedError | UnansweredError) and self.where not in said:
            said = f"{self.where}: {said}"
        raise SourceError(said, hint=hint) from error


def decode(data: bytes | Raw, kind: type[_T]) -> _T:
    """Return an answer as values.

    Raises:
        UnansweredError: It is cut or garbled: ask again.
    """
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UnansweredError(f"an answer cannot be read: {error}") from error
