"""Compares every number in a frame with its bounds, before anything is buffered."""

from .errors import LimitError, ProtocolError, Reason
from .frames import CLIENT_TYPES, VERSIONS, FrameType, Head
from .limits import Limits

__all__ = ["check_head", "check_item", "check_limit", "check_type", "check_version"]

_NEGATIVE = 1 << 31
"""From here on a receiver that reads signed numbers sees a negative one."""


def check_limit(found: int, limit: int, what: str, unit: str) -> None:
    """Raise ``LimitError`` when ``found`` is above ``limit``."""
    if found > limit:
        raise LimitError(f"{what} of {found} {unit} exceeds the limit of {limit}")


def check_version(byte: int) -> None:
    """Raise ``ProtocolError`` unless a frame may begin with this byte."""
    if byte not in VERSIONS:
        raise ProtocolError(
            Reason.BAD_VERSION, f"version byte 0x{byte:02x} is neither '1' nor '2'"
        )


def check_type(byte: int) -> None:
    """Raise ``ProtocolError`` unless a client may send a frame of this type."""
    if byte not in CLIENT_TYPES:
        raise ProtocolError(
            Reason.BAD_TYPE, f"type byte 0x{byte:02x} is none of W, C, J, D"
        )


def check_head(head: Head, limits: Limits) -> None:
    """Compare the numbers of a head with their bounds.

    Raises:
        LimitError: A count or size is above its limit.
        ProtocolError: A size is 0 or, for `J` and `D`, negative when read as
            signed; that is called broken, not large.
    """
    size = head.size
    match head.type:
        case FrameType.JSON:
            if not 0 < size < _NEGATIVE:
                raise ProtocolError(Reason.JSON_LENGTH, f"invalid json length {size}")
            check_limit(size, limits.json_bytes, "json payload", "bytes")
        case FrameType.DATA:
            if not 0 < size < _NEGATIVE:
                raise ProtocolError(Reason.PAIRS, f"invalid number of fields {size}")
            check_limit(size, limits.pairs, "data frame", "pairs")
        case FrameType.COMPRESSED:
            if size == 0:
                raise ProtocolError(Reason.INFLATE, "compressed frame of 0 bytes")
            check_limit(size, limits.compressed_bytes, "compressed frame", "bytes")
        case FrameType.WINDOW:
            check_limit(head.number, limits.window_events, "window", "events")


def check_item(size: int, block_bytes: int, limits: Limits) -> None:
    """Compare a key or value, and the pairs block that it ends, with their limits.

    Raises:
        LimitError: One of them is above its limit.
    """
    check_limit(size, limits.item_bytes, "key or value", "bytes")
    check_limit(block_bytes, limits.pairs_bytes, "pairs block", "bytes or more")
