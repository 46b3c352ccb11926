"""``setup`` and ``test output``, and what ``serve`` makes of Elasticsearch."""

import json
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from beats_signer.cli import program
from beats_signer.sign.lock import StateLock
from tests.cli.process import COMMAND, ENVIRONMENT
from tests.elasticsearch.fake import Fake


def run(*arguments: object, input: str | None = None) -> Result:
    return CliRunner().invoke(program, [*map(str, arguments)], input=input)


@pytest.fixture
def fake() -> Iterator[Fake]:
    with Fake(refreshing=True) as server:
        yield server


@pytest.fixture
def config(tmp_path: Path, fake: Fake) -> Path:
    """Return the configuration of a new signer that stores in the fake server."""
    assert run("init", tmp_path, "--signer", "audit-1").exit_code == 0
    path = tmp_path / "beats-signer.yml"
    text = path.read_text().replace("127.0.0.1:5044", "127.0.0.1:0")
    path.write_text(
        f"{text}http: {{address: 127.0.0.1:0}}\n"
        f"elasticsearch: {{hosts: ['{fake.url}']}}\n"
        "routing: {rules: [{when: {senders: ['127.*']}, stream: local}]}\n"
    )
    return path


def test_setup_says_what_it_made_and_then_that_all_is_there(config: Path) -> None:
    first = run("setup", "--config", config)
    second = run("setup", "--config", config)

    assert first.exit_code == 0
    assert "created    index template beats-signer-seals\n" in first.stdout
    assert "created    index template beats-signer-events-logs-local-default" in (
        first.stdout
    )
    assert re.search(r"^\d+ unchanged, 1 left out\.$", second.stdout, re.M)


def test_a_dry_run_makes_nothing(config: Path, fake: Fake) -> None:
    done = run("setup", "--config", config, "--dry-run")

    assert "A dry run: nothing was changed." in done.stdout
    assert {one.method for one in fake.requests} == {"GET"}


def test_print_needs_no_server_and_gives_whole_requests(
    config: Path, fake: Fake
) -> None:
    done = run("setup", "--config", config, "--print")

    requests = re.split(r"^PUT (/\S+)\n", done.stdout, flags=re.M)[1:]
    bodies = dict(zip(requests[::2], map(json.loads, requests[1::2]), strict=True))
    assert "/_security/role/beats-signer-signer" in bodies
    assert "/_ilm/policy/beats-signer-90d" in bodies
    assert not fake.requests


def test_a_password_is_asked_for_and_sent(config: Path, fake: Fake) -> None:
    done = run("setup", "--config", config, "--user", "elastic", input="secret\n")

    assert done.exit_code == 0
    assert {one.headers.get("authorization") for one in fake.requests} == {
        "Basic ZWxhc3RpYzpzZWNyZXQ="
    }
    assert "secret" not in done.output


def test_without_the_section_setup_says_what_to_add(tmp_path: Path) -> None:
    run("init", tmp_path, "--signer", "audit-1")

    done = run("setup", "--config", tmp_path / "beats-signer.yml")

    assert done.exit_code == 78
    assert "no section elasticsearch" in done.stderr


@pytest.mark.parametrize(
    "options",
    [
        ["--user", "a", "--api-key-file", "k"],
        ["--password-file", "p"],
    ],
)
def test_options_that_do_not_fit_are_refused(config: Path, options: list[str]) -> None:
    assert run("setup", "--config", config, *options).exit_code == 64


def test_a_secret_that_cannot_be_read_is_named(config: Path) -> None:
    done = run("setup", "--config", config, "--api-key-file", "/nowhere/key")

    assert done.exit_code == 78
    assert "/nowhere/key" in done.stderr


def test_output_is_judged_line_by_line(config: Path) -> None:
    before = run("test", "output", "--config", config)
    run("setup", "--config", config)
    after = run("test", "output", "--config", config)

    assert before.exit_code == 1
    assert "broken   templates: beats-signer-seals-*" in before.stdout
    assert after.exit_code == 0
    assert "ok       version: server: Elasticsearch 8.19.21\n" in after.stdout


def test_serve_refuses_a_server_that_would_break_a_promise(config: Path) -> None:
    done = subprocess.run(
        [*COMMAND, "serve", "--config", str(config)],
        capture_output=True,
        env=ENVIRONMENT,
        text=True,
        timeout=30,
    )

    assert done.returncode == 78
    assert "would break a promise" in done.stderr
    assert "beats-signer setup" in done.stderr


def test_events_are_acknowledged_once_elasticsearch_has_them(
    config: Path, fake: Fake
) -> None:
    run("setup", "--config", config)
    with subprocess.Popen(
        [*COMMAND, "serve", "--config", str(config)],
        stderr=subprocess.PIPE,
        env=ENVIRONMENT,
        text=True,
    ) as process:
        assert process.stderr is not None
        messages = (json.loads(line)["message"] for line in process.stderr)
        assert "ready" in messages
        (address,) = StateLock.read(config.parent / "state")["listeners"]
        sent = run("send", "--to", address, "--plain", "--count", 100)
        process.send_signal(signal.SIGTERM)
        process.stderr.read()

    assert sent.exit_code == 0
    assert process.returncode == 0
    assert len(fake.documents("logs-local-default")) == 100
    kinds = {one["kind"] for one in fake.documents("beats-signer-seals-*").values()}
    assert kinds == {"found", "events"}
