"""The README says what the program does, and its first run works."""

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from beats_signer.sign.lock import StateLock
from tools.demo import use_free_ports
from tools.update_readme import README, render

PROGRAM = [sys.executable, "-m", "beats_signer"]
PATIENCE_SECONDS = 30


def first_run() -> list[str]:
    section = README.read_text().partition("## First run")[2]
    block = re.search(r"```console\n(.*?)```", section, re.S)
    assert block is not None
    return [line.removeprefix("$ ") for line in block[1].splitlines()]


def test_help_and_configuration_are_those_of_the_program() -> None:
    text = README.read_text()
    assert render(text) == text


def test_every_command_has_its_help_in_the_readme() -> None:
    listed = set(
        re.findall(r"<!-- help: beats-signer ([\w-]+) -->", README.read_text())
    )
    done = subprocess.run(
        [*PROGRAM, "--help"], capture_output=True, text=True, check=True
    )
    commands = done.stdout.partition("Commands:")[2].partition("\n\n")[0]
    assert listed == set(re.findall(r"^  ([\w-]+)", commands, re.M))


def test_the_two_commands_stand_at_the_top() -> None:
    top = README.read_text()[:300]
    assert "make demo" in top
    assert "make test" in top


@pytest.mark.parametrize(
    "target",
    [
        "demo",
        "test",
        "check",
        "bench",
        "test-peers",
        "test-elasticsearch",
        "test-pages",
    ],
)
def test_every_make_target_of_the_readme_exists(target: str) -> None:
    makefile = (README.parent / "Makefile").read_text()
    assert re.search(rf"^{target}:", makefile, re.M)


def test_the_first_run_works_as_written(tmp_path: Path) -> None:
    environment = {**os.environ, "COLUMNS": "200"}
    server: subprocess.Popen[str] | None = None
    output = ""
    try:
        for line in first_run():
            command = [*PROGRAM, *shlex.split(line.removesuffix("&"))[1:]]
            if line.endswith("&"):
                use_free_ports(tmp_path / "first" / "beats-signer.yml")
                server = subprocess.Popen(
                    command, cwd=tmp_path, stderr=subprocess.PIPE, text=True
                )
                address = wait_for_address(tmp_path / "first" / "state")
                use_port(tmp_path / "first" / "beats-signer.yml", address)
                continue
            done = subprocess.run(
                command, cwd=tmp_path, env=environment, capture_output=True, text=True
            )
            assert done.returncode == 0, f"{line}: {done.stdout}{done.stderr}"
            output += done.stdout
    finally:
        if server is not None:
            server.send_signal(signal.SIGTERM)
            server.communicate(timeout=PATIENCE_SECONDS)
    assert "5000 events" in output
    assert server is not None
    assert server.returncode == 0


def use_port(path: Path, address: str) -> None:
    path.write_text(
        path.read_text().replace("address: 127.0.0.1:0\n", f"address: {address}\n", 1)
    )


def wait_for_address(state: Path) -> str:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if addresses := StateLock.read(state).get("listeners"):
            return str(addresses[0])
    raise AssertionError("the signer did not start")
