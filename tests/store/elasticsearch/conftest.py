"""Servers for the write path: the fake one, and both in turn."""

import asyncio
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from elasticsearch import Elasticsearch

from beats_signer.store.elasticsearch.client import Client
from beats_signer.store.elasticsearch.config import ElasticsearchConfig, HostUrl
from beats_signer.store.elasticsearch.prepare.setup import Setup
from tests.elasticsearch.asking import put_template
from tests.elasticsearch.fake import Fake
from tests.elasticsearch.server import Access
from tests.store.chains import Chain

_BOTH = ["fake", pytest.param("real", marks=pytest.mark.elasticsearch)]


@pytest.fixture
def fake() -> Iterator[Fake]:
    """Run a fake server, empty."""
    with Fake() as server:
        yield server


@dataclass(frozen=True, slots=True)
class Place:
    """A server, and a chain and a data stream there that nobody else has used."""

    access: Access
    client: Elasticsearch
    chain: Chain
    target: str

    def documents(self) -> dict[str, Any]:
        """Return the chain's documents by ``_id``, of all backing indices."""
        self.client.indices.refresh(index=self.target)
        found = self.client.search(
            index=self.target, size=1000, query={"match_all": {}}, sort="_doc"
        )
        return {hit["_id"]: hit["_source"] for hit in found["hits"]["hits"]}


@pytest.fixture(params=_BOTH)
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    """Give a place on the fake and, in ``make test-elasticsearch``, the real server."""
    with Fake() as server:
        access = server.access
        if request.param == "real":
            access = request.getfixturevalue("real_elasticsearch")
        stream = f"test-{secrets.token_hex(6)}"
        target = f"logs-{stream.replace('-', '_')}-acme"
        asyncio.run(_set_up(access))
        with access.connect(max_retries=0) as client:
            put_template(client, target)
            yield Place(access, client, Chain(stream.replace("-", "_")), target)


async def _set_up(access: Access) -> None:
    """Put the templates of seals and catalogue, as an operator does."""
    client = Client(access.url)
    config = ElasticsearchConfig(hosts=(HostUrl(access.url),))
    try:
        async for _ in Setup(client, config, ()).run(dry_run=False):
            pass
    finally:
        await client.close()
