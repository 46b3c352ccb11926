"""Send requests from code that is not asynchronous, and think while one is answered.

The official client is the asynchronous one here too; its loop runs in a thread of
its own. So the next page can be on its way while this one is verified.
"""

import asyncio
from collections.abc import Mapping
from concurrent.futures import Future
from threading import Thread
from typing import Any

import msgspec
import uvloop

from beats_signer.store.elasticsearch.client import Answer, Client

__all__ = ["BlockingClient"]


class BlockingClient:
    """A client for one thread, and its loop in another."""

    def __init__(self, client: Client) -> None:
        """Take the client, which ``close`` closes."""
        self._client = client
        self._loop = uvloop.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def start(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | bytes | None = None,
        parameters: Mapping[str, str] | None = None,
    ) -> Future[Answer]:
        """Send a request; the result of what is returned is its answer.

        It raises what ``Client.request`` raises.
        """
        data = body if isinstance(body, bytes | None) else msgspec.json.encode(body)
        request = self._client.request(method, path, parameters=parameters, data=data)
        return asyncio.run_coroutine_threadsafe(request, self._loop)

    def close(self) -> None:
        """Give up what has no answer, close all connections, end the thread.

        Idempotent.
        """
        if self._loop.is_closed():
            return
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self) -> None:
        requests = asyncio.all_tasks() - {asyncio.current_task()}
        for request in requests:
            request.cancel()
        await asyncio.gather(*requests, return_exceptions=True)
        await self._client.close()
