"""Listeners and senders: settings that contradict each other are explained."""

from pathlib import Path

import pytest

from beats_signer.config import load
from beats_signer.errors import ConfigError

HEAD = "signer: audit-1\nlisteners:\n- address: 127.0.0.1:5044\n"
TLS = f"{HEAD}  ssl:\n    certificate: c\n    key: k\n"


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        pytest.param(
            TLS + "    client_authentication: none\n"
            "    certificate_revocation_lists: [a.crl]\n",
            "ssl: certificate_revocation_lists are named, certificate_authorities",
            "Name the authorities whose lists these are.",
            id="lists of nobody",
        ),
        pytest.param(
            TLS + "    client_authentication: none\n"
            "    supported_protocols: [TLSv1.3]\n    cipher_suites: [a]\n",
            "ssl: cipher_suites are named, supported_protocols are without TLSv1.2",
            "Leave them out: the suites of TLS 1.3 cannot be chosen.",
            id="suites of no version",
        ),
        pytest.param(
            TLS + "    client_authentication: none\n    handshake_timeout: 10000\n",
            "ssl.handshake_timeout is 10000",
            "It has to be a number from 1 to 300 or null.",
            id="milliseconds of Logstash",
        ),
        pytest.param(
            TLS + "    key_passphrase: secret\n",
            "there is no setting listeners[0].ssl.key_passphrase",
            "It is listeners.ssl.key_passphrase_file here. Secrets stand in files.",
            id="passphrase in the open",
        ),
        pytest.param(
            HEAD + "  proxy_protocol: {}\n",
            "the setting listeners[0].proxy_protocol.trusted is missing",
            "It is a list of at least one address or network.",
            id="proxies without addresses",
        ),
        pytest.param(
            HEAD + "  proxy_protocol: {trusted: []}\n",
            "listeners[0].proxy_protocol.trusted is []",
            "It has to be a list of at least one address or network.",
            id="no proxy",
        ),
        pytest.param(
            HEAD + "  proxy_protocol: {trusted: [proxy.example.com]}\n",
            "listeners[0].proxy_protocol.trusted[0]: 'proxy.example.com' is not a net",
            "Write an address such as 10.0.0.5",
            id="proxy by name",
        ),
        pytest.param(
            HEAD + "senders: {allow: [], allow_file: senders.yml}\n",
            "senders: allow and allow_file are both set",
            "Keep one of them",
            id="two lists",
        ),
        pytest.param(
            HEAD + "senders: {allow: [{tenant: a}]}\n",
            "senders.allow[0]: it is not clear who is meant",
            "Give either name, for senders with a certificate, or address",
            id="item for nobody",
        ),
        pytest.param(
            HEAD + "senders: {allow: [{address: 10.0.0.1/8}]}\n",
            "senders.allow[0].address: '10.0.0.1/8' is not a network",
            "Write an address such as 10.0.0.5, or a network such as 10.0.0.0/8.",
            id="bits beyond the mask",
        ),
        pytest.param(
            HEAD + "senders: {names: [email]}\n",
            'senders.names[0] is "email"',
            "It has to be one of cn, dns, uri.",
            id="unknown kind of name",
        ),
        pytest.param(
            HEAD + "senders: {names: []}\n",
            "senders.names is []",
            "It has to be a list of uri, dns, cn or some of them.",
            id="no kind of name",
        ),
    ],
)
def test_what_does_not_fit_is_explained(
    tmp_path: Path, text: str, message: str, hint: str
) -> None:
    path = tmp_path / "signer.yml"
    path.write_text(text)

    with pytest.raises(ConfigError) as caught:
        load(path)

    assert message in str(caught.value)
    assert caught.value.hint.startswith(hint)


def test_files_of_a_listener_are_relative_to_the_configuration(tmp_path: Path) -> None:
    path = tmp_path / "signer.yml"
    path.write_text(
        TLS + "    certificate_authorities: [ca.crt]\n"
        "    certificate_revocation_lists: [ca.crl]\n"
        "senders: {allow_file: senders.yml}\n"
    )

    config = load(path)

    tls = config.listeners[0].ssl
    assert tls is not None
    names = ["c", "k", "ca.crt"]
    assert tls.server_files == tuple(tmp_path / name for name in names)
    assert tls.revocation_files == (tmp_path / "ca.crl", tmp_path / "ca.crt")
    assert config.senders.allow_file == tmp_path / "senders.yml"
