"""A compressed frame costs what the limits allow, not what it claims."""

import subprocess
import sys
import zlib

import pytest

from lumberjack import LimitError, Limits, ProtocolError, Reason
from lumberjack.inflate import inflate

_MIB = 1 << 20

_BOMB = """
import struct, sys, zlib
from lumberjack import Connection, LimitError
from lumberjack.builders import build_compressed, build_window_head

def memory(field):
    with open("/proc/self/status") as status:
        line = next(line for line in status if line.startswith(field))
    return int(line.split()[1]) << 10

mib, count = bytes(1 << 20), 1024
packer = zlib.compressobj(9)
first = packer.compress(mib) + packer.flush(zlib.Z_FULL_FLUSH)
again = packer.compress(mib) + packer.flush(zlib.Z_FULL_FLUSH)
checksum = (count << 20) % 65521 << 16 | 1
bomb = first + again * (count - 1) + b"\\x03\\x00" + struct.pack(">L", checksum)
assert len(bomb) < 2 << 20, len(bomb)
stream = build_window_head(2, 1) + build_compressed(2, bomb)
connection = Connection()
before = memory("VmRSS")
connection.receive_data(stream)
try:
    connection.next_batch()
except LimitError as error:
    print(error)
print(memory("VmHWM") - before, memory("VmRSS") - before, connection.buffered_bytes)
"""


def test_a_bomb_of_one_gibibyte_costs_no_more_than_the_limit() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _BOMB],
        check=True,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )

    message, sizes = done.stdout.splitlines()
    peak, kept, buffered = map(int, sizes.split())
    assert message.endswith(" exceeds the limit of 104857600")
    assert peak < Limits().inflated_bytes + 16 * _MIB
    assert kept < 16 * _MIB
    assert buffered == 0


def test_a_stream_may_inflate_to_the_limit() -> None:
    content = b"x" * 1000

    assert inflate(zlib.compress(content), Limits(inflated_bytes=1000)) == content


def test_a_stream_that_inflates_beyond_the_limit_is_refused() -> None:
    stream = zlib.compress(b"x" * 1001)

    with pytest.raises(LimitError) as refused:
        inflate(stream, Limits(inflated_bytes=1000))
    assert str(refused.value) == (
        f"content, inflated from {len(stream)} bytes, of 1001 bytes or more exceeds the"
        " limit of 1000"
    )


def test_a_ratio_is_judged_beyond_8_mib_only() -> None:
    stream = zlib.compress(bytes(8 * _MIB))
    beyond = zlib.compress(bytes(8 * _MIB + 1))

    assert len(inflate(stream, Limits())) == 8 * _MIB
    with pytest.raises(LimitError) as refused:
        inflate(beyond, Limits())
    assert str(refused.value) == (
        f"content, inflated from {len(beyond)} bytes, of 8388609 bytes or more exceeds"
        " the limit of 8388608"
    )


def test_a_ratio_below_the_limit_is_accepted() -> None:
    stream = zlib.compress(bytes(9 * _MIB))

    assert len(inflate(stream, Limits(inflate_ratio=1031))) == 9 * _MIB


_STREAM = zlib.compress(b"content")
_GZIP = zlib.compressobj(wbits=31)


@pytest.mark.parametrize(
    ("stream", "message"),
    [
        (b"text", "compressed frame of 4 bytes is no zlib stream"),
        (_STREAM[2:-4], "compressed frame of 9 bytes is no zlib stream"),
        (
            _GZIP.compress(b"content") + _GZIP.flush(),
            "compressed frame of 27 bytes is no zlib stream",
        ),
        (
            _STREAM[:-1] + bytes([_STREAM[-1] ^ 1]),
            "compressed frame of 15 bytes is no zlib stream",
        ),
        # A history of 64 KiB, with the check bits that go with it.
        (b"\x88\x1c" + _STREAM[2:], "compressed frame of 15 bytes is no zlib stream"),
        (_STREAM[:1], "compressed frame of 1 bytes ends before its zlib stream"),
        (_STREAM[:-1], "compressed frame of 14 bytes ends before its zlib stream"),
        (_STREAM[:-4], "compressed frame of 11 bytes ends before its zlib stream"),
        (_STREAM[:-5], "compressed frame of 10 bytes ends before its zlib stream"),
        (
            _STREAM + b"abc",
            "compressed frame of 18 bytes holds 3 bytes behind its zlib stream",
        ),
        (
            _STREAM * 2,
            "compressed frame of 30 bytes holds 15 bytes behind its zlib stream",
        ),
    ],
)
def test_what_is_not_exactly_one_whole_zlib_stream_is_refused(
    stream: bytes, message: str
) -> None:
    with pytest.raises(ProtocolError) as refused:
        inflate(stream, Limits())
    assert (refused.value.reason, str(refused.value)) == (Reason.INFLATE, message)


@pytest.mark.parametrize("level", range(10))
def test_every_level_of_zlib_is_inflated(level: int) -> None:
    content = bytes(range(256)) * 300

    assert inflate(memoryview(zlib.compress(content, level)), Limits()) == content
