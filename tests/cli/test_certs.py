"""``certs``: an authority that is kept, what it issues, and what it refuses."""

import re
import ssl
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result
from cryptography import x509

from beats_signer.cli import program
from beats_signer.config import TlsConfig
from beats_signer.receive.authority import Authority
from beats_signer.receive.tls import build_client_context, build_server_context


def certs(folder: Path, *options: str) -> Result:
    return CliRunner().invoke(program, ["certs", str(folder), *options])


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """Return a folder with an authority, a server and a sender."""
    folder = tmp_path / "tls"
    server = ["--server", "localhost", "--server", "127.0.0.1"]
    assert certs(folder, *server, "--client", "web-1").exit_code == 0
    return folder


def shake_hands(folder: Path, client: str) -> str:
    """Shake hands in memory; return the common name that the server sees."""
    listener = TlsConfig(
        folder / "server.crt",
        folder / "server.key",
        certificate_authorities=(folder / "ca.crt",),
    )
    pair = folder / f"{client}.crt", folder / f"{client}.key"
    first, second = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = build_server_context(listener).wrap_bio(first, second, server_side=True)
    context = build_client_context(folder / "ca.crt", *pair)
    sender = context.wrap_bio(second, first, server_hostname="localhost")
    for _ in range(4):
        for side in (sender, server):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    certificate = server.getpeercert(binary_form=True)
    assert certificate is not None
    subject = x509.load_der_x509_certificate(certificate).subject
    return str(subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value)


def test_sender_and_listener_accept_each_other(made: Path) -> None:
    assert shake_hands(made, "web-1") == "web-1"


def test_a_later_call_issues_by_the_same_authority(made: Path) -> None:
    before = (made / "ca.crt").read_bytes()

    result = certs(made, "--client", "web-2", "--days", "30")

    assert result.exit_code == 0
    assert "A new authority" not in result.stdout
    assert (made / "ca.crt").read_bytes() == before
    assert shake_hands(made, "web-2") == "web-2"


def test_private_keys_are_for_their_owner_only(made: Path) -> None:
    keys = list(made.glob("*.key"))

    assert {stat.S_IMODE(key.stat().st_mode) for key in keys} == {0o600}
    assert stat.S_IMODE(made.stat().st_mode) == 0o700


def test_days_bound_the_certificate_and_not_the_authority(made: Path) -> None:
    certs(made, "--client", "web-2", "--days", "30")

    now = datetime.now(UTC)
    names = ("web-2.crt", "web-1.crt", "server.crt", "ca.crt")
    issued = [x509.load_pem_x509_certificate((made / n).read_bytes()) for n in names]
    days = [(one.not_valid_after_utc - now).days for one in issued]
    assert days == [29, 364, 364, 3649]


def test_nothing_outlives_its_authority(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    authority = Authority.create("short", now=now, own_days=10, days=365)
    kept = Authority.read(authority.certificate, authority.key, now=now, days=365)

    issued = x509.load_pem_x509_certificate(kept.issue_client("a").certificate)
    own = x509.load_pem_x509_certificate(authority.certificate)
    assert issued.not_valid_after_utc == own.not_valid_after_utc


def test_what_is_shown_for_the_signer_is_its_configuration(tmp_path: Path) -> None:
    folder = tmp_path / "tls"
    shown = certs(folder, "--server", "localhost").stdout

    (snippet,) = re.findall(r"beats-signer.yml:\n((?:  .*\n)+)", shown)
    (listener, _) = yaml.safe_load(snippet)["listeners"]
    paths = listener["ssl"]
    assert Path(paths["certificate"]).exists() and Path(paths["key"]).exists()
    assert [Path(one).exists() for one in paths["certificate_authorities"]] == [True]


def test_each_sender_gets_its_own_snippet(tmp_path: Path) -> None:
    names = ["--client", "web-1", "--client", "web-2"]
    shown = certs(tmp_path / "tls", "--server", "log.example.com", *names).stdout

    assert shown.count('hosts: ["log.example.com:5044"]') == 2
    assert '"/etc/filebeat/web-2.key"' in shown


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "no certificate is asked for"),
        (["--client", "../x"], "'../x' is neither a host name nor an address"),
        (["--client", "ca"], "a sender cannot be called ca"),
        (["--client", "web-1"], "web-1.crt exists already, and nothing is overwritten"),
        (["--server", "other"], "server.crt exists already"),
    ],
)
def test_what_cannot_be_issued_is_refused_before_anything_is_written(
    made: Path, options: list[str], message: str
) -> None:
    before = sorted(made.iterdir())

    result = certs(made, *options)

    assert result.exit_code == 64
    assert message in result.stderr
    assert sorted(made.iterdir()) == before


def test_an_authority_without_its_key_is_explained(made: Path) -> None:
    (made / "ca.key").unlink()

    result = certs(made, "--client", "web-2")

    assert result.exit_code == 64
    assert "was thrown away" in result.stderr


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("web-1", "the key does not belong to the certificate"),
        ("rubbish", "cannot be used"),
        ("leaf", "the certificate is not one of an authority"),
    ],
)
def test_an_authority_that_cannot_be_used_is_explained(
    made: Path, name: str, message: str
) -> None:
    if name == "rubbish":
        (made / "ca.key").write_text("rubbish")
    else:
        (made / "ca.key").write_bytes((made / "web-1.key").read_bytes())
    if name == "leaf":
        (made / "ca.crt").write_bytes((made / "web-1.crt").read_bytes())

    result = certs(made, "--client", "web-2")

    assert result.exit_code == 78
    assert message in result.stderr
    assert not (made / "web-2.key").exists()


def test_a_folder_that_cannot_be_written_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    result = certs(tmp_path / "file" / "tls", "--client", "web-1")

    assert result.exit_code == 64
    assert "cannot be written" in result.stderr
