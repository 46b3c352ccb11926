"""Builds each frame from its declaration."""

from collections.abc import Iterable

from .frames import ACK, COMPRESSED, DATA, JSON, VERSIONS, WINDOW

__all__ = [
    "KEEPALIVE_V2",
    "build_ack",
    "build_compressed",
    "build_data",
    "build_json",
    "build_pairs",
    "build_window_head",
]


def _digit(version: int) -> int:
    if version not in VERSIONS.values():
        raise ValueError(f"version {version} is neither 1 nor 2")
    return 0x30 + version


def build_window_head(version: int, count: int) -> bytes:
    """Build a `W` frame, 6 bytes."""
    built: bytes = WINDOW.build({"version": _digit(version), "count": count})
    return built


def build_ack(version: int, sequence: int) -> bytes:
    """Build an `A` frame, 6 bytes; ``sequence`` is that of the last data frame."""
    built: bytes = ACK.build({"version": _digit(version), "sequence": sequence})
    return built


def build_compressed(version: int, stream: bytes) -> bytes:
    """Build a `C` frame around one whole zlib stream."""
    head: bytes = COMPRESSED.build({"version": _digit(version), "size": len(stream)})
    return head + stream


def build_json(version: int, sequence: int, payload: bytes) -> bytes:
    """Build a `J` frame around one JSON document."""
    head: bytes = JSON.build(
        {"version": _digit(version), "sequence": sequence, "size": len(payload)}
    )
    return head + payload


def build_pairs(pairs: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Build a pairs block, from its pair count on; keys may repeat."""
    items = [item for pair in pairs for item in pair]
    sized = [len(item).to_bytes(4, "big") + item for item in items]
    return (len(items) // 2).to_bytes(4, "big") + b"".join(sized)


def build_data(version: int, sequence: int, pairs_block: bytes) -> bytes:
    """Build a `D` frame around a pairs block that begins with its pair count."""
    pairs = int.from_bytes(pairs_block[:4], "big")
    head: bytes = DATA.build(
        {"version": _digit(version), "sequence": sequence, "pairs": pairs}
    )
    return head + pairs_block[4:]


KEEPALIVE_V2 = build_ack(2, 0)
"""Says "still working" to a version 2 peer while a window it has sent is not yet
stored. Never sent to a version 1 peer, which takes any ack as final."""
