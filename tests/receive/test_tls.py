"""TLS: real handshakes over loopback."""

import asyncio
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path, PosixPath
from typing import Any, Literal

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from msgspec.structs import replace

from beats_signer.config import TlsConfig
from beats_signer.errors import ConfigError
from beats_signer.receive.authority import Authority, Issued
from beats_signer.receive.ciphers import spell_for_openssl
from beats_signer.receive.identity import identify
from beats_signer.receive.tls import build_client_context, build_server_context

NOW = datetime.now(UTC)


class Files:
    """A folder with an authority, a server and a client."""

    def __init__(self, folder: Path, *, now: datetime = NOW) -> None:
        self.folder = folder
        folder.mkdir()
        self.authority = Authority.throwaway(now=now)
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

    def lock_key(self) -> Path:
        """Return the server's key, protected by the passphrase ``secret``."""
        key = load_pem_private_key(self.server[1].read_bytes(), None)
        locked = key.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")
        )
        return self.write("locked.key", locked)

    def locked(self, passphrase: bytes) -> TlsConfig:
        """Return settings with that key, and a file with this passphrase."""
        return TlsConfig(
            self.server[0],
            self.lock_key(),
            key_passphrase_file=self.write("pass", passphrase),
            client_authentication="none",
        )

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
    cipher: str


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
            return Handshake(tls.version(), peers[0], ticket, tls.cipher()[0])
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


class Vanishing(PosixPath):
    """A file that somebody takes away as soon as it has been looked at."""

    def open(self, *arguments: Any, **named: Any) -> Any:
        file = super().open(*arguments, **named)
        self.unlink()
        return file


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

    @pytest.mark.parametrize("place", ["certificate", "key", "key_passphrase_file"])
    def test_a_file_that_vanishes_meanwhile_is_an_error_of_the_configuration(
        self, files: Files, place: str
    ) -> None:
        tls = files.locked(b"secret")
        tls = replace(tls, **{place: Vanishing(getattr(tls, place))})

        with pytest.raises(ConfigError, match="or what belongs to it: No such file"):
            build_server_context(tls)

    def test_an_authority_that_vanishes_meanwhile_is_one_too(
        self, files: Files
    ) -> None:
        with pytest.raises(ConfigError, match="or what belongs to it: No such file"):
            build_client_context(Vanishing(files.ca))

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
        tls = TlsConfig(files.server[0], files.lock_key(), client_authentication="none")

        with pytest.raises(ConfigError, match="is protected by a passphrase") as no:
            build_server_context(tls)

        assert "openssl pkey" in no.value.hint
        assert "key_passphrase_file" in no.value.hint

    @pytest.mark.parametrize("text", [b"secret", b"secret\n", b"secret\r\n"])
    def test_a_passphrase_stands_in_a_file(self, files: Files, text: bytes) -> None:
        build_server_context(files.locked(text))

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            (b"Secret", r"the passphrase in .*/pass does not open .*locked\.key"),
            (b"secret ", r"the passphrase in .*/pass does not open .*locked\.key"),
            (b"\n", r"the passphrase in .*/pass has 0 bytes"),
            (b"x" * 1025, r"the passphrase in .*/pass has 1025 bytes"),
        ],
    )
    def test_a_wrong_passphrase_is_told(
        self, files: Files, text: bytes, message: str
    ) -> None:
        with pytest.raises(ConfigError, match=message) as no:
            build_server_context(files.locked(text))

        assert "secret" not in str(no.value).lower()

    def test_a_missing_passphrase_is_named(self, files: Files) -> None:
        tls = files.locked(b"")
        assert tls.key_passphrase_file is not None
        tls.key_passphrase_file.unlink()

        with pytest.raises(ConfigError, match=r"read the passphrase .*/pass: No such"):
            build_server_context(tls)


class TestCiphers:
    @pytest.mark.parametrize(
        ("name", "spelled"),
        [
            ("ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256"),
            ("ECDHE-RSA-AES-128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256"),
            ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256"),
            (
                "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
                "ECDHE-ECDSA-CHACHA20-POLY1305",
            ),
            ("ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-ECDSA-CHACHA20-POLY1305"),
            ("TLS_RSA_WITH_AES_256_GCM_SHA384", "AES256-GCM-SHA384"),
            ("RSA-AES-128-CBC-SHA", "AES128-SHA"),
            ("ecdhe-rsa-aes128-gcm-sha256", "ECDHE-RSA-AES128-GCM-SHA256"),
        ],
    )
    def test_names_of_others_are_understood(self, name: str, spelled: str) -> None:
        assert spell_for_openssl(name) == spelled

    async def test_a_suite_that_is_chosen_is_used(self, files: Files) -> None:
        chosen = ("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",)
        tls = replace(files.config(protocols=("TLSv1.2",)), cipher_suites=chosen)
        client = build_client_context(files.ca, *files.client)

        handshake = await connect(build_server_context(tls), client)

        assert handshake.cipher == "ECDHE-ECDSA-AES128-GCM-SHA256"

    async def test_a_suite_that_is_not_chosen_is_not_used(self, files: Files) -> None:
        chosen = ("ECDHE-ECDSA-AES128-GCM-SHA256",)
        tls = replace(files.config(protocols=("TLSv1.2",)), cipher_suites=chosen)
        client = build_client_context(files.ca, *files.client)
        client.set_ciphers("ECDHE-ECDSA-AES256-GCM-SHA384")

        with pytest.raises(REFUSED):
            await connect(build_server_context(tls), client)

    async def test_tls_1_3_does_not_care(self, files: Files) -> None:
        tls = replace(files.config(), cipher_suites=("ECDHE-RSA-AES128-GCM-SHA256",))
        client = build_client_context(files.ca, *files.client)

        handshake = await connect(build_server_context(tls), client)

        assert handshake.version == "TLSv1.3"

    @pytest.mark.parametrize(
        ("name", "message"),
        [
            ("nonsense", "the cipher suite nonsense is not usable here"),
            ("HIGH", "the cipher suite HIGH is not usable here"),
            ("aNULL", "the cipher suite aNULL is not usable here"),
            ("ALL:!HIGH", "the cipher suite ALL:!HIGH is not usable here"),
            ("ECDHE-RSA-NULL-SHA", "ECDHE-RSA-NULL-SHA is not usable here"),
            ("", "the cipher suite  is not usable here"),
            ("TLS_AES_128_GCM_SHA256", r"is one of TLS 1\.3, which cannot be chosen"),
            ("TLS-CHACHA20-POLY1305-SHA256", r"is one of TLS 1\.3, which cannot be"),
        ],
    )
    def test_what_is_no_suite_of_tls_1_2_is_refused(
        self, files: Files, name: str, message: str
    ) -> None:
        tls = replace(files.config(), cipher_suites=(name,))

        with pytest.raises(ConfigError, match=message) as no:
            build_server_context(tls)

        assert no.value.hint.startswith(("Leave it out", "OpenSSL offers ECDHE-"))
