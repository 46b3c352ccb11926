"""Send a signer's bulk requests once more: what the server takes by itself.

Nothing is received, signed, journaled or acknowledged here; the requests are in
memory before the clock starts. As many are in flight as the signer may have.
"""

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import uvloop
from isal import isal_zlib

from beats_signer.store.elasticsearch.client import Client
from beats_signer.store.elasticsearch.write.outcomes import (
    FILTER_PATH,
    Verdict,
    judge_items,
    judge_request,
)
from tools.bench_requests import read_requests

_GZIP = 31
_LINES_PER_ITEM = 2


def main() -> None:
    """Send the requests of a file from one number to another; print the seconds."""
    url, path, first, stop, in_flight = sys.argv[1:6]
    requests = read_requests(Path(path))[int(first) : int(stop)]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        seconds, cpu, answers = runner.run(_send_all(url, requests, int(in_flight)))
    for request, answer in zip(requests, answers, strict=True):
        _check(request, answer)
    print(json.dumps({"seconds": seconds, "cpu_seconds": cpu}))


async def _send_all(
    url: str, requests: list[bytes], in_flight: int
) -> tuple[float, float, list[bytes]]:
    client = Client(url, connections_per_node=in_flight)
    answers = [b""] * len(requests)
    waiting = iter(enumerate(requests))
    begun, before = time.perf_counter(), time.process_time()
    async with asyncio.TaskGroup() as tasks:
        for _ in range(in_flight):
            tasks.create_task(_send(client, waiting, answers))
    seconds, cpu = time.perf_counter() - begun, time.process_time() - before
    await client.close()
    return seconds, cpu, answers


async def _send(
    client: Client, waiting: Iterator[tuple[int, bytes]], answers: list[bytes]
) -> None:
    for number, request in waiting:
        answer = await client.bulk(request, filter_path=FILTER_PATH)
        assert answer.status == 200, judge_request(answer.status, answer.data)
        answers[number] = answer.data


def _check(request: bytes, answer: bytes) -> None:
    """See that everything was created: else another thing was measured."""
    lines = isal_zlib.decompress(request, _GZIP).count(b"\n")
    for outcome in judge_items(answer, lines // _LINES_PER_ITEM):
        assert outcome.verdict is Verdict.STORED, outcome


if __name__ == "__main__":
    main()
