"""The load of ``make bench``: senders that always have windows in flight.

Windows are built before the clock starts, and each is sent many times over, so
that the senders take as little of the machine as they can.
"""

import asyncio
import json
import sys
import time
from itertools import cycle, islice

import uvloop

from beats_signer.cli.sample import sample_events
from lumberjack import build_window

IN_FLIGHT = 3
"""Windows on the way per connection: what Filebeat does."""
_ACK_BYTES = 6
_KEEPALIVE_SEQUENCE = b"\0\0\0\0"


def main() -> None:
    """Send what the command line says; print the seconds it took."""
    port, connections, size, level, events = map(int, sys.argv[1:6])
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        seconds, cpu = runner.run(_send_all(port, connections, size, level, events))
    print(json.dumps({"seconds": seconds, "cpu_seconds": cpu}))


async def _send_all(
    port: int, connections: int, size: int, level: int, events: int
) -> tuple[float, float]:
    windows = _build_windows(size, level)
    count = events // size // connections
    streams = [
        await asyncio.open_connection("127.0.0.1", port) for _ in range(connections)
    ]
    begun, before = time.perf_counter(), time.process_time()
    async with asyncio.TaskGroup() as tasks:
        for number, (reader, writer) in enumerate(streams):
            own = list(islice(cycle(windows[number:] + windows[:number]), count))
            tasks.create_task(_send(reader, writer, own))
    return time.perf_counter() - begun, time.process_time() - before


def _build_windows(size: int, level: int) -> list[bytes]:
    count = max(16, 4096 // size)
    events = sample_events(count * size, host="bench.example.com", seed=1)
    return [
        build_window(events[at * size : (at + 1) * size], compression_level=level)
        for at in range(count)
    ]


async def _send(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, windows: list[bytes]
) -> None:
    in_flight = 0
    for window in windows:
        if in_flight == IN_FLIGHT:
            await _read_ack(reader)
            in_flight -= 1
        writer.write(window)
        await writer.drain()
        in_flight += 1
    for _ in range(in_flight):
        await _read_ack(reader)
    writer.close()


async def _read_ack(reader: asyncio.StreamReader) -> None:
    while (await reader.readexactly(_ACK_BYTES))[2:] == _KEEPALIVE_SEQUENCE:
        pass


if __name__ == "__main__":
    main()
