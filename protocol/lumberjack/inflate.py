"""Inflates the stream of one `C` frame, bounded before the output is made."""

from typing import cast

from isal import isal_zlib

from .errors import LimitError, ProtocolError, Reason
from .limits import RATIO_FLOOR_BYTES, Limits

__all__ = ["inflate"]

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
    inflater = isal_zlib.decompressobj()
    try:
        content = inflater.decompress(stream, bound + 1)
    except _InflateError as error:
        raise ProtocolError(
            Reason.INFLATE, f"compressed frame of {size} bytes is no sound zlib stream"
        ) from error
    if len(content) > bound:
        raise LimitError(
            f"compressed frame of {size} bytes inflates beyond the limit of {bound}"
        )
    if not inflater.eof:
        raise ProtocolError(
            Reason.INFLATE,
            f"compressed frame of {size} bytes ends before its zlib stream does",
        )
    if inflater.unused_data:
        raise ProtocolError(
            Reason.INFLATE,
            f"compressed frame of {size} bytes holds {len(inflater.unused_data)}"
            " bytes after its zlib stream",
        )
    return content
