"""What storing in Elasticsearch costs: a signer, and the server without one.

Both send the same bytes to the same server in turn, so that noise meets both. A
signer writes down its requests while it works; between any two runs the server is
emptied; then the same requests come ready made, as many in flight. What is stored
in the end is read by ``verify``, and by somebody who only reads.
"""

import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TypeVar

from elasticsearch import Elasticsearch

from tests.elasticsearch.server import VERSION, Server, running
from tools.bench_processes import PROGRAM, Load, cpu_seconds, run, run_tool, signing
from tools.bench_requests import REQUESTS, count_requests
from tools.bench_speed import Row, Speed

__all__ = ["measure_elasticsearch"]

LOAD = Load(connections=8, window=2048, level=3)
HEAP = "1g"
IN_FLIGHT = 4
"""What a signer has in flight at most, unless told otherwise."""
WARM_EVENTS = 400_000
"""A server that has seen fewer is several times as slow."""
TARGET = "logs-generic-default"
"""Where events go when no rule says otherwise."""
ORDER = "SRRSSRPVVP"
"""Turns of the signer and of its requests, ready made, then of plain reading and of
verifying; none is always later than the other of its kind."""
NAMES = {
    "S": "signer, windows of 2048, compressed, 8 connections",
    "R": "its requests, ready made",
    "V": "verify, from the server",
    "P": "the same documents, only read",
}
_IDLE_SHARE = 0.1
_IDLE_SECONDS = 0.5
_MOST_IDLE_WAITS = 20

_Did = TypeVar("_Did")


@dataclass(frozen=True)
class _Turn:
    """One run of either, in seconds of each process."""

    events: int
    seconds: float
    server: float
    own: float
    senders: float | None = None
    lag_ms: float | None = None


def measure_elasticsearch(events: int, say: Callable[[str], None]) -> Speed:
    """Measure on a server of our own, which is gone afterwards.

    Raises:
        MissingProgramError: Maven or Java is not on this machine.
    """
    with (
        tempfile.TemporaryDirectory() as name,
        running(heap=HEAP, java_options=(), settings={}) as server,
        server.access.connect(request_timeout=60) as client,
    ):
        bench = _Bench(server, client, Path(name), LOAD.whole(events))
        bench.set_up()
        bench.warm_up()
        turn = {
            "S": bench.sign,
            "R": bench.replay,
            "V": bench.verify,
            "P": bench.read,
        }
        turns: dict[str, list[_Turn]] = {kind: [] for kind in turn}
        for kind in ORDER:
            turns[kind].append(turn[kind]())
            say(f"Elasticsearch: {_row(NAMES[kind], turns[kind][-1:])}")
        rows = {kind: _row(NAMES[kind], turns[kind]) for kind in turn}
        return Speed(
            f"{VERSION}, {HEAP} of heap",
            bench.document_bytes,
            signed=rows["S"],
            ready_made=rows["R"],
            verified=rows["V"],
            read=rows["P"],
        )


def _row(name: str, turns: list[_Turn]) -> Row:
    events = turns[0].events

    def per_event(seconds: Iterable[float]) -> float:
        return round(median(seconds) / events * 1e6, 2)

    senders = [turn.senders for turn in turns if turn.senders is not None]
    lags = [turn.lag_ms for turn in turns if turn.lag_ms is not None]
    return Row(
        name,
        events,
        round(events / median(turn.seconds for turn in turns)),
        per_event(turn.server for turn in turns),
        per_event(turn.own for turn in turns),
        per_event(senders) if senders else None,
        max(lags) if lags else None,
    )


