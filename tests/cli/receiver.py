"""A receiver for tests of ``send``: it answers as the test says."""

import asyncio
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import cast

from lumberjack import Batch, Connection, ProtocolError

__all__ = ["Answer", "Receiver", "acknowledge"]

_LAST_TURNS = 20
"""Turns of the loop in which what has arrived is read and its sockets close."""

Answer = Callable[[Batch], bytes | None]
"""What a window is answered with; ``None``: close the connection."""


def acknowledge(batch: Batch) -> bytes:
    """Answer a window as a signer does."""
    return batch.ack()


class Receiver:
    """Listens on a free port of this host, in a thread of its own."""

    def __init__(
        self, answer: Answer = acknowledge, *, context: ssl.SSLContext | None = None
    ) -> None:
        self._answer = answer
        self._context = context
        self._listening = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.connected = threading.Event()
        self.batches: list[Batch] = []
        self.connections = 0
        self._answering: set[asyncio.Task[None]] = set()

    @property
    def payloads(self) -> list[bytes]:
        return [payload for batch in self.batches for payload in batch.payloads]

    def __enter__(self) -> "Receiver":
        self._thread.start()
        assert self._listening.wait(10)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        listener = await asyncio.start_server(
            self._receive, "127.0.0.1", 0, ssl=self._context
        )
        self.port: int = listener.sockets[0].getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        self._listening.set()
        await self._stop.wait()
        listener.close()
        for task in self._answering:
            task.cancel()
        # Their sockets must be closed before the loop ends.
        await asyncio.gather(*self._answering, return_exceptions=True)
        # So must those of handshakes that failed, which no task owns.
        for _ in range(_LAST_TURNS):
            await asyncio.sleep(0)

    async def _receive(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.connections += 1
        self.connected.set()
        self._answering.add(cast(asyncio.Task[None], asyncio.current_task()))
        try:
            with suppress(ProtocolError):
                await self._answer_windows(reader, writer)
            writer.close()
        except BaseException:
            writer.transport.abort()
            raise
        finally:
            with suppress(OSError):
                await writer.wait_closed()

    async def _answer_windows(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        connection = Connection()
        while data := await reader.read(1 << 16):
            connection.receive_data(data)
            while (batch := connection.next_batch()) is not None:
                self.batches.append(batch)
                answer = self._answer(batch)
                if answer is None:
                    return
                writer.write(answer)
