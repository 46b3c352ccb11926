"""The signer's own HTTP: what it is doing, as JSON, for ``status``."""

from collections.abc import Callable
from typing import Any

from aiohttp import web

from beats_signer.config import Address, HttpConfig
from beats_signer.errors import ConfigError

__all__ = ["StatusServer"]

_CLOSE_SECONDS = 1.0
"""How long an answer that is on its way may take at the end."""


class StatusServer:
    """Answers ``GET /status``. Bind it to this host: the answer names senders."""

    def __init__(self, runner: web.AppRunner) -> None:
        self._runner = runner

    @property
    def address(self) -> str:
        """Return where it answers; the port is the real one."""
        return Address.spell(*self._runner.addresses[0][:2])

    @classmethod
    async def open(
        cls, config: HttpConfig, status: Callable[[], dict[str, Any]]
    ) -> "StatusServer":
        """Begin to answer with what *status* returns at that moment.

        Raises:
            ConfigError: The address cannot be used.
        """

        async def answer(request: web.Request) -> web.Response:
            return web.json_response(status())

        app = web.Application()
        app.router.add_get("/status", answer)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=_CLOSE_SECONDS)
        await runner.setup()
        site = web.TCPSite(runner, config.address.host, config.address.port)
        try:
            await site.start()
        except OSError as error:
            await runner.cleanup()
            raise ConfigError(
                f"cannot answer HTTP on {config.address}: {error.strerror or error}",
                hint="Another program may use that port: set http.address to another.",
            ) from error
        return cls(runner)

    async def close(self) -> None:
        """Stop answering."""
        await self._runner.cleanup()
