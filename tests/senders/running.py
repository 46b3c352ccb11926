"""A signer as its users run it: founded and served in a process of its own."""

import json
import random
import shutil
import socket
import sqlite3
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from signal import Signals
from typing import Any
from urllib.request import urlopen

from beats_signer.sign.lock import StateLock
from tests.senders.output import PATIENCE_SECONDS, Output

__all__ = ["HOST", "RunningSigner", "command", "found_signer"]

HOST = "127.0.0.1"
_SIGNER = "senders-1"
_PORTS = range(10_000, 32_000)
"""Below those that the kernel gives to outgoing connections: a client that
tries to reach a signer between two of its lives must not reach itself."""
_DRAIN_SECONDS = 3


def found_signer(folder: Path, name: str = _SIGNER) -> None:
    """Make a new signer in a folder, with certificates."""
    founding = command("init", str(folder), "--signer", name, "--tls")
    subprocess.run(founding, check=True, capture_output=True)


def command(*arguments: str) -> list[str]:
    """Return how the program is run with these arguments."""
    return [sys.executable, "-m", "beats_signer", *arguments]


class RunningSigner:
    """One signer with a plain, a TLS and a mutual TLS listener, in one folder.

    It can be ended and started again; addresses, keys and archive stay.
    """

    def __init__(
        self, founded: Path, folder: Path, settings: Mapping[str, Any] | None = None
    ) -> None:
        """Copy one that was founded and has never served; ``start`` serves.

        *settings* take the place of those that are the same for most tests.
        """
        shutil.copytree(founded, folder)
        self.folder = folder
        self.archive = folder / "archive.db"
        self.trust = folder / "trust"
        self.tls = folder / "tls"
        self.plain_port, self.tls_port, self.mutual_port = _free_ports(3)
        self._process: subprocess.Popen[str] | None = None
        self._logs: list[Output] = []
        self.configuration = folder / "test.yml"
        self.configuration.write_text(
            json.dumps(self._settings() | dict(settings or {}))
        )

    @property
    def log(self) -> Output:
        """Return what it has written since it was started last."""
        return self._logs[-1]

    @property
    def facts(self) -> list[dict[str, Any]]:
        """Return the log since the last start, line by line."""
        return _parse(self.log.lines)

    @property
    def pid(self) -> int:
        """Return the number of the process."""
        assert self._process is not None, "start comes first"
        return self._process.pid

    def status(self) -> dict[str, Any]:
        """Return what it says of itself."""
        address = StateLock.read(self.folder / "state")["http"]
        with urlopen(f"http://{address}/status", timeout=PATIENCE_SECONDS) as answer:
            found: dict[str, Any] = json.load(answer)
            return found

    def start(self) -> None:
        """Serve; return when all listeners are open."""
        self.launch()
        self.wait_for("ready")

    def launch(self) -> None:
        """Begin to serve, which may have to wait for the store."""
        process = subprocess.Popen(
            command("serve", "--config", str(self.configuration)),
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stderr is not None
        self._process = process
        self._logs.append(Output(process.stderr))

    def wait_for(self, message: str, *, times: int = 1) -> list[dict[str, Any]]:
        """Return the log lines with a message, once there are that many."""

        def find(lines: list[str]) -> list[dict[str, Any]] | None:
            found = [fact for fact in _parse(lines) if fact["message"] == message]
            return found if len(found) >= times else None

        return self.log.wait_for(find, f"{times} times {message!r}")

    def tell(self, number: Signals) -> None:
        """Send a signal to the process."""
        assert self._process is not None, "start comes first"
        self._process.send_signal(number)

    def wait(self) -> int:
        """Wait for the process to end; return its exit code."""
        assert self._process is not None, "start comes first"
        code = self._process.wait(PATIENCE_SECONDS)
        self._process = None
        self.log.join()
        return code

    def end(self, number: Signals = Signals.SIGTERM) -> int:
        """End the process by a signal and return its exit code."""
        self.tell(number)
        return self.wait()

    def close(self) -> None:
        """Leave nothing behind that runs."""
        if self._process is not None:
            self.end(Signals.SIGKILL)

    @contextmanager
    def store_waiting(self) -> Iterator[None]:
        """Keep the archive from being written, as a slow store would be."""
        with closing(sqlite3.connect(self.archive, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
            other.execute("ROLLBACK")

    def client_context(self, *, certificate: bool = False) -> ssl.SSLContext:
        """Return the TLS side of a sender that trusts this signer's authority."""
        context = ssl.create_default_context(cafile=self.tls / "ca.crt")
        if certificate:
            context.load_cert_chain(
                self.tls / "client-1.crt", self.tls / "client-1.key"
            )
        return context

    def _settings(self) -> dict[str, Any]:
        server = {"certificate": "tls/server.crt", "key": "tls/server.key"}
        anybody = {"client_authentication": "none"}
        known = {"certificate_authorities": ["tls/ca.crt"]}
        return {
            "signer": _SIGNER,
            "http": {"address": f"{HOST}:0"},
            "drain_seconds": _DRAIN_SECONDS,
            "limits": {"keepalive_seconds": 1},
            "listeners": [
                {"address": f"{HOST}:{self.plain_port}"},
                {"address": f"{HOST}:{self.tls_port}", "ssl": server | anybody},
                {"address": f"{HOST}:{self.mutual_port}", "ssl": server | known},
            ],
        }


def _parse(lines: list[str]) -> list[dict[str, Any]]:
    """Return the lines that are the signer's own; a traceback is not."""
    return [json.loads(line) for line in lines if line.startswith("{")]


def _free_ports(count: int) -> list[int]:
    free: list[int] = []
    for port in random.sample(_PORTS, len(_PORTS)):
        with closing(socket.socket()) as probe:
            if probe.connect_ex((HOST, port)):
                free.append(port)
        if len(free) == count:
            break
    return free
