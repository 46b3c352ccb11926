"""TLS: real handshakes over loopback."""

import asyncio
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from beats_signer.config import TlsConfig
from beats_signer.errors import ConfigError
from beats_signer.receive.authority import Issued, ThrowawayAuthority
from beats_signer.receive.identity import identify
from beats_signer.receive.tls import build_client_context, build_server_context

NOW = datetime.now(UTC)


class Files:
    """A folder with an authority, a server and a client."""

    def __init__(self, folder: Path, *, now: datetime = NOW) -> None:
        self.folder = folder
        folder.mkdir()
        self.authority = ThrowawayAuthority(now=now)
        self.ca = self.write("ca.crt", self.authority.certificate)
        self.server = self.pair("server", self.authority.issue_server(["localhost"]))
        self.client = self.pair("client", self.authority.issue_client("web-1"))

    def write(self, name: str, data: bytes) -> Path:
        path = self.folder / name
        path.write_bytes(data)
        return path

    def pair(self, name: str, issued: Issued) -> tuple[Path, Path]:
        certificate = self.write(f"{name}.crt", issued.certificate)
        return certificate, self.write(f"{name}.key", issued.key)

    def config(
        self,
        authentication: Literal["none", "optional", "required"] = "required",
        protocols: tuple[Literal["TLSv1.2", "TLSv1.3"], ...] = ("TLSv1.2", "TLSv1.3"),
    ) -> TlsConfig:
        return TlsConfig(
            *self.server,
            certificate_authorities=() if authentication == "none" else (self.ca,),
            client_authentication=authentication,
            supported_protocols=protocols,
        )


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path / "tls")


@pytest.fixture
def strangers(tmp_path: Path) -> Files:
    """Return the files of an authority that the server does not know."""
    return Files(tmp_path / "other")


@dataclass(frozen=True)
class Handshake:
    """What both sides of a connection that works know of it."""

    version: str
    peer: bytes | None
    resumable: bool


async def connect(server: ssl.SSLContext, client: ssl.SSLContext) -> Handshake:
    """Exchange a byte over TLS; raise what the client sees when it cannot."""
    peers: list[bytes | None] = []

    async def answer(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        peers.append(writer.get_extra_info("ssl_object").getpeercert(binary_form=True))
        writer.write(await reader.read(1))
        writer.close()

    listener = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=server)
    try:
        port = listener.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=client, server_hostname="localhost"
        )
        try:
            writer.write(b"x")
            if await reader.read(1) != b"x":
                raise ConnectionResetError("closed without an alert")
            tls = writer.get_extra_info("ssl_object")
            ticket = tls.session.has_ticket
            return Handshake(tls.version(), peers[0], ticket)
        finally:
            writer.transport.abort()
    finally:
        listener.close()


REFUSED = (ssl.SSLError, ConnectionError)
"""What a refused client may see: the alert, or only the end of the connection."""


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
async def test_a_sender_with_a_certificate_is_known(
    files: Files, version: Literal["TLSv1.2", "TLSv1.3"]
) -> None:
    server = build_server_context(files.config(protocols=(version,)))

    handshake = await connect(server, build_client_context(files.ca, *files.client))

    assert handshake.version == version
    assert handshake.peer is not None
    assert identify(handshake.peer).name == "web-1"


async def test_the_newest_version_is_spoken(files: Files) -> None:
    server = build_server_context(files.config())

    handshake = await connect(server, build_client_context(files.ca, *files.client))

    assert handshake.version == "TLSv1.3"


async def test_a_version_that_is_not_listed_is_not_spoken(files: Files) -> None:
    server = build_server_context(files.config(protocols=("TLSv1.3",)))
    client = build_client_context(files.ca, *files.client)
    client.maximum_version = ssl.TLSVersion.TLSv1_2

    with pytest.raises(REFUSED):
        await connect(server, client)


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
async def test_a_missing_certificate_is_refused_where_one_is_required(
    files: Files, version: Literal["TLSv1.2", "TLSv1.3"]
) -> None:
    server = build_server_context(files.config("required", (version,)))

    with pytest.raises(REFUSED):
        await connect(server, build_client_context(files.ca))


@pytest.mark.parametrize("authentication", ["optional", "required"])
@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
async def test_a_certificate_of_another_authority_is_refused(
    files: Files,
    strangers: Files,
    version: Literal["TLSv1.2", "TLSv1.3"],
    authentication: Literal["optional", "required"],
) -> None:
    server = build_server_context(files.config(authentication, (version,)))

    with pytest.raises(REFUSED):
        await connect(server, build_client_context(files.ca, *strangers.client))


