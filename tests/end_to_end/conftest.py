"""Signers over a real Elasticsearch, with a relay between them that cuts."""

import secrets
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from elasticsearch import Elasticsearch

from tests.elasticsearch.server import RunElasticsearch, Server
from tests.end_to_end.relay import Relay
from tests.end_to_end.storing import StoringSigner
from tests.senders.running import command, found_signer

__all__ = ["MakeSigner"]

MakeSigner = Callable[..., StoringSigner]
"""How a test gets a signer that serves: with settings that are its own."""


@pytest.fixture(scope="session")
def server(run_elasticsearch: RunElasticsearch) -> Iterator[Server]:
    """Run one server for all tests here; each takes a signer and a stream of its own.

    Whoever stops it starts it again.
    """
    with run_elasticsearch() as started:
        yield started


@pytest.fixture
def client(server: Server) -> Iterator[Elasticsearch]:
    """Look at the server directly."""
    with server.access.connect(request_timeout=60) as connected:
        yield connected


@pytest.fixture
def relay(server: Server) -> Iterator[Relay]:
    """Stand between signer and server."""
    with closing(Relay(server.access.url)) as relay:
        relay.open()
        yield relay


@pytest.fixture
def make_signer(server: Server, relay: Relay, tmp_path: Path) -> Iterator[MakeSigner]:
    """Found a signer, set Elasticsearch up for it, and serve through the relay."""
    with ExitStack() as stack:

        def make(**settings: Any) -> StoringSigner:
            name = f"end-{secrets.token_hex(4)}"
            founded = tmp_path / f"{name}-founded"
            found_signer(founded, name)
            signer = StoringSigner(
                name, founded, tmp_path / name, relay.url, server.access, settings
            )
            stack.callback(signer.close)
            subprocess.run(
                command("setup", "--config", str(signer.configuration)),
                check=True,
                capture_output=True,
            )
            signer.start()
            return signer

        yield make
