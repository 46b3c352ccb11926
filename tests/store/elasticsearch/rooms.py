"""Stores over the fake server, and what a test looks at in it."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import structlog

from beats_signer.errors import StoreError
from beats_signer.store.contract import Appended, Sealed, Store, Write
from beats_signer.store.elasticsearch.client import Client
from beats_signer.store.elasticsearch.write.store import ElasticsearchStore
from beats_signer.store.tally import StoreTally
from tests.elasticsearch.bulk import Action, parse
from tests.elasticsearch.fake import Fake
from tests.elasticsearch.server import Access

__all__ = ["Log", "append", "opened", "sent", "to_write"]

PART_BYTES = 1 << 20


@dataclass
class Log:
    """Collects what would be logged."""

    events: list[dict[str, Any]]

    def __call__(self, logger: object, name: str, event: Any) -> Any:
        self.events.append({"level": name, **event})
        raise structlog.DropEvent


@asynccontextmanager
async def opened(
    server: Fake | Access,
    *,
    timeout_seconds: float = 5,
    grace_seconds: float = 0,
    in_flight: int = 4,
    part_bytes: int = PART_BYTES,
    log: Callable[..., Any] | None = None,
    tally: StoreTally | None = None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> AsyncIterator[ElasticsearchStore]:
    """Open a store; a test that does not care about the grace has none."""
    logger = structlog.wrap_logger(None, processors=[log or Log([])])
    access = server.access if isinstance(server, Fake) else server
    hosts = access.options()
    store = ElasticsearchStore(
        Client(*hosts.pop("hosts"), timeout_seconds=timeout_seconds, **hosts),
        logger,
        in_flight=in_flight,
        part_bytes=part_bytes,
        grace_seconds=grace_seconds,
        tally=tally,
        clock=clock,
        sleep=sleep,
    )
    await store.open()
    try:
        yield store
    finally:
        await store.close()


def to_write(store: ElasticsearchStore, sealed: Sealed) -> Write:
    """Make the write that the store takes."""
    return Write(sealed.chain, sealed.seal, sealed.record, store.encode(sealed))


async def append(store: Store, write: Write, most: int = 8) -> Appended:
    """Append as the sequencer does: again while nothing is known."""
    for _ in range(most - 1):
        try:
            return await store.append(write)
        except StoreError:
            await asyncio.sleep(0)
    return await store.append(write)


def sent(fake: Fake) -> list[list[Action]]:
    """Return the actions of every bulk request that came."""
    bulks = [one for one in fake.requests if one.operation == "bulk"]
    return [parse(one.body, None, {}) for one in bulks]
