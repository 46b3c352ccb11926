"""Bulk requests in a file: what a signer has sent, to be sent once more."""

import struct
from collections.abc import Iterator
from pathlib import Path

__all__ = ["REQUESTS", "add_request", "count_requests", "read_requests"]

REQUESTS = "requests"
"""Name of the file, in the folder of a signer."""
_HEAD = struct.Struct(">I")


def add_request(path: Path, data: bytes) -> None:
    """Add the bytes of one request; it is there to be counted at once."""
    with path.open("ab") as file:
        file.write(_HEAD.pack(len(data)) + data)


def read_requests(path: Path) -> list[bytes]:
    """Return all requests, in the order in which they were added."""
    return list(_requests(path.read_bytes()))


def count_requests(path: Path) -> int:
    """Return how many requests there are so far."""
    return len(read_requests(path))


def _requests(data: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(data):
        (size,) = _HEAD.unpack_from(data, at)
        at += _HEAD.size
        yield data[at : at + size]
        at += size
