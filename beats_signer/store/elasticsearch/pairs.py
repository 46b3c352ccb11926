"""Read the pairs of an event of form ``D``, as they are shown."""

import struct
from typing import Final

__all__ = ["read_pairs"]

_SIZE: Final = struct.Struct(">I")


def read_pairs(payload: bytes) -> dict[str, str]:
    """Return the pairs of a block that begins with their number.

    The last of a repeated key counts, in the place of the first. What is not
    UTF-8 is shown as U+FFFD. The receiver has checked the block.
    """
    at = 0

    def take() -> str:
        nonlocal at
        (size,) = _SIZE.unpack_from(payload, at)
        at += _SIZE.size + size
        return payload[at - size : at].decode(errors="replace")

    (count,) = _SIZE.unpack_from(payload, 0)
    at = _SIZE.size
    pairs: dict[str, str] = {}
    for _ in range(count):
        key = take()
        pairs[key] = take()
    return pairs
