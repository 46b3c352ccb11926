"""Frames are built as the specification prints them."""

import struct

import pytest

from lumberjack import KEEPALIVE_V2, build_ack, build_pairs
from lumberjack.builders import (
    build_compressed,
    build_data,
    build_json,
    build_window_head,
)
from lumberjack.frames import (
    ACK,
    COMPRESSED,
    COMPRESSED_FRAME,
    DATA,
    DATA_FRAME,
    JSON,
    JSON_FRAME,
    LINE,
    WINDOW,
    FrameType,
    Head,
    head_struct,
    parse_ack,
    parse_head,
)

_EVENT = b'{"message":"x"}'


@pytest.mark.parametrize(
    ("built", "printed"),
    [
        (build_window_head(2, 2), "32 57 00 00 00 02"),
        (
            build_json(2, 1, _EVENT),
            "32 4a 00 00 00 01 00 00 00 0f"
            " 7b 22 6d 65 73 73 61 67 65 22 3a 22 78 22 7d",
        ),
        (
            build_compressed(2, bytes.fromhex("789c030000000001")),
            "32 43 00 00 00 08 78 9c 03 00 00 00 00 01",
        ),
        (
            build_data(1, 1, build_pairs([(b"line", b"a")])),
            "31 44 00 00 00 01 00 00 00 01 00 00 00 04 6c 69 6e 65 00 00 00 01 61",
        ),
        (build_ack(2, 2), "32 41 00 00 00 02"),
        (build_ack(1, 2**32 - 1), "31 41 ff ff ff ff"),
        (KEEPALIVE_V2, "32 41 00 00 00 00"),
    ],
)
def test_a_frame_is_built_as_printed(built: bytes, printed: str) -> None:
    assert built.hex(" ") == printed


@pytest.mark.parametrize(
    ("declaration", "fmt"),
    [
        (WINDOW, ">BBL"),
        (COMPRESSED, ">BBL"),
        (JSON, ">BBLL"),
        (DATA, ">BBLL"),
        (LINE, ">BBLLL4sL"),
        (ACK, ">BBL"),
    ],
)
def test_the_fast_format_follows_from_the_declaration(
    declaration: object, fmt: str
) -> None:
    assert head_struct(declaration).format == fmt


@pytest.mark.parametrize(
    ("raw", "head"),
    [
        (build_window_head(1, 7), Head(1, FrameType.WINDOW, 7, 0)),
        (build_compressed(2, b"xyz")[:6], Head(2, FrameType.COMPRESSED, 0, 3)),
        (build_json(2, 8, b"xyz")[:10], Head(2, FrameType.JSON, 8, 3)),
        (
            build_data(1, 9, build_pairs([(b"a", b"b"), (b"", b"")]))[:10],
            Head(1, FrameType.DATA, 9, 2),
        ),
    ],
)
def test_a_head_is_read_as_it_was_built(raw: bytes, head: Head) -> None:
    assert parse_head(raw) == head


def test_an_ack_is_read_as_it_was_built() -> None:
    assert parse_ack(build_ack(1, 77)) == (1, 77)


def test_whole_frames_are_declared_as_they_are_built() -> None:
    pairs = build_pairs([(b"line", b"a"), (b"", b"")])

    assert COMPRESSED_FRAME.parse(build_compressed(2, b"xyz")).stream == b"xyz"
    assert JSON_FRAME.parse(build_json(2, 1, _EVENT)).payload == _EVENT
    frame = DATA_FRAME.parse(build_data(1, 1, pairs))
    assert [(item.key, item.value) for item in frame["items"]] == [
        (b"line", b"a"),
        (b"", b""),
    ]


def test_a_pairs_block_keeps_repeated_keys_in_order() -> None:
    block = build_pairs([(b"k", b"1"), (b"k", b"2")])

    assert block == struct.pack(">LL1sL1sL1sL1s", 2, 1, b"k", 1, b"1", 1, b"k", 1, b"2")


@pytest.mark.parametrize("version", [0, 3])
def test_a_frame_of_another_version_is_not_built(version: int) -> None:
    with pytest.raises(ValueError, match=rf"^version {version} is neither 1 nor 2$"):
        build_ack(version, 1)
