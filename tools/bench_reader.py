"""Read all events of a data stream and do nothing with them.

One point in time, page after page in the order of the chain: what reading costs
whoever reads. Documents are told apart, and not parsed.
"""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import uvloop
from msgspec import Raw, Struct

from beats_signer.store.elasticsearch.client import Client

_PAGE = 5000
_KEPT = "2m"
_FILTER_PATH = "pit_id,timed_out,_shards.failed,hits.hits._source,hits.hits.sort"


class _Shards(Struct, frozen=True):
    failed: int


class _Hit(Struct, gc=False):
    source: Raw = msgspec.field(name="_source")
    sort: list[int]


class _Hits(Struct, frozen=True):
    hits: tuple[_Hit, ...] = ()


class _Page(Struct):
    pit_id: str
    timed_out: bool
    shards: _Shards = msgspec.field(name="_shards")
    hits: _Hits = _Hits()


_DECODE = msgspec.json.Decoder(_Page).decode


def main() -> None:
    """Read the data stream named on the command line; print what it took."""
    url, target = sys.argv[1:3]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        facts = runner.run(_read(url, target))
    print(json.dumps(facts))


async def _read(url: str, target: str) -> dict[str, Any]:
    client = Client(url)
    documents = size = 0
    begun, before = time.perf_counter(), time.process_time()
    async for hits in _pages(client, target):
        documents += len(hits)
        size += sum(memoryview(hit.source).nbytes for hit in hits)
    seconds, cpu = time.perf_counter() - begun, time.process_time() - before
    await client.close()
    return {
        "documents": documents,
        "bytes": size,
        "seconds": seconds,
        "cpu_seconds": cpu,
    }


async def _pages(client: Client, target: str) -> AsyncIterator[tuple[_Hit, ...]]:
    path = f"/{target}/_pit"
    opened = await client.request("POST", path, parameters={"keep_alive": _KEPT})
    point: str = msgspec.json.decode(opened.data)["id"]
    after: list[int] | None = None
    while True:
        asked: dict[str, Any] = {
            "pit": {"id": point, "keep_alive": _KEPT},
            "sort": [{"beats_signer.index": "asc"}],
            "size": _PAGE,
            "track_total_hits": False,
        }
        if after is not None:
            asked["search_after"] = after
        answer = await client.request(
            "POST",
            "/_search",
            parameters={"filter_path": _FILTER_PATH},
            data=msgspec.json.encode(asked),
        )
        page = _DECODE(answer.data)
        assert not page.timed_out and not page.shards.failed, "a partial answer"
        if not page.hits.hits:
            break
        yield page.hits.hits
        point, after = page.pit_id, page.hits.hits[-1].sort
    await client.request(
        "DELETE", "/_pit", data=msgspec.json.encode({"id": page.pit_id})
    )


if __name__ == "__main__":
    main()
