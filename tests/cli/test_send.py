"""``send``: what it sends, what it reports, and what it says when that fails."""

import json
import socket
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from beats_signer.cli import program
from lumberjack import KEEPALIVE_V2, Batch
from tests.cli.process import COMMAND, ENVIRONMENT
from tests.cli.receiver import Receiver


def send(*arguments: object) -> Result:
    return CliRunner().invoke(program, ["send", *map(str, arguments)])


def refuse_to_answer(batch: Batch) -> bytes:
    return b""


def test_every_event_is_acknowledged() -> None:
    with Receiver() as receiver:
        result = send("--to", receiver.address, "--plain", "--count", 250)

    assert result.exit_code == 0
    assert len(receiver.payloads) == 250
    assert "sent           250 events in 1 window\n" in result.stdout
    assert "acknowledged   250 events in 1 window\n" in result.stdout
    assert "time to ack    p50 " in result.stdout
    assert result.stderr == ""


def test_events_come_in_windows_of_the_size_asked_for() -> None:
    with Receiver() as receiver:
        send("--to", receiver.address, "--plain", "--count", 25, "--window", 10)

    assert [batch.size for batch in receiver.batches] == [10, 10, 5]


def test_a_thousand_events_are_sent_unless_told() -> None:
    with Receiver() as receiver:
        send("--to", receiver.address, "--plain")

    assert len(receiver.payloads) == 1000


def test_connections_share_the_windows() -> None:
    with Receiver() as receiver:
        result = send(
            *("--to", receiver.address, "--plain"),
            *("--count", 100, "--window", 5, "--connections", 4),
        )

    assert result.exit_code == 0
    assert receiver.connections == 4
    assert len(set(receiver.payloads)) == 100


@pytest.mark.parametrize("version", [1, 2])
def test_both_versions_of_the_protocol_are_spoken(version: int) -> None:
    with Receiver() as receiver:
        result = send("--to", receiver.address, "--plain", "--version", version)

    assert result.exit_code == 0
    assert {batch.version for batch in receiver.batches} == {version}


def test_keep_alives_are_counted() -> None:
    with Receiver(lambda batch: KEEPALIVE_V2 * 3 + batch.ack()) as receiver:
        result = send("--to", receiver.address, "--plain")

    assert result.exit_code == 0
    assert "keep-alives    3" in result.stdout


def test_lines_of_the_input_become_events() -> None:
    text = b'first\r\nsecond "quoted" \\\n' + b"th\xffird"

    with Receiver() as receiver:
        result = subprocess.run(
            [*COMMAND, "send", "--to", receiver.address, "--plain", "--file", "-"],
            input=text,
            env=ENVIRONMENT,
            capture_output=True,
            timeout=30,
        )

    assert result.returncode == 0
    events = [json.loads(payload) for payload in receiver.payloads]
    messages = [event["message"] for event in events]
    assert messages == ["first", 'second "quoted" \\', "th\ufffdird"]
    assert [event["log"]["offset"] for event in events] == [0, 7, 25]
    assert {event["host"]["name"] for event in events} == {socket.gethostname()}


