"""What the HTTP library may do with a request: send it once, hand out the answer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
import structlog

from beats_signer.errors import RefusedError
from beats_signer.store.elasticsearch.client import Client, UnansweredError
from beats_signer.store.elasticsearch.config import ElasticsearchConfig, HostUrl
from beats_signer.store.elasticsearch.connection import connect
from beats_signer.store.elasticsearch.write.store import ElasticsearchStore
from tests.elasticsearch.fake import Fake
from tests.elasticsearch.faults import Fault
from tests.store.chains import Chain
from tests.store.elasticsearch.rooms import Log, opened, to_write


@asynccontextmanager
async def connected(fake: Fake) -> AsyncIterator[Client]:
    client = Client(fake.url)
    try:
        yield client
    finally:
        await client.close()


REDIRECTIONS = [301, 302, 303, 307, 308]


@pytest.mark.parametrize("status", REDIRECTIONS)
async def test_no_redirection_is_followed(fake: Fake, status: int) -> None:
    with Fake() as other:
        fake.fail(replace(Fault.page(status), location=f"{other.url}/_bulk"))
        async with opened(fake) as store:
            with pytest.raises(RefusedError, match=f"{status}") as told:
                await store.append(to_write(store, Chain().events([b"{}"])))

    assert "hosts" in told.value.hint
    assert other.requests == []
    assert fake.count("bulk") == 1


@pytest.mark.parametrize(
    "content_type",
    ["", "text/html; charset=utf-8", "application/problem+json", "application/x"],
)
@pytest.mark.parametrize("status", [200, 413])
async def test_a_status_counts_whatever_its_body_is_said_to_be(
    fake: Fake, status: int, content_type: str
) -> None:
    fault = replace(Fault.page(status), content_type=content_type)
    fake.fail(fault)
    async with connected(fake) as client:
        answer = await client.bulk(b"", filter_path="errors")

    assert (answer.status, answer.data) == (status, b"<html>no</html>")


async def test_an_answer_whose_compression_is_broken_is_none(fake: Fake) -> None:
    fake.fail(replace(Fault.page(200), content_encoding="gzip"))
    async with connected(fake) as client:
        with pytest.raises(UnansweredError):
            await client.bulk(b"", filter_path="errors")


async def test_more_stuck_chains_than_connections_of_the_library_hold_up_nobody(
    fake: Fake,
) -> None:
    """Its own default would be 100 for all hosts together."""
    stuck = 120
    fake.fail(Fault.timed_out(), times=stuck)
    client = connect(ElasticsearchConfig(hosts=(HostUrl(fake.url),)))
    log = structlog.wrap_logger(None, processors=[Log([])])
    store = ElasticsearchStore(client, log, grace_seconds=0)
    held = [
        asyncio.create_task(store.append(to_write(store, chain.events([b"{}"]))))
        for chain in (Chain(f"stuck-{n}") for n in range(stuck))
    ]
    try:
        await asyncio.to_thread(fake.wait_for, "bulk", stuck)
        async with asyncio.timeout(5):
            await store.append(to_write(store, Chain("free").events([b"{}"])))
    finally:
        for task in held:
            task.cancel()
        await asyncio.gather(*held, return_exceptions=True)
        await store.close()

    assert len(fake.documents("logs-free-*")) == 1


async def test_a_connection_that_is_reset_while_we_send_leaves_all_unknown() -> None:
    async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.transport.abort()

    server = await asyncio.start_server(reset, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    client = Client(f"http://{host}:{port}")
    async with server:
        with pytest.raises(UnansweredError, match="POST /_bulk"):
            await client.bulk(b"x" * (8 << 20), filter_path="errors")
        await client.close()


async def test_a_request_is_sent_once_whatever_becomes_of_it() -> None:
    """The HTTP library repeats a PUT by itself, and a bulk is none."""
    came = []

    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.append(await reader.readuntil(b"\r\n\r\n"))
        writer.transport.abort()

    server = await asyncio.start_server(cut, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    client = Client(f"http://{host}:{port}")
    async with server:
        with pytest.raises(UnansweredError):
            await client.bulk(b"x", filter_path="errors")
        await client.close()

    assert [head.split(b" ")[0] for head in came] == [b"POST"]
