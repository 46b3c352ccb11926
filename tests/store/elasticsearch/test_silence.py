"""Who cannot reach a server is told why, and what to do about it."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from beats_signer.errors import ConfigError
from beats_signer.receive.authority import Authority
from beats_signer.store.elasticsearch.client import Client, UnansweredError
from beats_signer.store.elasticsearch.config import (
    ElasticsearchConfig,
    ElasticsearchTlsConfig,
    HostUrl,
)
from beats_signer.store.elasticsearch.connection import connect
from tests.elasticsearch.fake import Fake


@dataclass(frozen=True, slots=True)
class Mute:
    """Something that speaks TLS and hangs up."""

    port: int
    authority: Path

    def url(self, scheme: str = "https") -> str:
        return f"{scheme}://127.0.0.1:{self.port}"


@asynccontextmanager
async def mute(folder: Path, name: str, days: int = 1) -> AsyncIterator[Mute]:
    """Run it; its certificate is for one name, and ends some days from now."""
    now = datetime.now(UTC) + timedelta(days=min(days - 1, 0))
    authority = Authority.throwaway(now=now, days=1)
    issued = authority.issue_server([name])
    paths = [folder / one for one in ("ca.crt", "node.crt", "node.key")]
    texts = (authority.certificate, issued.certificate, issued.key)
    for path, text in zip(paths, texts, strict=True):
        path.write_bytes(text)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(paths[1], paths[2])

    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0, ssl=context)
    async with server:
        yield Mute(server.sockets[0].getsockname()[1], paths[0])


async def told(url: str, **tls: Any) -> tuple[str, str]:
    settings = ElasticsearchTlsConfig(**tls)
    client = connect(ElasticsearchConfig(hosts=(HostUrl(url),), ssl=settings))
    try:
        with pytest.raises(UnansweredError) as caught:
            await client.request("GET", "/")
    finally:
        await client.close()
    return str(caught.value), caught.value.hint


async def test_nothing_that_listens_is_said(tmp_path: Path) -> None:
    async with mute(tmp_path, "127.0.0.1") as gone:
        pass
    said, hint = await told(gone.url("http"))

    assert said == f"{gone.url('http')}: nothing listens there (GET /)"
    assert "can be reached" in hint


async def test_a_host_that_is_not_known_is_said() -> None:
    said, hint = await told("https://no-such-host.invalid:9200")

    assert said.startswith("https://no-such-host.invalid:9200: there is no host of")
    assert "elasticsearch.hosts" in hint


async def test_a_certificate_of_an_unknown_authority_is_said(tmp_path: Path) -> None:
    async with mute(tmp_path, "127.0.0.1") as server:
        said, hint = await told(server.url())

    assert said == f"{server.url()}: its certificate is of no trusted authority (GET /)"
    assert "certificate_authorities" in hint


async def test_a_certificate_of_another_name_is_said(tmp_path: Path) -> None:
    async with mute(tmp_path, "es-1.example.com") as server:
        said, hint = await told(
            server.url(), certificate_authorities=(server.authority,)
        )

    assert "its certificate is for another name" in said
    assert "elasticsearch.hosts" in hint


async def test_a_certificate_that_has_expired_is_said(tmp_path: Path) -> None:
    async with mute(tmp_path, "127.0.0.1", days=-1) as server:
        said, hint = await told(
            server.url(), certificate_authorities=(server.authority,)
        )

    assert "its certificate has expired" in said
    assert "Renew" in hint


async def test_another_fingerprint_is_said(tmp_path: Path) -> None:
    async with mute(tmp_path, "127.0.0.1") as server:
        said, hint = await told(server.url(), certificate_fingerprint="aa" * 32)

    assert "does not have the fingerprint of the settings" in said
    assert "certificate_fingerprint" in hint


async def test_a_server_without_tls_is_said() -> None:
    with Fake() as fake:
        said, hint = await told(fake.url.replace("http:", "https:"))

    assert "it speaks no TLS" in said
    assert "http://" in hint


async def test_a_server_that_wants_tls_is_said(tmp_path: Path) -> None:
    async with mute(tmp_path, "127.0.0.1") as server:
        said, hint = await told(server.url("http"))

    assert "it closed the connection without an answer" in said
    assert "https://" in hint


async def test_all_hosts_are_named_when_one_of_several_is_silent() -> None:
    client = Client("http://127.0.0.1:9", "http://127.0.0.2:9")
    with pytest.raises(UnansweredError) as caught:
        await client.request("GET", "/")
    await client.close()

    assert str(caught.value).startswith(
        "one of http://127.0.0.1:9, http://127.0.0.2:9: nothing listens there"
    )


@pytest.mark.parametrize("names", [("none.crt",), ("none.crt", "none.key")])
def test_a_file_of_tls_that_cannot_be_used_is_named(
    tmp_path: Path, names: tuple[str, ...]
) -> None:
    paths = tuple(tmp_path / name for name in names)
    tls = (
        ElasticsearchTlsConfig(certificate=paths[0], key=paths[1])
        if len(paths) == 2
        else ElasticsearchTlsConfig(certificate_authorities=paths)
    )
    settings = ElasticsearchConfig(hosts=(HostUrl("https://es:9200"),), ssl=tls)

    with pytest.raises(ConfigError) as caught:
        connect(settings)

    assert all(str(path) in str(caught.value) for path in paths)
    assert str(caught.value).endswith("cannot be used: No such file or directory")