def test_lines_of_a_file_name_the_file(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    path.write_text("one\ntwo\n")

    with Receiver() as receiver:
        send("--to", receiver.address, "--plain", "--file", path)

    events = [json.loads(payload) for payload in receiver.payloads]
    assert {event["log"]["file"]["path"] for event in events} == {str(path)}


def test_an_empty_file_is_sent_without_a_window(tmp_path: Path) -> None:
    path = tmp_path / "empty.log"
    path.write_bytes(b"")

    with Receiver() as receiver:
        result = send("--to", receiver.address, "--plain", "--file", path)

    assert result.exit_code == 0
    assert receiver.batches == []


class TestFailure:
    """Exit code 1, what is acknowledged all the same, and one clear reason."""

    def check(self, result: Result, message: str, hint: str) -> None:
        assert result.exit_code == 1
        first, *rest = result.stderr.splitlines()
        assert message in first
        assert hint in " ".join(rest)

    def test_nothing_listens(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]

        result = send("--to", f"127.0.0.1:{port}", "--plain")

        self.check(result, "refused the connection", "beats-signer serve")
        assert result.stdout == ""

    def test_the_host_is_not_known(self) -> None:
        result = send("--to", "no-such-host.invalid:5044", "--plain")

        self.check(result, "the host no-such-host.invalid is not known", "--to")

    def test_the_receiver_closes_instead_of_acknowledging(self) -> None:
        with Receiver(lambda batch: None) as receiver:
            result = send("--to", receiver.address, "--plain", "--count", 5)

        self.check(result, "closed the connection", "Does the listener demand TLS?")
        assert "sent           5 events in 1 window\n" in result.stdout
        assert "acknowledged   0 events in 0 windows" in result.stdout

    def test_what_was_acknowledged_before_the_failure_is_reported(self) -> None:
        left = iter([True, True, False])

        with Receiver(lambda batch: batch.ack() if next(left) else None) as receiver:
            result = send(
                *("--to", receiver.address, "--plain"), *("--count", 50, "--window", 10)
            )

        self.check(result, "closed the connection", "It was stopped, perhaps")
        assert "The log of the signer" in result.stderr
        assert "acknowledged   20 events in 2 windows" in result.stdout

    def test_the_receiver_is_silent(self) -> None:
        with Receiver(refuse_to_answer) as receiver:
            result = send(
                *("--to", receiver.address, "--plain"), *("--silence-seconds", 0.2)
            )

        self.check(result, "was silent for too long", "The log of the signer")

    def test_the_acknowledgement_is_that_of_another_window(self) -> None:
        with Receiver(lambda batch: b"2A\x00\x00\x00\x07") as receiver:
            result = send("--to", receiver.address, "--plain")

        self.check(result, "version 2 ack of 7 instead of", "Is this a signer?")

    def test_the_receiver_is_something_else(self) -> None:
        with Receiver(lambda batch: b"HTTP/1.1 400 Bad Request\r\n") as receiver:
            result = send("--to", receiver.address, "--plain")

        self.check(result, "begins no ack frame", "Is this a signer?")


def test_a_file_that_cannot_be_read_any_further_is_told() -> None:
    with Receiver() as receiver:
        result = send("--to", receiver.address, "--plain", "--file", "/proc/self/mem")

    assert result.exit_code == 2
    assert "cannot read /proc/self/mem: Input/output error" in result.stderr


class TestUsage:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["--to", "host"], "--to: 'host' is not an address"),
            (["--to", "host:99999", "--plain"], "--to: port 99999 is above 65535"),
            (["--to", "host:1"], "it is not clear whether to use TLS"),
            (["--to", "h:1", "--plain", "--ca", "c"], "it is not clear whether"),
            (["--to", "h:1", "--config", "c"], "the receiver is named twice"),
            (["--plain"], "--plain belongs to --to"),
            (["--to", "h:1", "--certificate", "c"], "come together"),
            (["--to", "h:1", "--key", "k"], "come together"),
            (
                ["--to", "h:1", "--certificate", "c", "--key", "k"],
                "cannot be recognised without its authority",
            ),
            (["--count", "3", "--file", "-"], "--file and --count exclude each other"),
            (["--count", "0"], "invalid value for '--count'"),
            (["--window", "65537"], "invalid value for '--window'"),
            (["--version", "3"], "invalid value for '--version'"),
            (["--file", "no/such/file"], "'no/such/file' does not exist"),
        ],
    )
    def test_a_command_line_that_makes_no_sense_is_refused(
        self, arguments: list[str], message: str
    ) -> None:
        result = send(*arguments)

        assert result.exit_code == 64
        assert message in result.stderr

    def test_a_listener_on_any_port_has_to_be_named(self, tmp_path: Path) -> None:
        path = tmp_path / "c.yml"
        path.write_text("signer: a\nlisteners: [{address: 127.0.0.1:0}]\n")

        result = send("--config", path)

        assert result.exit_code == 64
        assert "takes any free port" in result.stderr

    def test_certificates_for_a_plain_listener_are_refused(
        self, tmp_path: Path
    ) -> None:
        path = tmp_path / "c.yml"
        path.write_text("signer: a\nlisteners: [{}]\n")

        result = send("--config", path, "--ca", "ca.crt")

        assert result.exit_code == 64
        assert "the listener speaks plain text" in result.stderr

    def test_a_missing_configuration_is_78(self, tmp_path: Path) -> None:
        result = send("--config", tmp_path / "none.yml")

        assert result.exit_code == 78
        assert "there is no configuration file" in result.stderr
