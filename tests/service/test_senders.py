"""A running signer that knows its senders: who may send, and for which tenant."""

import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from beats_signer.chain.origin import Origin
from beats_signer.store.archive_source import ArchiveSource
from lumberjack import Sender
from tests.receive.issuing import Authority
from tests.senders.running import HOST, RunningSigner
from tests.senders.sealed import check_all

SOON_SECONDS = 10.0
"""How long a change may take; users were promised that."""

ACK = b"2A\0\0\0\1"


@contextmanager
def connected(signer: RunningSigner) -> Iterator[ssl.SSLSocket]:
    """Connect with the certificate of client-1."""
    context = signer.client_context(certificate=True)
    with (
        socket.create_connection((HOST, signer.mutual_port), 20) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as connection,
    ):
        yield connection


def test_who_is_taken_off_the_list_is_disconnected_soon(
    founded: Path, tmp_path: Path
) -> None:
    settings = {"senders": {"allow_file": "senders.yml"}}
    signer = RunningSigner(founded, tmp_path / "signer", settings)
    allowed = signer.folder / "senders.yml"
    allowed.write_text("- name: client-1\n")
    try:
        signer.start()
        with connected(signer) as connection:
            connection.sendall(Sender().send([b"{}"]))
            assert connection.recv(6) == ACK
            assert set(signer.status()["refused_senders"].values()) == {0}

            before = time.monotonic()
            allowed.write_text("[]\n")
            assert connection.recv(1) == b""
            assert time.monotonic() - before < SOON_SECONDS
        assert signer.status()["refused_senders"]["not_listed"] == 1

        allowed.write_text("- nam\n")
        signer.wait_for(
            "changed files cannot be used, what was read before stays in use"
        )
        (problem,) = signer.status()["problems"]
        assert str(allowed) in problem["symptom"]
        assert problem["impact"]
        assert problem["action"]
        assert signer.end() == 0
    finally:
        signer.close()


def test_the_organization_of_a_certificate_is_the_tenant_of_its_chain(
    founded: Path, tmp_path: Path
) -> None:
    authority = Authority(tmp_path / "tls")
    tls = authority.listener()
    files = {
        "certificate": str(tls.certificate),
        "key": str(tls.key),
        "certificate_authorities": [str(authority.path)],
    }
    settings = {
        "listeners": [{"address": f"{HOST}:0", "ssl": files}],
        "senders": {
            "tenant_from": "organization",
            "allow": [{"name": "db-*", "tenant": "databases"}, {"name": "*"}],
        },
    }
    signer = RunningSigner(founded, tmp_path / "signer", settings)
    try:
        signer.start()
        (listening,) = signer.wait_for("listening")
        port = int(listening["signer"]["address"].rpartition(":")[2])
        for name, organization in (("web-1", "Acme"), ("db-1", "Acme")):
            issued = authority.issue(name, organization=organization)
            context = authority.sender(issued)
            with (
                socket.create_connection((HOST, port), 20) as plain,
                context.wrap_socket(plain, server_hostname="localhost") as connection,
            ):
                connection.sendall(Sender().send([name.encode()]))
                assert connection.recv(6) == ACK
        assert signer.end() == 0
    finally:
        signer.close()

    with ArchiveSource(signer.archive) as source:
        chains = [one for one in source.origins() if one != source.catalogue()]
    assert sorted(Origin.parse(one).tenant for one in chains) == ["acme", "databases"]
    check_all(signer.archive, signer.trust)


def test_a_key_that_others_may_read_is_a_problem_while_it_runs(
    signer: RunningSigner,
) -> None:
    signer.start()
    key = signer.tls / "server.key"
    key.chmod(0o644)

    symptom = f"{key} has mode 0644: every user of this host may reach it"
    signer.wait_for(symptom)
    assert symptom in [one["symptom"] for one in signer.status()["problems"]]
