"""A fake Elasticsearch: HTTP over ``Cluster``, and whatever a test scripts.

It runs in a thread of its own, so that coroutines, blocking code and other
processes can all be its clients. What it answers without a script is held to
the real server by ``test_contract.py``.
"""

import asyncio
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from aiohttp import web

from tests.elasticsearch.administration import Administration
from tests.elasticsearch.bulk import Action
from tests.elasticsearch.cluster import Cluster
from tests.elasticsearch.faults import Fault, Outcome
from tests.elasticsearch.refusal import Refusal
from tests.elasticsearch.routes import Routes
from tests.elasticsearch.server import Access
from tests.elasticsearch.wire import Answer, Request, encode

__all__ = ["Fake"]

_PATIENCE_SECONDS = 10


@dataclass
class _Script:
    """A fault that waits for the requests it is meant for."""

    fault: Fault
    operation: str
    left: int | None
    """How often it strikes; ``None``: until it is lifted."""
    having: bytes
    """It strikes only requests with these bytes in their body."""
    spared: int
    """How many of them come before the first that it strikes."""


@dataclass
class _Ruling:
    outcome: Outcome
    when: Callable[[Action], bool]
    left: int | None


@dataclass
class Fake:
    """One fake server; use it as a context manager.

    Operations, as scripts and counts name them: ``bulk``, ``get``, ``search``,
    ``count``, ``point`` (opens a PIT), ``refresh``, ``trial`` and ``other``.
    """

    version: str = "8.19.21"
    refreshing: bool = False
    """Let every search see all that was written, as after a refresh."""
    max_body_bytes: int = 100 << 20
    """A larger body is answered 413 with nothing in it."""
    product: bool = True
    """Say in a header that this is Elasticsearch."""
    cluster: Cluster = field(default_factory=Cluster)
    requests: list[Request] = field(default_factory=list)
    """All that came, faults included, oldest first."""

    def __post_init__(self) -> None:
        self._scripts: list[_Script] = []
        self._rulings: list[_Ruling] = []
        self._held: set[str] = set()
        self._gate = asyncio.Event()
        self._came = threading.Condition()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._ready = threading.Event()
        self._stop = asyncio.Event()
        self.administration = Administration(self.cluster, self.version)
        self._routes = Routes(self.cluster, self.rule, self.administration)
        self.access = Access("")

    @property
    def url(self) -> str:
        """Where it listens."""
        return self.access.url

    def fail(
        self,
        fault: Fault,
        times: int | None = 1,
        on: str = "bulk",
        having: bytes = b"",
        after: int = 0,
    ) -> None:
        """Let a fault strike the next requests of an operation, in order.

        So many of them are spared before.
        """
        self._scripts.append(_Script(fault, on, times, having, after))

    def judge(
        self,
        outcome: Outcome,
        when: Callable[[Action], bool] = lambda action: True,
        times: int | None = 1,
    ) -> None:
        """Give the next items that a test picks an outcome of its choice."""
        self._rulings.append(_Ruling(outcome, when, times))

    def mend(self) -> None:
        """Lift every script and ruling."""
        self._scripts.clear()
        self._rulings.clear()

    def hold(self, *operations: str) -> None:
        """Let requests of these operations wait until ``release``."""
        self._loop.call_soon_threadsafe(self._gate.clear)
        self._held = set(operations)

    def release(self) -> None:
        """Let what waits go on."""
        self._held = set()
        self._loop.call_soon_threadsafe(self._gate.set)

    def count(self, operation: str) -> int:
        """Return how many requests of an operation came so far."""
        return sum(1 for one in self.requests if one.operation == operation)

    def wait_for(self, operation: str, count: int = 1) -> None:
        """Block until so many requests came; in a coroutine, use ``to_thread``."""
        with self._came:
            came = self._came.wait_for(
                lambda: self.count(operation) >= count, _PATIENCE_SECONDS
            )
        assert came, f"{self.count(operation)} of {count} {operation} requests came"

    def documents(self, expression: str) -> dict[str, Any]:
        """Return source by ``_id`` of all that is stored, seen by searches or not."""
        return {
            document.id: json.loads(document.source)
            for index in self.cluster.find(expression, lenient=True)
            for document in index.documents.values()
        }

    def rule(self, action: Action) -> Outcome | None:
        """Return the scripted outcome of an action, if there is one."""
        for ruling in self._rulings:
            if ruling.left != 0 and ruling.when(action):
                if ruling.left is not None:
                    ruling.left -= 1
                return ruling.outcome
        return None

    def __enter__(self) -> "Fake":
        self._thread.start()
        assert self._ready.wait(_PATIENCE_SECONDS)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def _serve(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._listen())

    async def _listen(self) -> None:
        app = web.Application(client_max_size=1 << 40)  # ours answers as the server
        app.router.add_route("*", "/{path:.*}", self._answer)
        runner = web.AppRunner(app, shutdown_timeout=0, handler_cancellation=True)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        self.access = Access(f"http://{host}:{port}")
        self._ready.set()
        await self._stop.wait()
        await runner.cleanup()

    async def _answer(self, raw: web.Request) -> web.StreamResponse:
        request = Request.of(raw, await raw.read())
        with self._came:
            self.requests.append(request)
            self._came.notify_all()
        if request.operation in self._held:
            await self._gate.wait()
        if len(request.body) > self.max_body_bytes:
            return web.Response(status=413, headers=self._headers())
        fault = self._next_fault(request)
        if fault is not None and fault.applied == 0 and request.operation != "bulk":
            answer = Answer({})
        else:
            answer = self._carry_out(request, fault)
        if fault is None:
            return self._respond(answer)
        return await self._spoil(raw, fault, answer)

    def _carry_out(self, request: Request, fault: Fault | None) -> Answer:
        if self.refreshing and request.operation in ("search", "count", "point"):
            for index in self.cluster.indices.values():
                index.refresh()
        try:
            return self._routes.answer(request, fault.applied if fault else None)
        except Refusal as refusal:
            return Answer(refusal.answer(), refusal.status)

    def _next_fault(self, request: Request) -> Fault | None:
        for script in self._scripts:
            is_meant = script.operation == request.operation
            if is_meant and script.left != 0 and script.having in request.body:
                if script.spared:
                    script.spared -= 1
                    continue
                if script.left is not None:
                    script.left -= 1
                return script.fault
        return None

    async def _spoil(
        self, raw: web.Request, fault: Fault, answer: Answer
    ) -> web.StreamResponse:
        if fault.silent:
            await self._stop.wait()
        if fault.omitted:
            answer.value["items"] = answer.value["items"][: -fault.omitted]
        if fault.torn:
            answer.value["timed_out"] = True
            answer.value["_shards"]["failed"] = 1
        body = encode(answer.value) if fault.body is None else fault.body
        headers = self._headers() | {"content-type": fault.content_type}
        if fault.content_encoding is not None:
            headers["content-encoding"] = fault.content_encoding
        if fault.location is not None:
            headers["location"] = fault.location
        if fault.cut_after is None:
            return web.Response(status=fault.status, body=body, headers=headers)
        assert raw.transport is not None
        if fault.cut_after:
            headers["content-length"] = str(len(body))
            response = web.StreamResponse(status=fault.status, headers=headers)
            await response.prepare(raw)
            await response.write(body[: fault.cut_after])
        raw.transport.close()
        return web.Response()

    def _respond(self, answer: Answer) -> web.Response:
        return web.Response(
            status=answer.status,
            body=encode(answer.value),
            headers=self._headers() | {"content-type": "application/json"},
        )

    def _headers(self) -> dict[str, str]:
        return {"x-elastic-product": "Elasticsearch"} if self.product else {}
