"""Real clients, each in a process of its own, and what they say of their acks."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from enum import Enum
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.senders.output import PATIENCE_SECONDS, Output
from tests.senders.running import HOST, RunningSigner

__all__ = ["Client", "Link", "Peer"]

_HERE = Path(__file__).parent


class Client(Enum):
    """The programs; the value is the command that runs one."""

    GO_LUMBER = ("build/go-lumber",)
    PYLOGBEAT = (".venv/bin/python", "python/pylogbeat_sender.py")
    LOGSTASH_ASYNC = (".venv/bin/python", "python/logstash_async_sender.py")
    NPM_CLIENT = ("node", "node/lumberjack-client.js")
    NPM_PROTOCOL = ("node", "node/lumberjack-protocol.js")

    @property
    def command(self) -> list[str]:
        """Return the command; an error says what to do when it is not installed."""
        program, *scripts = self.value
        if "/" in program and not (_HERE / program).exists():
            raise RuntimeError(f"{_HERE / program} is missing: run `make test-peers`")
        first = str(_HERE / program) if "/" in program else program
        return [first, *(str(_HERE / script) for script in scripts)]


class Link(Enum):
    """How a client is connected."""

    PLAIN = "plain"
    TLS = "tls"
    MUTUAL_TLS = "mutual-tls"

    def order(self, signer: RunningSigner) -> dict[str, object]:
        """Return address and TLS files, as the clients take them."""
        ports = {
            Link.PLAIN: signer.plain_port,
            Link.TLS: signer.tls_port,
            Link.MUTUAL_TLS: signer.mutual_port,
        }
        order: dict[str, object] = {"address": f"{HOST}:{ports[self]}"}
        if self is not Link.PLAIN:
            order["ca"] = str(signer.tls / "ca.crt")
        if self is Link.MUTUAL_TLS:
            order["certificate"] = str(signer.tls / "client-1.crt")
            order["key"] = str(signer.tls / "client-1.key")
        return order

    @property
    def sender(self) -> str:
        """Return the name that the signer knows the client by."""
        return "client-1" if self is Link.MUTUAL_TLS else HOST


class Peer:
    """One run of a client. Use it in a ``with`` block."""

    def __init__(
        self,
        client: Client,
        signer: RunningSigner,
        link: Link,
        events: Sequence[bytes],
        order: Mapping[str, object] | None = None,
        name: str | None = None,
    ) -> None:
        """Start it; of several that run together each needs a *name*."""
        path = signer.folder / f"{name or client.name}.ndjson"
        path.write_bytes(b"".join(event + b"\n" for event in events))
        self.sent = path.with_suffix(".sent")
        """Where a client that changes the order notes what was acknowledged."""
        argument = link.order(signer) | {"events": str(path)} | dict(order or {})
        self._process = subprocess.Popen(
            [*client.command, json.dumps(argument)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None and self._process.stderr is not None
        self._said = Output(self._process.stdout)
        self._complaints = Output(self._process.stderr)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.kill()  # no effect on one that has ended
        self._process.wait()
        self._said.join()
        self._complaints.join()
        self.let_go()

    @property
    def acked(self) -> list[int]:
        """Return how many events it knew to be acknowledged, ack by ack."""
        return _acked(self._said.lines)

    @property
    def losses(self) -> list[str]:
        """Return why it had to connect and send again, each time."""
        return [line for line in self._said.lines if line.startswith("lost ")]

    def wait_until_acked(self, events: int) -> int:
        """Return how many events are acknowledged, once it is at least so many."""

        def find(lines: list[str]) -> int | None:
            newest = max(_acked(lines), default=0)
            return newest if newest >= events else None

        return self._said.wait_for(find, f"an ack of {events} events")

    def is_patient(self, seconds: float) -> bool:
        """Return whether for a time it gets no ack and has nothing to complain of."""
        return self._said.stays(lambda lines: not lines, seconds)

    def let_go(self) -> None:
        """Tell a client that waits for us that it may end."""
        assert self._process.stdin is not None
        self._process.stdin.close()

    def finish(self) -> None:
        """Wait until it ends by itself, and contented."""
        code = self._process.wait(PATIENCE_SECONDS)
        self._said.join()
        self._complaints.join()
        assert code == 0, "".join(self._complaints.lines)


def _acked(lines: list[str]) -> list[int]:
    words = (line.split() for line in lines)
    return [int(count) for verb, count, *_ in words if verb == "acked"]
