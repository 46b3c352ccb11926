"""Run a real Elasticsearch: start, stop, kill, and start again on the same data."""

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from elastic_transport import TransportError
from elasticsearch import ApiError

from tests.elasticsearch import distribution
from tests.elasticsearch.access import Access, given
from tests.elasticsearch.guard import Guard
from tests.elasticsearch.securing import AUTHORITY, secure

__all__ = ["VERSION", "Access", "RunElasticsearch", "Server", "given", "running"]

VERSION = os.environ.get("ELASTICSEARCH_VERSION") or "8.19.21"
"""8.x runs on Java 17, 9.x needs Java 21 or newer."""

_HEAP = "256m" if VERSION.startswith("8.") else "384m"
"""From 9 on no item may have more than a fortieth of it: some tests send 6.5 MB."""
_NOBODY = 65534
_PASSWORD = "only-for-tests"
_START_SECONDS = 120
_STOP_SECONDS = 30


@contextmanager
def running(**options: Any) -> Iterator["Server"]:
    """Run a server of one's own, with the arguments of ``Server``."""
    server = Server(**options)
    try:
        server.start()
        yield server
    finally:
        server.remove()


class Server:
    """One node on a free port of this host, with its own data."""

    def __init__(
        self,
        *,
        version: str = VERSION,
        security: bool = False,
        heap: str = _HEAP,
        settings: Mapping[str, str | int] | None = None,
        java_options: tuple[str, ...] = ("-XX:TieredStopAtLevel=1",),
    ) -> None:
        """Fetch the server if need be; ``start`` starts it.

        Args:
            version: One that ``distribution.fetch`` knows.
            security: Speak TLS only and ask for a password. API keys work.
            heap: As Java spells it. Not more than a tenth may be under way.
            settings: Lines of ``elasticsearch.yml`` besides our own.
            java_options: The default starts fast; give none to measure speed.
        """
        self._distribution = distribution.fetch(version)
        self._folder = Path(tempfile.mkdtemp(prefix="node-", dir=distribution.folder()))
        self._guard = Guard(self._folder)
        self._process: subprocess.Popen[bytes] | None = None
        self._pid = 0
        port = _free_port()
        scheme = "https" if security else "http"
        self.access = Access(f"{scheme}://127.0.0.1:{port}")
        self._settings: dict[str, str | int] = {
            "cluster.name": self._folder.name,
            "path.data": str(self._folder / "data"),
            "path.logs": str(self._folder / "logs"),
            "network.host": "127.0.0.1",
            "http.port": port,
            "transport.port": _free_port(),
            "discovery.type": "single-node",
            "cluster.routing.allocation.disk.threshold_enabled": "false",
            "action.destructive_requires_name": "false",
            "xpack.security.enabled": "true" if security else "false",
        }
        self._write_configuration(heap, java_options)
        if security:
            self._secure()
        self._settings |= settings or {}
        self._write_settings()

    @property
    def pid(self) -> int:
        """The process that serves; its launcher is another."""
        return self._pid

    @property
    def folder(self) -> Path:
        """Where all of it lies."""
        return self._folder

    @property
    def log(self) -> str:
        """All that the server has said."""
        return (self._folder / "console.log").read_text(errors="replace")

    def start(self) -> None:
        """Start, on the data that are there, and return when requests are served."""
        assert self._process is None, "the server runs already"
        mark = self._folder / "pid"
        mark.unlink(missing_ok=True)
        with (self._folder / "console.log").open("ab") as console:
            self._process = subprocess.Popen(
                [self._distribution.home / "bin/elasticsearch", "-p", mark],
                env=self._environment(),
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                start_new_session=True,
                **self._user(),
            )
        self._guard.watch(self._process.pid)
        self._wait_until_served()
        self._pid = int(mark.read_text())

    def kill(self) -> None:
        """Kill the server as a power cut would, and wait until it is gone."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Stop the server in order. Idempotent."""
        self._end(signal.SIGTERM)

    def remove(self) -> None:
        """Stop the server and delete its data."""
        self._end(signal.SIGKILL)
        self._guard.close()

    def pause(self) -> None:
        """Let the server hang: connections stay open, nothing is answered."""
        os.kill(self._pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Undo ``pause``."""
        os.kill(self._pid, signal.SIGCONT)

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        with suppress(ProcessLookupError):
            if self._pid:
                os.kill(self._pid, how)
            else:  # its start was interrupted: whichever of the two is there
                os.killpg(self._process.pid, signal.SIGKILL)
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._guard.watch(0)
        self._process, self._pid = None, 0

    def _wait_until_served(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + _START_SECONDS
        with self.access.connect(max_retries=0, request_timeout=10) as client:
            while time.monotonic() < deadline:
                if self._process.poll() is not None:
                    self._process = None
                    raise RuntimeError(f"Elasticsearch ended:\n{self.log[-3000:]}")
                with suppress(TransportError, ApiError):
                    health = client.cluster.health(
                        wait_for_status="yellow", timeout="5s"
                    )
                    if not health["timed_out"]:
                        return
                time.sleep(0.1)
        raise RuntimeError(f"Elasticsearch was not up after {_START_SECONDS} seconds")

    def _write_configuration(self, heap: str, java_options: tuple[str, ...]) -> None:
        self._folder.chmod(0o755)
        shared = self._distribution.home / "config"
        own = self._folder / "config"
        own.mkdir()
        (self._folder / "tmp").mkdir()
        shutil.copy(shared / "log4j2.properties", own)
        lines = (shared / "jvm.options").read_text().splitlines()
        lines = [line for line in lines if "-Xlog" not in line]
        lines += [f"-Xms{heap}", f"-Xmx{heap}", "-XX:-AlwaysPreTouch", *java_options]
        (own / "jvm.options").write_text("\n".join([*lines, ""]))

    def _write_settings(self) -> None:
        lines = [f"{key}: {json.dumps(one)}\n" for key, one in self._settings.items()]
        (self._folder / "config" / "elasticsearch.yml").write_text("".join(lines))
        if "user" in self._user():
            for path in [self._folder, *self._folder.rglob("*")]:
                os.chown(path, _NOBODY, _NOBODY)

    def _secure(self) -> None:
        """Speak TLS only, and know the user ``elastic``."""
        own = self._folder / "config"
        self._settings |= secure(own, self._keystore())
        trusted = own / AUTHORITY
        self.access = replace(
            self.access, user="elastic", password=_PASSWORD, authority=trusted
        )

    def _keystore(self) -> Path:
        """Return the server's file of secrets; it takes long to make."""
        kept = self._distribution.home / "secured.keystore"
        if not kept.exists():
            program = self._distribution.home / "bin/elasticsearch-keystore"
            for arguments in (["create", "-s"], ["add", "-x", "bootstrap.password"]):
                subprocess.run(
                    [program, *arguments],
                    env=self._environment(),
                    input=_PASSWORD.encode(),
                    check=True,
                    capture_output=True,
                )
            made = self._folder / "config" / "elasticsearch.keystore"
            made.rename(kept)
        return kept

    def _environment(self) -> dict[str, str]:
        temporary = str(self._folder / "tmp")
        return {
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "HOME": temporary,
            "ES_TMPDIR": temporary,
            "ES_PATH_CONF": str(self._folder / "config"),
            "ES_JAVA_HOME": str(self._distribution.java),
        }

    @staticmethod
    def _user() -> dict[str, Any]:
        """Return whom the server runs as: it refuses to be root."""
        if os.getuid():
            return {}
        return {"user": _NOBODY, "group": _NOBODY, "extra_groups": []}


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


RunElasticsearch = Callable[..., AbstractContextManager[Server]]
"""How a test runs a server of its own: with the arguments of ``Server``."""
