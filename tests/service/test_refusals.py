"""What a signer refuses to start with: one message, code 78, and nothing written."""

import json
import socket
import subprocess
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.cli.process import COMMAND, ENVIRONMENT
from tests.senders.running import HOST, RunningSigner

Settings = dict[str, Any]


def serve_and_fail(signer: RunningSigner, settings: Settings) -> str:
    """Try to serve with other settings; return what stands on standard error."""
    path = signer.folder / "other.yml"
    path.write_text(json.dumps(settings))
    ended = subprocess.run(
        [*COMMAND, "serve", "--config", str(path)],
        capture_output=True,
        env=ENVIRONMENT,
        text=True,
        timeout=30,
    )
    assert ended.returncode == 78, ended.stderr
    assert "Traceback" not in ended.stderr
    return ended.stderr


def settings_of(signer: RunningSigner) -> Settings:
    settings: Settings = json.loads((signer.folder / "test.yml").read_text())
    return settings


def take_listener(settings: Settings, address: str) -> None:
    settings["listeners"][1]["address"] = address


def take_http(settings: Settings, address: str) -> None:
    settings["http"]["address"] = address


@pytest.mark.parametrize(
    ("take", "message"),
    [(take_listener, "cannot listen on"), (take_http, "cannot answer HTTP on")],
)
def test_a_taken_port(
    signer: RunningSigner, take: Callable[[Settings, str], None], message: str
) -> None:
    settings = settings_of(signer)
    with socket.create_server((HOST, 0)) as other:
        address = f"{HOST}:{other.getsockname()[1]}"
        take(settings, address)
        text = serve_and_fail(signer, settings)

    assert f"{message} {address}: " in text
    assert "address already in use" in text.lower()
    assert not signer.archive.exists()
    signer.start()
    assert signer.end() == 0


def test_a_certificate_that_is_not_there(signer: RunningSigner) -> None:
    (signer.tls / "server.crt").unlink()
    text = serve_and_fail(signer, settings_of(signer))

    assert "cannot read the certificate" in text
    assert not signer.archive.exists()


def test_a_state_folder_that_another_process_uses(signer: RunningSigner) -> None:
    signer.start()
    before = time.monotonic()
    text = serve_and_fail(signer, settings_of(signer))

    assert time.monotonic() - before < 3
    assert "another signer uses this state directory" in text
    assert signer.end() == 0
