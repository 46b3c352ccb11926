"""Ask the server what ``recover`` needs to know, and take no half answer.

A document is read by name, in realtime: a search may be a second late, and what
it finds is only where to look.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, TypeVar
from urllib.parse import quote

import msgspec
from msgspec import Raw

from beats_signer.errors import RefusedError, StoreError
from beats_signer.store.elasticsearch.client import Answer, Client, UnansweredError
from beats_signer.store.elasticsearch.places import CATALOGUE_INDEX, SEALS_INDEX
from beats_signer.store.elasticsearch.prepare.roles import REPAIR
from beats_signer.store.elasticsearch.recover.answers import (
    Doc,
    Docs,
    Found,
    Opened,
    Privileges,
    Simulated,
    Simulation,
)
from beats_signer.store.elasticsearch.recover.document import Place, Present
from beats_signer.store.elasticsearch.write.outcomes import Outcome, Verdict, reason_of
from beats_signer.store.elasticsearch.write.standing import request_of

__all__ = ["PAUSES_SECONDS", "RecoveryRequests", "Sleep", "insist"]

Sleep = Callable[[float], Awaitable[None]]

_KEEP_ALIVE: Final = "10m"
"""How long the server keeps a view between two pages."""
_LENIENT: Final = {"ignore_unavailable": "true"}
"""What is closed is skipped; ``closed`` names it."""
_WHOLE: Final = {"allow_partial_search_results": "false"}
_CLOSED: Final = "index.verified_before_close"
_ROLE: Final = (
    "Name a user or a key of the role beats-signer-repair, with --user or "
    "--api-key-file; `beats-signer setup` makes the role."
)
PAUSES_SECONDS: Final = (0.1, 0.4, 1.5)
"""Before the same is asked again; after the last of them it stays open."""
_ENCODE = msgspec.json.encode
_T = TypeVar("_T")


class _NoSuchPathError(Exception):
    """The server has no such API."""


class RecoveryRequests:
    """The questions. What fails for a moment is asked again, a few times.

    They raise ``StoreError`` when nothing is known, ``RefusedError`` when asking
    again would not help.
    """

    def __init__(self, client: Client, sleep: Sleep = asyncio.sleep) -> None:
        """Take the client, which the owner closes."""
        self._client = client
        self._sleep = sleep
        self.document_bytes = 0
        """Mean size of the documents that were read last; 0: nothing is known."""

    async def check_rights(self, patterns: Sequence[str]) -> None:
        """Refuse to begin as somebody who may not write here.

        What may not be seen is not there for a search, and nothing would be found.
        """
        reading = ("read", "view_index_metadata")
        asked: dict[str, tuple[str, ...]] = dict.fromkeys(patterns, REPAIR)
        asked |= dict.fromkeys((CATALOGUE_INDEX, SEALS_INDEX), reading)
        index = [
            {"names": [name], "privileges": list(rights)}
            for name, rights in asked.items()
        ]
        try:
            path = "/_security/user/_has_privileges"
            told = await self._ask("POST", path, Privileges, {"index": index})
        except _NoSuchPathError:
            return  # security is off
        if told.has_all_requested:
            return
        lacking = sorted(
            f"{right} on {name}"
            for name, rights in told.index.items()
            for right, has in rights.items()
            if not has
        )
        raise RefusedError(f"{told.username} lacks {', '.join(lacking)}", hint=_ROLE)

    async def closed(self, patterns: str) -> list[str]:
        """Return which indices of a pattern are closed, behind data streams too."""
        path = f"/{_quoted(patterns)}/_settings/{_CLOSED}"
        parameters = _LENIENT | {"expand_wildcards": "all", "flat_settings": "true"}
        return sorted(await self._ask("GET", path, dict[str, Raw], None, parameters))

    async def open_view(self, patterns: str) -> str:
        """Return the name of a point in time over a pattern."""
        path = f"/{_quoted(patterns)}/_pit"
        parameters = _LENIENT | {"keep_alive": _KEEP_ALIVE}
        return (await self._ask("POST", path, Opened, None, parameters)).id

    async def close_view(self, view: str) -> None:
        """Let the server forget a point in time; it would do so by itself."""
        await self._client.request("DELETE", "/_pit", data=_ENCODE({"id": view}))

    async def search(self, view: str, wanted: Mapping[str, Any]) -> Found:
        """Return a page of a search in a point in time."""
        body = {"pit": {"id": view, "keep_alive": _KEEP_ALIVE}, **wanted}
        found = await self._ask("POST", "/_search", Found, body, _WHOLE)
        if found.timed_out or found.shards.failed:
            raise StoreError(
                f"the answer to a search is only a part: {found.shards.failed} shards "
                "failed",
                hint="See to the health of the cluster.",
            )
        return found

    async def read(self, places: Sequence[Place]) -> list[Present | Outcome | None]:
        """Return what stands there now: a document, nothing, or why it is not read."""
        docs = (await self._ask("POST", "/_mget", Docs, request_of(places))).docs
        if len(docs) != len(places):
            raise UnansweredError(
                f"{len(places)} documents were asked for, {len(docs)} came back"
            )
        self.document_bytes = sum(len(bytes(doc.source)) for doc in docs) // len(docs)
        return [_present(*pair) for pair in zip(places, docs, strict=True)]

    async def simulate(
        self, documents: Sequence[Mapping[str, Any]], pipeline: str | None
    ) -> list[Simulated] | None:
        """Return what would become of documents, ``None`` if the server cannot say."""
        parameters = {} if pipeline is None else {"pipeline": pipeline}
        body = {"docs": documents}
        try:
            path = "/_ingest/_simulate"
            told = await self._ask("POST", path, Simulation, body, parameters)
        except _NoSuchPathError:
            return None
        if len(told.docs) != len(documents):
            raise UnansweredError(
                f"{len(documents)} documents were tried, {len(told.docs)} came back"
            )
        return [one.doc for one in told.docs]

    async def _ask(
        self,
        method: str,
        path: str,
        kind: type[_T],
        body: Mapping[str, Any] | bytes | None = None,
        parameters: Mapping[str, str] | None = None,
    ) -> _T:
        data = body if isinstance(body, bytes | None) else _ENCODE(body)

        async def once() -> _T:
            answer = await self._client.request(
                method, path, parameters=parameters, data=data
            )
            return _decode(_checked(answer, f"{method} {path}").data, kind)

        return await insist(once, self._sleep)


async def insist(once: Callable[[], Awaitable[_T]], sleep: Sleep) -> _T:
    """Return what ``once`` does, after a few more tries if nothing is known."""
    for pause in PAUSES_SECONDS:
        try:
            return await once()
        except RefusedError:
            raise
        except StoreError:
            await sleep(pause)
    return await once()


def _present(place: Place, doc: Doc) -> Present | Outcome | None:
    if doc.error is not None:
        if doc.error.type == "index_not_found_exception":
            return None  # the index has gone, and its documents with it
        return Outcome(Verdict.REFUSED, doc.error.type, doc.error.reason or "")
    if not doc.found or not bytes(doc.source):
        return None
    return Present(place, bytes(doc.source), doc.seq_no, doc.primary_term)


def _checked(answer: Answer, asked: str) -> Answer:
    if answer.status == 200:
        return answer
    if answer.status in (400, 405) and b"no handler" in answer.data:
        raise _NoSuchPathError
    kind, reason = reason_of(answer.data)
    message = f"{asked}: {answer.status} {kind}: {reason}".rstrip(": ")
    match answer.status:
        case 401:
            raise RefusedError(
                message, hint="The key or password is wrong or has expired."
            )
        case 403:
            raise RefusedError(message, hint=_ROLE)
        case 404 | 408 | 429:
            raise StoreError(message, hint="Run it again: what is done stays done.")
        case status if status >= 500:
            raise StoreError(message, hint="See to the health of the cluster.")
        case _:
            raise RefusedError(
                message,
                hint="See that the hosts name an Elasticsearch, and --index "
                "what it can have.",
            )


def _decode(data: bytes, kind: type[_T]) -> _T:
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UnansweredError(f"an answer cannot be read: {error}") from error


def _quoted(pattern: str) -> str:
    return quote(pattern, safe="*,")
