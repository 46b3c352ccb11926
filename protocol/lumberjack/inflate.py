"""Inflates the stream of one `C` frame, bounded before the output is made."""

from typing import cast

from isal import isal_zlib

from .bounds import check_limit
from .errors import ProtocolError, Reason
from .limits import RATIO_FLOOR_BYTES, Limits

__all__ = ["inflate"]

_LARGEST_HISTORY = 0x78
"""First byte of a stream with the 32 KiB of history that RFC 1950 allows at most;
isal takes more."""

# The stubs declare this class as an instance.
_InflateError = cast(type[Exception], isal_zlib.error)


def inflate(stream: bytes | memoryview, limits: Limits) -> bytes:
    """Inflate exactly one whole zlib stream.

    One call with one bound: the output buffer grows as output appears and never
    beyond the bound, so a bomb costs what the limit allows, not what it claims.

    Raises:
        LimitError: The output is larger than ``limits`` allows for this input.
        ProtocolError: The stream is not zlib, is cut short (a stream without its
            checksum is not proven whole), or is followed by other bytes.
    """
    size = len(stream)
    by_ratio = max(RATIO_FLOOR_BYTES, limits.inflate_ratio * size)
    bound = min(limits.inflated_bytes, by_ratio)
    frame = f"compressed frame of {size} bytes"
    inflater = isal_zlib.decompressobj()
    try:
        content = inflater.decompress(stream, bound + 1)
    except _InflateError as error:
        raise ProtocolError(Reason.INFLATE, f"{frame} is no zlib stream") from error
    if stream[0] > _LARGEST_HISTORY:
        raise ProtocolError(Reason.INFLATE, f"{frame} is no zlib stream")
    what = f"content, inflated from {size} bytes,"
    check_limit(len(content), bound, what, "bytes or more")
    if not inflater.eof:
        raise ProtocolError(Reason.INFLATE, f"{frame} ends before its zlib stream")
    if behind := len(inflater.unused_data):
        raise ProtocolError(
            Reason.INFLATE, f"{frame} holds {behind} bytes behind its zlib stream"
        )
    return content
