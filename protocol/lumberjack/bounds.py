"""Compares every number in a frame with its bounds, before anything is buffered."""

from .errors import LimitError, ProtocolError, Reason
from .frames import VERSIONS, FrameType, Head
from .limits import Limits

__all__ = ["check_head", "check_item", "check_limit", "check_type", "check_version"]

_NEGATIVE = 1 << 31
"""From here on a receiver that reads signed numbers sees a negative one."""

_CLIENT_TYPES = frozenset(FrameType) - {FrameType.ACK}


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


def check_type(byte: int) -> FrameType:
    """Return the type a client's frame has, or raise ``ProtocolError``."""
    if byte not in _CLIENT_TYPES:
        raise ProtocolError(
            Reason.BAD_TYPE, f"type byte 0x{byte:02x} is none of W, C, J, D"
        )
    return FrameType(byte)


def check_head(head: Head, limits: Limits) -> None:
    """Compare the numbers of a head with their bounds.

    Raises:
        LimitError: A count or size is above its limit.
        ProtocolError: A size is 0 or, for `J` and `D`, negative when read as
            signed; that is called broken, not large.
    """
    match head.type:
        case FrameType.WINDOW:
            check_limit(head.number, limits.window_events, "window", "events")
        case FrameType.COMPRESSED:
            if head.size == 0:
                raise ProtocolError(Reason.INFLATE, "compressed frame of 0 bytes")
            check_limit(head.size, limits.compressed_bytes, "compressed frame", "bytes")
        case FrameType.JSON:
            if not 0 < head.size < _NEGATIVE:
                raise ProtocolError(
                    Reason.JSON_LENGTH, f"invalid json length {head.size}"
                )
            check_limit(head.size, limits.json_bytes, "json payload", "bytes")
        case FrameType.DATA:
            if not 0 < head.size < _NEGATIVE:
                raise ProtocolError(
                    Reason.PAIRS, f"invalid number of fields {head.size}"
                )
            check_limit(head.size, limits.pairs, "data frame", "pairs")


def check_item(size: int, block_bytes: int, limits: Limits) -> None:
    """Compare a key or value, and the pairs block that it ends, with their limits.

    Raises:
        LimitError: One of them is above its limit.
    """
    check_limit(size, limits.item_bytes, "key or value", "bytes")
    check_limit(block_bytes, limits.pairs_bytes, "pairs block", "bytes or more")
