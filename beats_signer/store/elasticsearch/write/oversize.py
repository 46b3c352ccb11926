"""Read from a busy server's answer whether it could ever take such a request.

| what it says (429)                | what is too large                 | since |
|-----------------------------------|-----------------------------------|-------|
| coordinating operation            | the request                       | 8     |
| primary operation                 | the items for one shard together; | 8     |
|                                   | four times the largest of them    | 9     |
| Request contains an operation     | the largest item for a shard      | 9     |
| larger than the limit             | the request, or part of it        | 8     |

Whoever sends the same again gets the same answer, for ever.
"""

import re
from typing import Final

__all__ = ["can_never_fit", "item_can_never_fit", "remedy"]

_PRESSURE = re.compile(
    rb"(coordinating|primary)_operation_bytes=(\d+), max_\w+=(\d+)"
).search
_OPERATION = re.compile(
    rb"operation of size \[(\d+)\] bytes, which exceeds the maximum allowed "
    rb"limit of \[(\d+)\]"
).search
_BREAKER = re.compile(
    rb"larger than the limit of \[(\d+)/.*?new bytes reserved: \[(\d+)/"
).search
_BREAKER_SHARE: Final = 0.25
"""Of a server's memory: who asks for more at a time may wait for ever."""


def can_never_fit(data: bytes) -> bool:
    """Tell whether a request alone is more than a server takes of all together.

    It says that it is busy then too, and would say so for ever.
    """
    if found := _PRESSURE(data):
        return int(found[2]) > int(found[3])
    return _is_broken(data)


def item_can_never_fit(reason: str) -> bool:
    """Tell whether the items that were refused in these words are too large.

    All that the request has for one shard shares the answer: it may be but one of
    them. The node that received the request counts it too, once, beside the four
    times of the node that indexes; they may be one node.
    """
    data = reason.encode()
    if found := _PRESSURE(data):
        wanted = int(found[2])
        return wanted + wanted // 4 > int(found[3])
    return _OPERATION(data) is not None or _is_broken(data)


def remedy(reason: str) -> str:
    """Say what an operator can raise so that this is taken."""
    data = reason.encode()
    if found := _PRESSURE(data):
        stage, wanted = found[1].decode(), int(found[2])
        return (
            f"Raise indexing_pressure.memory.{stage}.limit of Elasticsearch to "
            f"{wanted + wanted // 4} bytes at least; as long as it is a share of the "
            "heap, raise the heap"
        )
    if found := _OPERATION(data):
        return (
            "Raise indexing_pressure.memory.max_operation_size of Elasticsearch to "
            f"{int(found[1])} bytes at least; as long as it is a share of the heap, "
            "raise the heap"
        )
    if _BREAKER(data):
        return "Raise the heap of Elasticsearch"
    return (
        "Raise http.max_content_length of Elasticsearch, and what a proxy before it "
        "takes, above that size"
    )


def _is_broken(data: bytes) -> bool:
    if found := _BREAKER(data):
        most, wanted = map(int, found.groups())
        return wanted > most * _BREAKER_SHARE
    return False
