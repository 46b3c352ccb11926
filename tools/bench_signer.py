"""The process that ``make bench`` measures: a signer, and a probe of its loop.

It is put together like ``beats_signer.service``, with a store that can be the
archive, one that only confirms, or the Elasticsearch of a URL, whose requests it
writes down. It prints its port, serves until its standard input ends, and then
prints what it measured as one line of JSON.
"""

import asyncio
import json
import os
import resource
import sys
import time
from pathlib import Path

import uvloop
from structlog.typing import FilteringBoundLogger

from beats_signer.config import Address, LimitsConfig, ListenerConfig
from beats_signer.operate.logging import build_logger
from beats_signer.receive.budget import Budget
from beats_signer.receive.listener import Listener
from beats_signer.receive.patience import Patience
from beats_signer.receive.reception import Reception
from beats_signer.service import SWITCH_SECONDS
from beats_signer.sign.founding import initialise
from beats_signer.sign.signer import SigningSettings, open_signer
from beats_signer.store import Archive, ConfirmingStore, Store
from beats_signer.store.elasticsearch.client import Answer, Client
from beats_signer.store.elasticsearch.write.store import ElasticsearchStore
from tools.bench_requests import REQUESTS, add_request

_PROBE_SECONDS = 0.005
_CONNECTIONS = 16


def main() -> None:
    """Serve with the store named on the command line, in the folder named there."""
    kind, folder = sys.argv[1], Path(sys.argv[2])
    sys.setswitchinterval(SWITCH_SECONDS)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(kind, folder))


async def _serve(kind: str, folder: Path) -> None:
    log = build_logger(sys.stderr, level="warning")
    store = _build_store(kind, folder, log)
    trust = initialise(
        folder / "state",
        signer="bench",
        heartbeat_seconds=60,
        encode=store.encode,
        clock=time.time_ns,
    )
    (folder / "trust").write_text(f"{trust}\n")
    await store.open()
    signer, lock = open_signer(folder / "state", "bench", store, SigningSettings(), log)
    limits = LimitsConfig()
    async with signer.running():
        reception = Reception(
            signer,
            Budget(limits.memory_bytes),
            Patience(),
            limits.for_wire(),
            log,
        )
        config = ListenerConfig(address=Address("127.0.0.1:0"))
        listener = Listener.bind(config)
        listener.serve(reception)
        print(listener.address.rpartition(":")[2], flush=True)
        lags: list[float] = []
        probe = asyncio.create_task(_probe(lags))
        await asyncio.to_thread(sys.stdin.read)
        probe.cancel()
        listener.close()
        await reception.drain()
        await signer.stop()
    await store.close()
    lock.release()
    lags.sort()
    print(
        json.dumps(
            {
                "loop_lag_p99_ms": round(lags[int(len(lags) * 0.99)] * 1000, 1),
                "rss_peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10,
            }
        ),
        flush=True,
    )


def _build_store(kind: str, folder: Path, log: FilteringBoundLogger) -> Store:
    if kind == "archive":
        return Archive(folder / "archive.db")
    if kind == "confirming":
        return ConfirmingStore()
    client = _WritingDown(kind, folder / REQUESTS)
    return ElasticsearchStore(client, log)


class _WritingDown(Client):
    """Write down what is sent: 140 bytes per event, which cost next to nothing."""

    def __init__(self, url: str, file: Path) -> None:
        super().__init__(url, connections_per_node=_CONNECTIONS)
        self._file = file

    async def bulk(self, data: bytes, *, filter_path: str) -> Answer:
        add_request(self._file, data)
        return await super().bulk(data, filter_path=filter_path)


async def _probe(lags: list[float]) -> None:
    """Measure how late the loop comes to a timer: as late would a keep-alive be."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + _PROBE_SECONDS
        await asyncio.sleep(_PROBE_SECONDS)
        lags.append(max(0.0, loop.time() - due))


if __name__ == "__main__":
    main()
    os._exit(0)