class _Bench:
    """A server, and the newest signer that wrote to it."""

    def __init__(
        self, server: Server, client: Elasticsearch, folder: Path, events: int
    ) -> None:
        self._server = server
        self._client = client
        self._folder = folder
        self._events = events
        self._signer = folder
        self._warm_requests = 0
        self._stored = 0
        self.document_bytes = 0
        """Size of a document; known once it was read."""

    def set_up(self) -> None:
        """Put the program's own templates, and no replicas."""
        configuration = self._folder / "beats-signer.yml"
        configuration.write_text(
            "signer: bench\nlisteners: [{address: 127.0.0.1:0}]\n"
            f"elasticsearch: {{hosts: ['{self._server.access.url}'], replicas: 0}}\n"
        )
        self._client.cluster.put_component_template(
            name="beats-signer@custom",
            template={"settings": {"number_of_shards": 1, "number_of_replicas": 0}},
        )
        run([*PROGRAM, "setup", "--config", str(configuration)])

    def warm_up(self) -> None:
        """Let the server compile what it will run."""
        self.sign()
        sent = self._stored
        while sent < WARM_EVENTS:
            self.replay()
            sent += self._stored
        self.read()

    def sign(self) -> _Turn:
        """Measure a signer from its first window to the last ack."""
        self._empty()
        self._signer = Path(tempfile.mkdtemp(dir=self._folder))
        with signing(self._server.access.url, self._signer) as signer:
            warm = signer.warm_up(LOAD, self._events)
            self._warm_requests = count_requests(self._signer / REQUESTS)
            before = cpu_seconds(signer.pid)
            sent, server = self._watch(lambda: signer.send(LOAD, self._events))
            own = cpu_seconds(signer.pid) - before
        self._stored = warm.events + sent.events
        lag = signer.facts["loop_lag_p99_ms"]
        return _Turn(sent.events, sent.seconds, server, own, sent.cpu_seconds, lag)

    def replay(self) -> _Turn:
        """Measure the server with the requests that the newest signer has sent."""
        self._empty()
        url, file = self._server.access.url, self._signer / REQUESTS
        stops = self._warm_requests, count_requests(file)
        run_tool("bench_replay", url, file, 0, stops[0], IN_FLIGHT)
        took, server = self._watch(
            lambda: run_tool("bench_replay", url, file, *stops, IN_FLIGHT)
        )
        return _Turn(self._events, took["seconds"], server, took["cpu_seconds"])

    def verify(self) -> _Turn:
        """Measure the program's own verification, without its start."""
        self._client.indices.refresh(index="*")
        trust = str(self._signer / "trust")
        idle, idle_cpu = min(run([*PROGRAM, "version"]) for _ in range(3))
        (seconds, cpu), server = self._watch(
            lambda: run([*PROGRAM, "verify", "--trust", trust, self._server.access.url])
        )
        return _Turn(self._stored, seconds - idle, server, cpu - idle_cpu)

    def read(self) -> _Turn:
        """Measure plain reading."""
        self._client.indices.refresh(index="*")
        url = self._server.access.url
        took, server = self._watch(lambda: run_tool("bench_reader", url, TARGET))
        assert took["documents"] == self._stored, "another thing was read"
        self.document_bytes = round(took["bytes"] / self._stored)
        return _Turn(self._stored, took["seconds"], server, took["cpu_seconds"])

    def _watch(self, work: Callable[[], _Did]) -> tuple[_Did, float]:
        """Return what came of it, and the server's time until it rests again."""
        self._wait_until_idle()
        before = cpu_seconds(self._server.pid)
        did = work()
        self._wait_until_idle()
        return did, cpu_seconds(self._server.pid) - before

    def _wait_until_idle(self) -> None:
        """Wait until merging and compiling are done, as far as one can see."""
        for _ in range(_MOST_IDLE_WAITS):
            before = cpu_seconds(self._server.pid)
            time.sleep(_IDLE_SECONDS)
            if cpu_seconds(self._server.pid) - before < _IDLE_SHARE * _IDLE_SECONDS:
                return

    def _empty(self) -> None:
        """Begin a new index and drop the old one, and all seals and catalogues."""
        if self._client.indices.exists(index=TARGET):
            old = self._client.indices.rollover(alias=TARGET)["old_index"]
            self._client.indices.delete(index=old)
        self._client.indices.delete(index="beats-signer-*")
