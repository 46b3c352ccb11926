"""``send`` over TLS: what opens the way, and what is told when nothing does."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import pytest
from click.testing import CliRunner, Result
from msgspec.structs import replace

from beats_signer.cli import program
from beats_signer.config import TlsConfig
from beats_signer.receive.authority import Authority
from beats_signer.receive.tls import build_server_context
from tests.cli.door import Door
from tests.cli.receiver import Receiver


def send(*arguments: object) -> Result:
    return CliRunner().invoke(program, ["send", *map(str, arguments)])


class Certificates:
    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        authority = Authority.throwaway(now=datetime.now(UTC))
        self.ca = folder / "ca.crt"
        self.ca.write_bytes(authority.certificate)
        pairs = {
            "server": authority.issue_server(["127.0.0.1"]),
            "client-1": authority.issue_client("client-1"),
        }
        for name, issued in pairs.items():
            (folder / f"{name}.crt").write_bytes(issued.certificate)
            (folder / f"{name}.key").write_bytes(issued.key)
        self.client = (folder / "client-1.crt", folder / "client-1.key")
        self.tls = TlsConfig(folder / "server.crt", folder / "server.key", (self.ca,))

    def options(self) -> list[object]:
        return ["--certificate", self.client[0], "--key", self.client[1]]


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    return Certificates(tmp_path / "tls")


def test_a_client_certificate_opens_the_way(certificates: Certificates) -> None:
    with Receiver(context=build_server_context(certificates.tls)) as receiver:
        to = ("--to", receiver.address, "--ca", certificates.ca)
        result = send(*to, *certificates.options())

    assert result.exit_code == 0
    assert len(receiver.payloads) == 1000


def test_the_configuration_names_all_that_is_needed(
    certificates: Certificates, tmp_path: Path
) -> None:
    with Receiver(context=build_server_context(certificates.tls)) as receiver:
        path = tmp_path / "beats-signer.yml"
        path.write_text(
            f"signer: a\nlisteners:\n- address: 0.0.0.0:{receiver.port}\n"
            "  ssl: {certificate: tls/server.crt, key: tls/server.key,\n"
            "        certificate_authorities: [tls/ca.crt]}\n"
        )
        result = send("--config", path)

    assert result.exit_code == 0
    assert len(receiver.payloads) == 1000


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
def test_a_missing_client_certificate_is_told(
    certificates: Certificates, version: Literal["TLSv1.2", "TLSv1.3"]
) -> None:
    tls = replace(certificates.tls, supported_protocols=(version,))

    with Door(build_server_context(tls)) as door:
        result = send("--to", door.address, "--ca", certificates.ca)

    assert result.exit_code == 1
    assert f"{door.address} ended TLS: it demands a client" in result.stderr
    assert "Give the right --certificate and --key." in result.stderr


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
def test_a_client_certificate_of_another_authority_is_told(
    certificates: Certificates,
    tmp_path: Path,
    version: Literal["TLSv1.2", "TLSv1.3"],
) -> None:
    other = Certificates(tmp_path / "other")
    tls = replace(certificates.tls, supported_protocols=(version,))

    with Door(build_server_context(tls)) as door:
        to = ("--to", door.address, "--ca", certificates.ca)
        result = send(*to, *other.options())

    assert result.exit_code == 1
    assert "it does not know the authority of our client cert" in result.stderr


def test_a_refusal_without_a_word_may_be_about_the_certificate(
    certificates: Certificates,
) -> None:
    with Receiver(context=build_server_context(certificates.tls)) as receiver:
        result = send("--to", receiver.address, "--ca", certificates.ca)

    assert result.exit_code == 1
    assert "client certificate" in result.stderr


def test_a_receiver_of_another_authority_is_not_trusted(
    certificates: Certificates, tmp_path: Path
) -> None:
    other = Certificates(tmp_path / "other")

    with Receiver(context=build_server_context(certificates.tls)) as receiver:
        result = send("--to", receiver.address, "--ca", other.ca)

    assert result.exit_code == 1
    assert f"the certificate of {receiver.address} is not accepted" in result.stderr
    assert "--ca" in result.stderr


def test_plain_text_to_a_tls_listener_is_told(certificates: Certificates) -> None:
    with Receiver(context=build_server_context(certificates.tls)) as receiver:
        result = send("--to", receiver.address, "--plain")

    assert result.exit_code == 1
    assert "TLS" in result.stderr


def test_tls_to_a_plain_listener_is_told(certificates: Certificates) -> None:
    with Receiver(lambda batch: None) as receiver:
        result = send("--to", receiver.address, "--ca", certificates.ca)

    assert result.exit_code == 1
    assert receiver.address in result.stderr


def test_a_listener_without_authorities_needs_one_to_be_named(
    certificates: Certificates, tmp_path: Path
) -> None:
    path = tmp_path / "beats-signer.yml"
    path.write_text(
        "signer: a\nlisteners:\n- ssl: {certificate: tls/server.crt, "
        "key: tls/server.key, client_authentication: none}\n"
    )

    result = send("--config", path)

    assert result.exit_code == 64
    assert "cannot be recognised without its authority" in result.stderr
    assert "--ca" in result.stderr
