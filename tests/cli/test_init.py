"""``init``: what it writes, and that it never overwrites."""

import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from beats_signer.chain.trust import TrustLine
from beats_signer.cli import program
from beats_signer.config import load
from beats_signer.receive.tls import build_client_context, build_server_context


def init(folder: Path, *options: str, signer: str = "audit-1") -> Result:
    command = ["init", str(folder), "--signer", signer, *options]
    return CliRunner().invoke(program, command)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a signer with certificates."""
    folder = tmp_path_factory.mktemp("made") / "signer"
    assert init(folder, "--tls").exit_code == 0
    return folder


def test_the_trust_line_is_shown_and_written(tmp_path: Path) -> None:
    folder = tmp_path / "new"

    result = init(folder)

    assert result.exit_code == 0
    line = (folder / "trust").read_text().rstrip("\n")
    assert f"  {line}\n" in result.stdout
    assert TrustLine.parse(line).identity.name == "audit-1"


def test_the_next_commands_are_shown(tmp_path: Path) -> None:
    result = init(tmp_path)

    configuration = tmp_path / "beats-signer.yml"
    *_, serve, _, send = result.stdout.rstrip().splitlines()
    assert serve == f"  beats-signer serve --config {configuration}"
    assert send == f"  beats-signer send --config {configuration} --count 1000"


def test_the_configuration_is_valid_and_names_the_signer(made: Path) -> None:
    config = load(made / "beats-signer.yml")

    assert config.signer == "audit-1"
    assert config.state == made / "state"
    assert config.listeners[0].address == "0.0.0.0:5044"


def test_without_tls_the_listener_is_for_this_host_alone(tmp_path: Path) -> None:
    result = init(tmp_path)

    listener = load(tmp_path / "beats-signer.yml").listeners[0]
    assert listener.ssl is None
    assert listener.address.host == "127.0.0.1"
    assert "plain text and for this host only" in result.stdout
    assert not (tmp_path / "tls").exists()


def test_the_listener_demands_certificates_of_the_new_authority(made: Path) -> None:
    tls = load(made / "beats-signer.yml").listeners[0].ssl

    assert tls is not None
    assert tls.client_authentication == "required"
    build_server_context(tls)


@pytest.mark.parametrize("client", ["client-1", "client-2"])
def test_client_certificates_are_ready_for_use(made: Path, client: str) -> None:
    tls = made / "tls"

    build_client_context(tls / "ca.crt", tls / f"{client}.crt", tls / f"{client}.key")


def test_the_server_is_reached_under_local_names(made: Path) -> None:
    pem = (made / "tls" / "server.crt").read_bytes()
    extension = x509.load_pem_x509_certificate(pem).extensions

    names = extension.get_extension_for_class(x509.SubjectAlternativeName).value

    assert "localhost" in names.get_values_for_type(x509.DNSName)
    addresses = names.get_values_for_type(x509.IPAddress)
    assert [str(address) for address in addresses] == ["127.0.0.1"]


def test_only_the_owner_can_read_what_is_secret(made: Path) -> None:
    keys = {*made.rglob("*.key"), *made.rglob("*.pem")}

    assert len(keys) == 5
    assert {stat.S_IMODE(path.stat().st_mode) for path in keys} == {0o600}


def test_the_key_of_the_authority_is_not_kept(made: Path) -> None:
    authority = x509.load_pem_x509_certificate((made / "tls/ca.crt").read_bytes())

    kept = [
        load_pem_private_key(path.read_bytes(), None).public_key()
        for path in (made / "tls").glob("*.key")
    ]

    assert len(kept) == 3
    assert authority.public_key() not in kept


@pytest.mark.parametrize(
    "name", ["beats-signer.yml", "trust", "tls", "state", "archive.db"]
)
def test_nothing_is_overwritten(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")

    result = init(tmp_path, "--tls")

    assert result.exit_code == 64
    assert f"{tmp_path / name} exists already" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "mine"


@pytest.mark.parametrize("signer", ["", "Audit", "a b", "a//b", "../a", "a\n"])
def test_a_name_that_no_signer_can_have_is_explained(
    tmp_path: Path, signer: str
) -> None:
    result = init(tmp_path / "new", signer=signer)

    assert result.exit_code == 64
    assert "cannot be the name of a signer" in result.stderr
    assert "a-z, 0-9, dot, underscore and hyphen" in result.stderr
    assert not (tmp_path / "new").exists()


def test_a_folder_that_cannot_be_made_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    result = init(tmp_path / "file" / "signer")

    assert result.exit_code == 78
    assert "cannot be written" in result.stderr
    assert "Not a directory" in result.stderr
