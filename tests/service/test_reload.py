"""A running signer whose configuration changes."""

import json
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import Signals
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from beats_signer.sign.lock import StateLock
from lumberjack import Sender
from tests.senders.running import HOST, RunningSigner, command
from tests.senders.sealed import check_all

REFUSED = "the changed configuration cannot be used, the old one stays"
ACK = b"2A\0\0\0\1"


@pytest.fixture
def running(signer: RunningSigner) -> RunningSigner:
    signer.start()
    return signer


def change(signer: RunningSigner, **settings: Any) -> None:
    old = json.loads(signer.configuration.read_text())
    signer.configuration.write_text(json.dumps(old | settings))


def post(signer: RunningSigner, **headers: str) -> tuple[int, dict[str, Any]]:
    """Ask for a reload; return status and answer."""
    address = StateLock.read(signer.folder / "state")["http"]
    request = Request(f"http://{address}/-/reload", method="POST", headers=headers)
    try:
        with urlopen(request, timeout=20) as answer:
            return answer.status, json.load(answer)
    except HTTPError as error:
        body = error.read()
        return error.code, json.loads(body) if body.startswith(b"{") else {}


def ask_by_command(signer: RunningSigner) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command("reload", "--config", str(signer.configuration)),
        capture_output=True,
        text=True,
    )


@contextmanager
def connected(signer: RunningSigner) -> Iterator[socket.socket]:
    with socket.create_connection((HOST, signer.plain_port), 20) as connection:
        yield connection


def send(connection: socket.socket, payload: bytes = b"{}") -> bytes:
    """Send one event and return what comes back: an ack, or the end."""
    connection.sendall(Sender().send([payload]))
    return connection.recv(6, socket.MSG_WAITALL)


def test_a_broken_file_leaves_the_old_configuration_in_force(
    running: RunningSigner,
) -> None:
    good = running.configuration.read_text()
    running.configuration.write_text("signer: [\n")

    running.tell(Signals.SIGHUP)
    (line,) = running.wait_for(REFUSED)

    assert f"{running.configuration}:2: expected" in line["error"]["message"]
    status = running.status()
    assert status["reloads"] == {"ok": 0, "failed": 1}
    (problem,) = status["problems"]
    assert "goes on with the one it had" in problem["impact"]
    code, answer = post(running)
    assert (code, answer["ok"]) == (400, False)
    with connected(running) as connection:
        assert send(connection) == ACK

    running.configuration.write_text(good)
    code, answer = post(running)
    assert (code, answer["changed"]) == (200, [])
    status = running.status()
    assert status["reloads"] == {"ok": 1, "failed": 2}
    assert status["problems"] == []
    assert running.end() == 0


def test_a_changed_limit_counts_for_new_connections(running: RunningSigner) -> None:
    with connected(running) as old:
        assert send(old) == ACK
        change(running, limits={"keepalive_seconds": 1, "json_bytes": 1024})

        code, answer = post(running)

        assert (code, answer["changed"]) == (200, ["limits.json_bytes"])
        large = b'{"message":"%s"}' % (b"x" * 2000)
        with connected(running) as new:
            assert send(new, large) == b""
        assert send(old, large) == ACK


def test_the_level_of_the_log_can_change(running: RunningSigner) -> None:
    change(running, logging={"level": "debug"})
    assert post(running)[1]["changed"] == ["logging.level"]

    with connected(running):
        pass

    (line,) = running.wait_for("the connection ended")
    assert line["log.level"] == "debug"


def test_other_tls_settings_count_for_new_connections(running: RunningSigner) -> None:
    listeners = json.loads(running.configuration.read_text())["listeners"]
    listeners[2]["ssl"]["client_authentication"] = "optional"
    change(running, listeners=listeners)

    _, answer = post(running)

    assert answer["changed"] == ["listeners[2].ssl.client_authentication"]
    with (
        socket.create_connection((HOST, running.mutual_port), 20) as plain,
        running.client_context().wrap_socket(
            plain, server_hostname="localhost"
        ) as connection,
    ):
        connection.sendall(Sender().send([b"{}"]))
        assert connection.recv(6) == ACK


