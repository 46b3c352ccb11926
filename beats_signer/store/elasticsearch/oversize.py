"""Read from a busy server's answer whether it could ever take such a request."""

import re
from typing import Final

__all__ = ["can_never_fit"]

_PRESSURE = re.compile(
    rb"(?:coordinating|primary)_operation_bytes=(\d+), max_\w+=(\d+)"
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
        wanted, most = map(int, found.groups())
        return wanted > most
    if found := _BREAKER(data):
        most, wanted = map(int, found.groups())
        return wanted > most * _BREAKER_SHARE
    return False
