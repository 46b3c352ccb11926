"""Read what a search finds, page by page, in the order of one number.

A page has about so many bytes, whatever the documents are; while it is looked at,
the next one is on its way. So two pages are in memory. A point in time keeps the
view still; when the server loses it, another is opened, and reading goes on behind
the last document that was handed out.
"""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from msgspec import Raw, Struct

from beats_signer.errors import SourceError, StoreError
from beats_signer.store.elasticsearch.client import Answer
from beats_signer.store.elasticsearch.read.questions import (
    Asking,
    BusyError,
    Hit,
    LostPointError,
    Page,
    decode,
)

__all__ = ["PAGE_BYTES", "Pages", "Search"]

PAGE_BYTES: Final = 4 << 20
"""About how much one answer should have."""
_FIRST: Final = 32
"""Documents of the first page, of which nothing is known yet: each may be large."""
_MOST: Final = 10_000
"""``index.max_result_window``: the server gives no more at once."""
_GROWTH: Final = 4
_TRIES: Final = 5
"""Failures in a row after which reading ends; each page starts anew."""
_SHARD_DOC: Final = "_shard_doc"
_KEEP_ALIVE: Final = "5m"
_VIEW: Final = {
    "keep_alive": _KEEP_ALIVE,
    "expand_wildcards": "open,hidden",
    "ignore_unavailable": "true",
    "allow_partial_search_results": "false",
}


@dataclass(frozen=True, slots=True)
class Search:
    """What is read, and in which order."""

    target: str
    """Index pattern."""
    query: Mapping[str, Any]
    number: str | None
    """Field that the documents are in the order of; ``None``: any order."""
    source: bool | Sequence[str] = True
    """Which fields are read: all, none, or these."""


class _Opened(Struct):
    id: str


@dataclass(frozen=True, slots=True)
class _Request:
    """A page that is on its way."""

    answer: Future[Answer]
    size: int
    """Documents that were asked for."""


class Pages:
    """One reading of one search; iterate over it once."""

    def __init__(
        self,
        asking: Asking,
        search: Search,
        *,
        page_bytes: int = PAGE_BYTES,
        first_size: int = _FIRST,
    ) -> None:
        """Prepare to read; nothing is sent yet."""
        self._asking = asking
        self._search = search
        self._page_bytes = page_bytes
        self._size = first_size
        self._point: str | None = None
        self._coming: _Request | None = None
        self._after: Raw | None = None  # order of the last document, in this point
        self._last: Any = None  # its number, which holds in every point
        self._seen: set[tuple[str, str]] = set()  # documents of that number
        self._is_resumed = False  # whether what is seen may come again

    def open(self) -> None:
        """Open the point in time now, and let the first page come."""
        self._coming = self._asking.insist(self._start)

    def __iter__(self) -> Iterator[list[Hit]]:
        """Yield the documents, one page after the other.

        Raises:
            SourceError: The next page cannot be had.
        """
        try:
            is_last = False
            while not is_last:
                page, size = self._asking.insist(self._fetch)
                is_last = len(page.hits) < size
                hits = self._take(page)
                if not is_last:
                    self._coming = self._start()
                if hits:
                    yield hits
        finally:
            self.close()

    def _fetch(self) -> tuple[Page, int]:
        """Return the next page and how many documents it could have had."""
        for _ in range(_TRIES):
            request, self._coming = self._coming or self._start(), None
            try:
                return self._asking.read_page(request.answer), request.size
            except LostPointError:
                self._lose()
            except BusyError:
                self._size = max(1, request.size // 2)
                raise
        raise SourceError(
            f"{self._asking.where}: the server loses every point in time",
            hint="It may have too many searches open, or restart all the time.",
        )

    def _start(self) -> _Request:
        if self._point is None:
            self._point = self._open()
        number = self._search.number
        query = dict(self._search.query)
        if self._is_resumed and number is not None and self._after is None:
            behind = {"range": {number: {"gte": self._last}}}
            query = {"bool": {"filter": [query, behind]}}
        body: dict[str, Any] = {
            "pit": {"id": self._point, "keep_alive": _KEEP_ALIVE},
            "query": query,
            "sort": [_SHARD_DOC if number is None else _order(number)],
            "size": self._size,
            "track_total_hits": False,
            "_source": self._search.source,
        }
        if self._after is not None:
            body["search_after"] = self._after
        answer = self._asking.client.start("POST", "/_search", body)
        return _Request(answer, self._size)

    def _open(self) -> str:
        path = f"/{quote(self._search.target, safe=',*')}/_pit"
        opened = self._asking.client.start("POST", path, parameters=_VIEW).result()
        if opened.status != 200:
            self._asking.refuse(opened, f"a point in time of {self._search.target}")
        return decode(opened.data, _Opened).id

    def _take(self, page: Page) -> list[Hit]:
        """Return what is new of a page, and note where it ends."""
        hits = page.hits
        self._point = page.point or self._point
        if self._is_resumed:
            hits = [hit for hit in hits if (hit.index, hit.id) not in self._seen]
        if not page.hits:
            return hits
        self._after = page.hits[-1].sort.copy()  # else it would keep the whole page
        if self._search.number is not None:
            self._remember(page.hits)
        share = page.size / len(page.hits)
        fitting = max(1, int(self._page_bytes / share))
        self._size = min(fitting, self._size * _GROWTH, _MOST)
        return hits

    def _remember(self, hits: list[Hit]) -> None:
        """Keep the last number, and which documents have it."""
        last = decode(hits[-1].sort, list[Any])[0]
        if last != self._last:
            self._last, self._seen = last, set()
            self._is_resumed = False
        for hit in reversed(hits):
            if decode(hit.sort, list[Any])[0] != last:
                break
            self._seen.add((hit.index, hit.id))

    def _lose(self) -> None:
        """Go on in another point in time, where only numbers hold."""
        if self._search.number is None and self._after is not None:
            raise SourceError(
                f"{self._asking.where}: the point in time was lost in mid-read",
                hint="Verify again.",
            )
        self._is_resumed = self._last is not None
        self._point = self._after = None

    def close(self) -> None:
        """Let the server forget the point in time. Idempotent."""
        request, self._coming = self._coming, None
        with suppress(StoreError):
            if request is not None:
                request.answer.result()
            if self._point is not None:
                body = {"id": self._point}
                self._asking.client.start("DELETE", "/_pit", body).result()
        self._point = None


def _order(number: str) -> dict[str, Any]:
    return {number: {"order": "asc", "unmapped_type": "long"}}