def test_tls_files_that_cannot_be_used_are_refused(running: RunningSigner) -> None:
    listeners = json.loads(running.configuration.read_text())["listeners"]
    listeners[2]["ssl"]["certificate_authorities"] = ["tls/no.crt"]
    change(running, listeners=listeners)

    code, answer = post(running)

    assert code == 400
    assert "tls/no.crt" in answer["error"]


def test_a_list_of_senders_can_be_given_at_any_time(running: RunningSigner) -> None:
    with connected(running) as connection:
        assert send(connection) == ACK
        change(running, senders={"allow": [{"name": "web-*"}]})

        assert ask_by_command(running).stdout == "Used from now on: senders.allow.\n"
        assert connection.recv(1) == b""
    assert running.status()["refused_senders"]["not_listed"] >= 1


def test_a_list_that_cannot_be_read_is_refused_whole(running: RunningSigner) -> None:
    change(running, senders={"allow_file": "no.yml"}, drain_seconds=1)

    result = ask_by_command(running)

    assert result.returncode == 78
    assert "the signer keeps the configuration it has" in result.stderr
    assert "no.yml" in result.stderr
    with connected(running) as connection:
        assert send(connection) == ACK


def test_other_rules_and_retention_count_from_the_next_window_on(
    founded: Path, tmp_path: Path
) -> None:
    rules: dict[str, list[dict[str, Any]]] = {
        "rules": [{"when": {"senders": ["127.*"]}, "stream": "a"}]
    }
    signer = RunningSigner(founded, tmp_path / "signer", {"routing": rules})
    try:
        signer.start()
        with connected(signer) as connection:
            assert send(connection) == ACK
            rules["rules"][0] |= {"stream": "b", "retention_days": 30}
            change(signer, routing=rules)
            code, answer = post(signer)
            assert (code, answer["needs_restart"]) == (200, [])
            assert send(connection) == ACK
        names = [chain["origin"].split("/")[2] for chain in signer.status()["chains"]]
        assert names == ["a", "b"]
        assert signer.end() == 0
        check_all(signer.archive, signer.trust)
    finally:
        signer.close()


def test_what_needs_a_restart_is_said_and_stays(running: RunningSigner) -> None:
    change(running, http={"address": f"{HOST}:1"}, drain_seconds=1)

    result = ask_by_command(running)

    assert result.returncode == 0
    assert result.stdout == (
        "Used from now on: drain_seconds.\nUsed after a restart: http.address.\n"
    )
    (problem,) = running.status()["problems"]
    assert problem["symptom"] == "changed settings need a restart: http.address"


def test_a_key_that_others_can_read_is_refused_as_at_a_start(
    running: RunningSigner,
) -> None:
    (running.tls / "server.key").chmod(0o644)

    code, answer = post(running)

    assert code == 400
    assert "server.key has mode 0644" in answer["error"]


def test_a_page_in_a_browser_cannot_reload(running: RunningSigner) -> None:
    code, _ = post(running, Origin="https://example.com")

    assert code == 403
    assert running.status()["reloads"] == {"ok": 0, "failed": 0}


def test_a_wrong_file_is_told_by_the_command_itself(running: RunningSigner) -> None:
    running.configuration.write_text("signers: a\n")

    result = ask_by_command(running)

    assert result.returncode == 78
    assert "there is no setting signers" in result.stderr
    assert "keeps the configuration it has" in result.stderr


def test_without_a_running_signer_there_is_nothing_to_reload(
    signer: RunningSigner,
) -> None:
    result = ask_by_command(signer)

    assert result.returncode == 2
    assert "is not running" in result.stderr


def test_a_hangup_while_it_starts_does_not_end_it(
    founded: Path, tmp_path: Path
) -> None:
    nobody = {"elasticsearch": {"hosts": [f"http://{HOST}:1"]}}
    signer = RunningSigner(founded, tmp_path / "signer", nobody)
    try:
        signer.launch()
        signer.wait_for("the store does not answer")
        signer.tell(Signals.SIGHUP)
        (line,) = signer.wait_for("the configuration is not read again")
        assert line["error"]["message"] == "the signer is starting"
        assert signer.end() == 0
    finally:
        signer.close()
