"""Make events like those of Filebeat: from nothing, or from lines of text.

Made up ones depend on seed, host and number alone, so that a test, a benchmark
and a demonstration see the same bytes again.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from hashlib import sha256
from itertools import islice
from random import Random
from uuid import NAMESPACE_DNS, uuid5

import msgspec

__all__ = ["line_windows", "sample_events", "sample_windows"]

_START_MS = 1_795_424_400_000
"""When the first made up event happens unless told: 2026-11-23T09:00:00Z."""

_AGENT_VERSION = "9.2.0"
_METADATA = {"beat": "filebeat", "type": "_doc", "version": _AGENT_VERSION}
_PATHS = (
    "/login",
    "/healthz",
    "/static/app.js",
    "/api/v1/orders/8731",
    "/search?q=a+b",
)
_AGENTS = (
    "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/142.0.0.0",
    "curl/8.5.0",
)
_REFERRERS = ("-", "https://www.example.com/", "https://www.example.com/search?q=a+b")
_NOTES = ("", "", "", " user=Zoë", ' reason="disk \\ full"', " path=C:\\Temp\\λ.log")


def sample_events(
    count: int, *, host: str, seed: int, first: int = 0, start_ms: int = _START_MS
) -> list[bytes]:
    """Return made up events as Filebeat would encode them, 600 to 900 bytes each.

    Args:
        count: How many.
        host: Name of the host that they come from.
        seed: Another seed, other events.
        first: Number of the first one; with it a run can be made in parts.
        start_ms: When event 0 happens, in milliseconds since 1970; one event
            follows another after a millisecond.
    """
    return [
        _encode(
            _access_line(Random(f"{seed} {host} {number}"), start_ms + number),  # noqa: S311
            host=host,
            path="/var/log/nginx/access.log",
            offset=number * 256,
            moment_ms=start_ms + number,
        )
        for number in range(first, first + count)
    ]


def sample_windows(
    count: int, *, window: int, host: str, seed: int, start_ms: int
) -> Iterator[list[bytes]]:
    """Yield made up events in windows of at most ``window``."""
    for first in range(0, count, window):
        size = min(window, count - first)
        yield sample_events(size, host=host, seed=seed, first=first, start_ms=start_ms)


def line_windows(
    lines: Iterable[bytes], *, window: int, host: str, path: str, moment_ms: int
) -> Iterator[list[bytes]]:
    """Yield an event for each line, in windows of at most ``window``.

    A line ends at its line feed; bytes that are not UTF-8 become U+FFFD, as
    they do in Filebeat.
    """
    lines = iter(lines)
    offset = 0
    while taken := list(islice(lines, window)):
        events = []
        for line in taken:
            text = line.rstrip(b"\r\n").decode("utf-8", "replace")
            events.append(
                _encode(text, host=host, path=path, offset=offset, moment_ms=moment_ms)
            )
            offset += len(line)
        yield events


def _access_line(random: Random, moment_ms: int) -> str:
    address = ".".join(str(random.randrange(1, 255)) for _ in range(4))
    moment = datetime.fromtimestamp(moment_ms // 1000, UTC)
    return (
        f"{address} - - [{moment:%d/%b/%Y:%H:%M:%S +0000}] "
        f'"{random.choice(("GET", "POST"))} {random.choice(_PATHS)} HTTP/1.1" '
        f"{random.choice((200, 200, 200, 304, 404, 500))} {random.randrange(10**5)} "
        f'"{random.choice(_REFERRERS)}" "{random.choice(_AGENTS)}" '
        f"rt=0.{random.randrange(1000):03} "
        f"rid={random.randbytes(16).hex()}{random.choice(_NOTES)}"
    )


def _encode(
    message: str, *, host: str, path: str, offset: int, moment_ms: int
) -> bytes:
    """Return the JSON text of one event, its keys in the order of libbeat."""
    moment = datetime.fromtimestamp(moment_ms / 1000, UTC)
    return msgspec.json.encode(
        {
            "@timestamp": moment.isoformat(timespec="milliseconds")[:-6] + "Z",
            "@metadata": _METADATA,
            "log": {
                "offset": offset,
                "file": {
                    "path": path,
                    "device_id": "64769",
                    "inode": "1835092",
                    "fingerprint": sha256(f"{host} {path}".encode()).hexdigest(),
                },
            },
            "message": message,
            "input": {"type": "filestream"},
            "ecs": {"version": "8.0.0"},
            "host": {"name": host},
            "agent": {
                "id": str(uuid5(NAMESPACE_DNS, host)),
                "name": host,
                "type": "filebeat",
                "version": _AGENT_VERSION,
                "ephemeral_id": str(uuid5(NAMESPACE_DNS, f"run.{host}")),
            },
        }
    )
