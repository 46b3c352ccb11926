"""``status``: what it shows of a running signer, and what it says of none."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from beats_signer.cli import program

CHAIN = {
    "origin": "audit-1/default/generic/20261123T090000Z",
    "chain": "ab" * 32,
    "state": "running",
    "seals": 12,
    "entries": 34567,
    "stored_seals": 11,
    "last_seal_time": "2026-11-23T09:00:01.500000000Z",
    "waiting_windows": 3,
    "journal_rows": 1,
}
STATUS = {
    "signer": "audit-1",
    "version": "0.1.0",
    "started": "2026-11-23T09:00:00.000000000Z",
    "draining": False,
    "connections": 2,
    "listeners": [
        {"address": "0.0.0.0:5044", "tls": True},
        {"address": "127.0.0.1:5045", "tls": False},
    ],
    "chains": [CHAIN],
    "catalogue": {**CHAIN, "origin": "audit-1", "entries": 8, "problem": None},
    "senders": [
        {
            "sender": "web-1.example.com",
            "peer": "10.0.0.1:40000",
            "events": 4096,
            "windows": 2,
            "acked": 2048,
            "open_windows": 1,
        },
        {"sender": None, "peer": None, "events": 0, "windows": 0, "acked": 0},
    ],
    "memory_bytes": 1_500_000,
    "memory_limit_bytes": 268_435_456,
    "journal_bytes": 0,
    "problems": [],
    "something_newer": {"than": "this"},
}


@contextmanager
def signer(folder: Path, body: bytes, code: int = 200) -> Iterator[Path]:
    """Answer ``/status`` like a signer and yield its configuration."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(code if self.path == "/status" else 404)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield configure(folder, f"127.0.0.1:{server.server_port}")
        finally:
            server.shutdown()
            thread.join()


def configure(folder: Path, http: str | None) -> Path:
    """Write a configuration, and the note that a signer leaves in its lock."""
    (folder / "state").mkdir()
    if http is not None:
        holder = {"pid": 4711, "host": "h", "started": "s", "http": http}
        (folder / "state" / "lock").write_text(json.dumps(holder))
    path = folder / "beats-signer.yml"
    path.write_text("signer: audit-1\nlisteners: [{}]\n")
    return path


def status(config: Path, *options: str) -> Result:
    command = ["status", "--config", str(config), *options]
    return CliRunner().invoke(program, command)


def shown(folder: Path, **changes: object) -> str:
    body = json.dumps({**STATUS, **changes}).encode()
    with signer(folder, body) as config:
        result = status(config)
    assert result.exit_code == 0, result.stderr
    return result.stdout


@pytest.mark.parametrize(
    "fact",
    [
        "audit-1 is running since 2026-11-23T09:00:00.000000000Z, 0.1.0",
        "2 connections on 0.0.0.0:5044 (TLS), 127.0.0.1:5045 (plain text)",
        "memory 1.4 of 256.0 MiB; journal 0.0 MiB",
        "audit-1/default/generic/20261123T090000Z",
        "34567",
        "2026-11-23T09:00:01Z",
        "web-1.example.com",
        "10.0.0.1:40000",
        "2048",
    ],
)
def test_a_running_signer_is_described(tmp_path: Path, fact: str) -> None:
    assert fact in shown(tmp_path)


def test_the_catalogue_comes_before_the_chains(tmp_path: Path) -> None:
    rows = [line for line in shown(tmp_path).splitlines() if line.startswith("│ audit")]

    assert [row.split()[1] for row in rows] == ["audit-1", CHAIN["origin"]]


def test_no_table_is_wider_than_what_it_shows_or_cut(tmp_path: Path) -> None:
    assert "…" not in shown(tmp_path)


def test_a_narrow_terminal_shows_each_chain_on_lines_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")

    lines = [line.rstrip() for line in shown(tmp_path).splitlines()]

    at = lines.index(str(CHAIN["origin"]))
    assert lines[at + 1].startswith("  state running, entries 34567, seals 12, stored")
    assert max(map(len, lines)) <= 80


def test_a_table_that_fits_is_a_table_on_a_narrow_terminal_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")

    assert "│ web-1.example.com │" in shown(tmp_path)


def test_a_signer_that_drains_is_stopping(tmp_path: Path) -> None:
    assert "audit-1 is stopping since" in shown(tmp_path, draining=True)


def test_problems_say_what_they_mean_and_what_to_do(tmp_path: Path) -> None:
    problem = {
        "symptom": "the store [red]refuses[/red] writes",
        "impact": "senders wait",
        "action": "make room",
    }

    text = shown(tmp_path, problems=[problem])

    assert "problem: the store [red]refuses[/red] writes" in text
    assert text.index("senders wait") < text.index("make room")


def test_senders_that_were_turned_away_are_counted_by_reason(tmp_path: Path) -> None:
    refused = {"not_listed": 3, "expired": 0, "revoked": 1}

    text = shown(tmp_path, refused_senders=refused)

    assert "senders turned away: 3 not_listed, 1 revoked; the log names them" in text


def test_nothing_is_said_of_senders_when_none_was_turned_away(tmp_path: Path) -> None:
    assert "turned away" not in shown(tmp_path, refused_senders={"expired": 0})


def test_json_is_the_answer_as_it_came(tmp_path: Path) -> None:
    body = json.dumps(STATUS)

    with signer(tmp_path, body.encode()) as config:
        result = status(config, "--json")

    assert result.exit_code == 0
    assert result.stdout == body + "\n"


class TestNoAnswer:
    """Exit code 2, and what to do."""

    def check(self, result: Result, message: str, hint: str) -> None:
        assert result.exit_code == 2
        assert message in result.stderr
        assert hint in result.stderr
        assert result.stdout == ""

    def test_no_signer_holds_the_lock(self, tmp_path: Path) -> None:
        config = configure(tmp_path, None)

        hint = f"`beats-signer serve --config {config}`"
        self.check(status(config), "the signer audit-1 is not running", hint)

    def test_a_lock_that_was_given_back_is_no_signer(self, tmp_path: Path) -> None:
        config = configure(tmp_path, None)
        (tmp_path / "state" / "lock").write_text("")

        self.check(status(config), "the signer audit-1 is not running", "serve")

    def test_the_process_has_ended_without_a_word(self, tmp_path: Path) -> None:
        with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
            address = f"127.0.0.1:{server.server_port}"
        config = configure(tmp_path, address)

        self.check(status(config), "process 4711 has ended", "its log")

    def test_the_lock_names_no_address(self, tmp_path: Path) -> None:
        config = configure(tmp_path, "nowhere")

        self.check(status(config), "process 4711 does not answer on nowhere", "its log")

    def test_something_else_answers(self, tmp_path: Path) -> None:
        with signer(tmp_path, b"", code=404) as config:
            result = status(config)

        self.check(result, "answers with 404", "Is it this signer")

    @pytest.mark.parametrize("body", [b"hello", b"[]", b'{"signer":7}', b"{}"])
    def test_the_answer_is_no_status(self, tmp_path: Path, body: bytes) -> None:
        with signer(tmp_path, body) as config:
            result = status(config)

        self.check(result, "the answer is not a status", "--json")


def test_a_configuration_that_is_wrong_is_78(tmp_path: Path) -> None:
    result = status(tmp_path / "none.yml")

    assert result.exit_code == 78
    assert "there is no configuration file" in result.stderr