async def test_an_expired_certificate_is_refused(files: Files, tmp_path: Path) -> None:
    old = Files(tmp_path / "old", now=NOW - timedelta(days=400))
    server = build_server_context(
        TlsConfig(*files.server, certificate_authorities=(files.ca, old.ca))
    )

    with pytest.raises(REFUSED):
        await connect(server, build_client_context(files.ca, *old.client))


async def test_a_server_certificate_does_not_serve_as_a_client_one(
    files: Files,
) -> None:
    server = build_server_context(files.config())

    with pytest.raises(REFUSED):
        await connect(server, build_client_context(files.ca, *files.server))


async def test_a_second_authority_admits_its_senders(
    files: Files, strangers: Files
) -> None:
    server = build_server_context(
        TlsConfig(*files.server, certificate_authorities=(files.ca, strangers.ca))
    )

    handshake = await connect(server, build_client_context(files.ca, *strangers.client))

    assert handshake.peer is not None


async def test_a_missing_certificate_is_accepted_where_one_is_optional(
    files: Files,
) -> None:
    server = build_server_context(files.config("optional"))

    handshake = await connect(server, build_client_context(files.ca))

    assert handshake.peer is None


async def test_no_certificate_is_asked_for_where_none_is_wanted(files: Files) -> None:
    server = build_server_context(files.config("none"))

    handshake = await connect(server, build_client_context(files.ca, *files.client))

    assert handshake.peer is None


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
async def test_no_session_can_be_resumed_without_a_full_handshake(
    files: Files, version: Literal["TLSv1.2", "TLSv1.3"]
) -> None:
    server = build_server_context(files.config(protocols=(version,)))

    handshake = await connect(server, build_client_context(files.ca, *files.client))

    assert not handshake.resumable


async def test_a_sender_refuses_a_server_of_another_authority(
    files: Files, strangers: Files
) -> None:
    server = build_server_context(files.config())

    with pytest.raises(ssl.SSLCertVerificationError):
        await connect(server, build_client_context(strangers.ca, *files.client))


async def test_a_sender_refuses_a_server_of_another_name(files: Files) -> None:
    elsewhere = files.pair("else", files.authority.issue_server(["example.com"]))
    server = build_server_context(
        TlsConfig(*elsewhere, certificate_authorities=(files.ca,))
    )

    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        await connect(server, build_client_context(files.ca, *files.client))


class TestFiles:
    """Files that cannot be used are named, with what is wrong with them."""

    def test_a_missing_certificate_is_named(self, files: Files) -> None:
        tls = TlsConfig(files.folder / "no.crt", files.server[1], (files.ca,))

        with pytest.raises(ConfigError, match=r"read the certificate .*/no\.crt: No"):
            build_server_context(tls)

    def test_a_missing_key_is_named(self, files: Files) -> None:
        tls = TlsConfig(files.server[0], files.folder / "no.key", (files.ca,))

        with pytest.raises(ConfigError, match=r"read the private key .*/no\.key: No"):
            build_server_context(tls)

    def test_a_missing_authority_is_named(self, files: Files) -> None:
        with pytest.raises(ConfigError, match=r"the certificate authority .*/no\.crt"):
            build_client_context(files.folder / "no.crt")

    def test_a_key_of_another_certificate_is_named(self, files: Files) -> None:
        tls = TlsConfig(files.server[0], files.client[1], client_authentication="none")

        with pytest.raises(
            ConfigError, match=r"client\.key does not belong to .*\.crt"
        ):
            build_server_context(tls)

    def test_a_certificate_that_is_none_is_named(self, files: Files) -> None:
        text = files.write("text.crt", b"hello\n")
        tls = TlsConfig(text, files.server[1], client_authentication="none")

        with pytest.raises(
            ConfigError, match=r"text\.crt with .* cannot be used"
        ) as no:
            build_server_context(tls)

        assert "PEM" in no.value.hint

    def test_an_authority_that_is_none_is_named(self, files: Files) -> None:
        with pytest.raises(ConfigError, match=r"server\.key cannot be used") as no:
            build_client_context(files.server[1])

        assert "PEM" in no.value.hint

    def test_a_key_with_a_passphrase_is_refused_without_asking(
        self, files: Files
    ) -> None:
        key = load_pem_private_key(files.server[1].read_bytes(), None)
        locked = key.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")
        )
        path = files.write("locked.key", locked)
        tls = TlsConfig(files.server[0], path, client_authentication="none")

        with pytest.raises(ConfigError, match="is protected by a passphrase") as no:
            build_server_context(tls)

        assert "openssl pkey" in no.value.hint
