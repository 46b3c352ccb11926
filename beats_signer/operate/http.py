"""The signer's own HTTP: status, health and metrics, for machines and people.

| path       | answers                                                          |
|------------|------------------------------------------------------------------|
| /          | the status page for people                                       |
| /status    | the same as JSON                                                 |
| /metrics   | Prometheus                                                       |
| /livez     | 200 while the event loop turns                                   |
| /readyz    | 200 when events are received, sealed and stored, else 503        |
| /healthz   | 200 when there is no problem, else 503; ``?verbose`` names them  |
| /-/reload  | only POST: reads the configuration again; 200, or 400 and why     |
"""

import os
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from beats_signer.config import Address
from beats_signer.errors import ConfigError
from beats_signer.operate.history import History
from beats_signer.operate.page import CONTENT_SECURITY_POLICY, render_page
from beats_signer.operate.readiness import why_not_ready

__all__ = ["Answers", "HttpServer"]

_CLOSE_SECONDS = 1.0
"""How long an answer that is on its way may take at the end."""
_METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


async def _read_nothing() -> Mapping[str, Any]:
    return {"ok": False, "error": "there is no configuration to read again"}


@dataclass(frozen=True, slots=True)
class Answers:
    """Who knows what there is to say."""

    status: Callable[[], Mapping[str, Any]]
    metrics: Callable[[], bytes]
    history: History
    reload: Callable[[], Awaitable[Mapping[str, Any]]] = _read_nothing
    """Reads the configuration again; ``ok`` tells whether it is used."""


class HttpServer:
    """Answers on one address. Bind it to this host: the answers name senders."""

    def __init__(self, runner: web.AppRunner) -> None:
        self._runner = runner

    @property
    def address(self) -> str:
        """Return where it answers; the port is the real one."""
        return Address.spell(*self._runner.addresses[0][:2])

    @classmethod
    async def open(
        cls,
        address: Address,
        answers: Answers,
        context: ssl.SSLContext | None = None,
    ) -> "HttpServer":
        """Begin to answer; with a *context* by HTTPS.

        Raises:
            ConfigError: The address cannot be used.
        """
        app = web.Application(middlewares=[_guard])
        app.add_routes(_routes(answers))
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=_CLOSE_SECONDS)
        await runner.setup()
        site = web.TCPSite(runner, address.host, address.port, ssl_context=context)
        try:
            await site.start()
        except OSError as error:
            await runner.cleanup()
            raise ConfigError(
                f"cannot answer HTTP on {address}: {_reason(error)}",
                hint="Another program may use that port: set http.address to another.",
            ) from error
        return cls(runner)

    async def close(self) -> None:
        """Stop answering."""
        await self._runner.cleanup()


def _reason(error: OSError) -> str:
    """Return what the system says; asyncio says the address once more."""
    number = error.errno or 0
    return os.strerror(number) if number > 0 else str(error)


def _routes(answers: Answers) -> Sequence[web.RouteDef]:
    async def page(request: web.Request) -> web.Response:
        now = answers.status()
        text = render_page(now, list(why_not_ready(now)), answers.history)
        policy = {"content-security-policy": CONTENT_SECURITY_POLICY}
        return web.Response(text=text, content_type="text/html", headers=policy)

    async def status(request: web.Request) -> web.Response:
        return web.json_response(answers.status())

    async def metrics(request: web.Request) -> web.Response:
        headers = {"content-type": _METRICS_TYPE}
        return web.Response(body=answers.metrics(), headers=headers)

    async def livez(request: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def readyz(request: web.Request) -> web.Response:
        return _verdict(list(why_not_ready(answers.status())))

    async def healthz(request: web.Request) -> web.Response:
        now = answers.status()
        unready, problems = list(why_not_ready(now)), now["problems"]
        if "verbose" not in request.query:
            return _verdict([*unready, *(one["symptom"] for one in problems)])
        body = {
            "status": "red" if unready else "yellow" if problems else "green",
            "unready": unready,
            "problems": problems,
        }
        return web.json_response(body, status=503 if unready or problems else 200)

    async def reload(request: web.Request) -> web.Response:
        if "origin" in request.headers:  # a page of anybody in somebody's browser
            return web.Response(text="this is not for browsers\n", status=403)
        outcome = await answers.reload()
        return web.json_response(outcome, status=200 if outcome["ok"] else 400)

    return [
        web.get("/", page),
        web.get("/status", status),
        web.get("/metrics", metrics),
        web.get("/livez", livez),
        web.get("/readyz", readyz),
        web.get("/healthz", healthz),
        web.post("/-/reload", reload),
    ]


def _verdict(reasons: Sequence[str]) -> web.Response:
    """Return 200 and ok, or 503 and the reasons line by line."""
    text = "".join(f"{reason}\n" for reason in reasons)
    return web.Response(text=text or "ok\n", status=503 if reasons else 200)


@web.middleware
async def _guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let no browser guess a type, keep an answer, or show it inside another page."""
    response = await handler(request)
    response.headers.setdefault("cache-control", "no-store")
    response.headers.setdefault("x-content-type-options", "nosniff")
    response.headers.setdefault("referrer-policy", "no-referrer")
    return response
