"""The hot path: takes a run of ordinary data frames in one loop.

A walk stops in front of the first frame that is in any way unusual: cut short, of
another type, broken, above a limit. The reader then judges that frame with all
its rules, so a walk never has to name an error. Leaving the walks out changes
nothing that a connection delivers, and a test does so.
"""

from typing import TypeVar

from .frames import DATA, JSON, LINE, LINE_KEY, VERSIONS, FrameType, head_struct
from .limits import Limits

__all__ = ["walk_json", "walk_lines"]

Buffer = TypeVar("Buffer", bytes, memoryview)

_JSON = head_struct(JSON)
_LINE = head_struct(LINE)
_BLOCK_HEAD_BYTES = _LINE.size - head_struct(DATA).size + 4
_J = int(FrameType.JSON)
_D = int(FrameType.DATA)


def walk_json(
    data: Buffer, start: int, count: int, budget: int, limits: Limits
) -> tuple[list[Buffer], int, int]:
    """Take at most ``count`` sound `J` frames from ``data`` at ``start``.

    Returns:
        The payloads, the place behind the last frame taken, its sequence. The
        payloads hold no more than ``budget`` bytes.
    """
    unpack, head_bytes, versions = _JSON.unpack_from, _JSON.size, VERSIONS
    largest = limits.json_bytes
    end = min(len(data), start + budget)
    payloads: list[Buffer] = []
    append, stop, last = payloads.append, start, 0
    for _ in range(count):
        begin = stop + head_bytes
        if begin > end:
            break
        version, kind, sequence, size = unpack(data, stop)
        behind = begin + size
        if (
            kind != _J
            or version not in versions
            or not 0 < size <= largest
            or behind > end
        ):
            break
        append(data[begin:behind])
        stop = behind
        last = sequence
    return payloads, stop, last


def walk_lines(
    data: Buffer, start: int, count: int, budget: int, limits: Limits
) -> tuple[list[Buffer], int, int]:
    """Take at most ``count`` sound `D` frames whose only key is ``line``.

    Returns:
        The values of ``line``, the place behind the last frame taken, its
        sequence. The values hold no more than ``budget`` bytes.
    """
    unpack, head_bytes, versions = _LINE.unpack_from, _LINE.size, VERSIONS
    if limits.item_bytes < len(LINE_KEY):
        return [], start, 0
    largest = min(limits.item_bytes, limits.pairs_bytes - _BLOCK_HEAD_BYTES)
    end = min(len(data), start + budget)
    values: list[Buffer] = []
    append, stop, last = values.append, start, 0
    for _ in range(count):
        begin = stop + head_bytes
        if begin > end:
            break
        version, kind, sequence, pairs, key_size, key, size = unpack(data, stop)
        behind = begin + size
        if (
            kind != _D
            or version not in versions
            or pairs != 1
            or key_size != len(LINE_KEY)
            or key != LINE_KEY
            or size > largest
            or behind > end
        ):
            break
        append(data[begin:behind])
        stop = behind
        last = sequence
    return values, stop, last
