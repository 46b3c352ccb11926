"""Hold the HTTP library to one request and one answer.

Left to itself it follows redirections, with the events and to whatever host is
named, and lets no more than 100 requests be under way together.
"""

import asyncio
from typing import Any, cast

import aiohttp
import elastic_transport

__all__ = ["Node"]


class _Direct:
    """A session that hands out a redirection as the answer that it is."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    def request(self, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401
        return self._session.request(*arguments, allow_redirects=False, **options)

    async def close(self) -> None:
        await self._session.close()


class Node(elastic_transport.AiohttpHttpNode):
    """One host, and the connections to it."""

    def _create_aiohttp_session(self) -> None:
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        session = aiohttp.ClientSession(
            skip_auto_headers=("accept", "accept-encoding", "user-agent"),
            cookie_jar=aiohttp.DummyCookieJar(),
            connector=aiohttp.TCPConnector(
                limit=0,
                limit_per_host=self._connections_per_node,
                ssl=self._ssl_context or False,
            ),
        )
        # The library uses nothing of a session but what there is here.
        self.session = cast(aiohttp.ClientSession, _Direct(session))
