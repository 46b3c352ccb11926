"""``serve``: from the first command to the last, as an operator sees it."""

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from beats_signer.cli import program
from beats_signer.sign.lock import StateLock
from tests.cli.process import COMMAND, ENVIRONMENT


def run(*arguments: object) -> Result:
    return CliRunner().invoke(program, [*map(str, arguments)])


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Return the configuration of a new signer that takes free ports."""
    assert run("init", tmp_path, "--signer", "audit-1").exit_code == 0
    path = tmp_path / "beats-signer.yml"
    text = path.read_text().replace("127.0.0.1:5044", "127.0.0.1:0")
    path.write_text(text + "http: {address: 127.0.0.1:0}\n")
    return path


@contextmanager
def serving(config: Path) -> Iterator["subprocess.Popen[str]"]:
    """Run a signer and yield it when it is ready."""
    with subprocess.Popen(
        [*COMMAND, "serve", "--config", str(config)],
        stderr=subprocess.PIPE,
        env=ENVIRONMENT,
        text=True,
    ) as process:
        assert process.stderr is not None
        messages = (json.loads(line)["message"] for line in process.stderr)
        assert "ready" in messages
        try:
            yield process
        finally:
            process.kill()
            process.stderr.read()


def listener(config: Path) -> str:
    (address,) = StateLock.read(config.parent / "state")["listeners"]
    return str(address)


def test_events_are_acknowledged_and_counted_and_a_stop_is_clean(config: Path) -> None:
    with serving(config) as process:
        sent = run("send", "--to", listener(config), "--plain", "--count", 3000)
        status = run("status", "--config", config, "--json")
        process.send_signal(signal.SIGTERM)
        code = process.wait(20)

    assert sent.exit_code == 0, sent.stderr
    (chain,) = json.loads(status.stdout)["chains"]
    assert chain["entries"] == 3000
    assert code == 0
    assert run("status", "--config", config).exit_code == 2


def test_the_status_of_a_real_signer_can_be_shown(config: Path) -> None:
    with serving(config):
        result = run("status", "--config", config)

    assert result.exit_code == 0, result.stderr
    assert "audit-1 is running since" in result.stdout
    assert f"{listener(config)} (plain text)" in result.stdout


def test_a_second_signer_on_the_same_state_is_refused(config: Path) -> None:
    with serving(config) as first:
        second = subprocess.run(
            [*COMMAND, "serve", "--config", str(config)],
            capture_output=True,
            env=ENVIRONMENT,
            text=True,
            timeout=30,
        )

    assert second.returncode == 78
    assert "another signer uses this state directory" in second.stderr
    assert f"process {first.pid}" in second.stderr
    assert "Traceback" not in second.stderr


@pytest.mark.parametrize(
    ("origin", "message"),
    [
        ("audit-1", "--found: origin 'audit-1' is not <signer>/<tenant>/<stream>"),
        (
            "other/default/generic/20261123T090000Z",
            "is a chain of other, not of audit-1",
        ),
    ],
)
def test_a_chain_that_cannot_be_replaced_is_refused(
    config: Path, origin: str, message: str
) -> None:
    result = run("serve", "--config", config, "--found", origin)

    assert result.exit_code == 64
    assert message in result.stderr
