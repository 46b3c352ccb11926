"""The frame reader waits for what a frame needs, and looks at nothing twice."""

import tracemalloc

import pytest

from lumberjack import Limits
from lumberjack.reader import FrameReader
from tools.make_wire_fixtures import data, event, packed, window


def _attempts(frame: bytes, piece_bytes: int) -> list[int]:
    """Return after how many bytes the reader wanted to look at a growing frame."""
    reader = FrameReader(Limits(), bytearray())
    places = []
    for at in range(0, len(frame) - 1, piece_bytes):
        reader.feed(frame[at : min(at + piece_bytes, len(frame) - 1)])
        if reader.is_ready:
            places.append(reader.buffered_bytes)
            head = reader.read_head()
            if head is not None and head.type.name == "COMPRESSED":
                assert reader.read_content(head) is None
            elif head is not None:
                assert reader.read_payload(head) is None
    return places


def test_a_growing_json_frame_is_looked_at_once_for_each_part_of_its_head() -> None:
    assert _attempts(event(2, 1, bytes(5000)), 1) == [1, 2, 10]


def test_a_growing_compressed_frame_is_looked_at_once_for_its_head() -> None:
    frame = packed(2, event(2, 1, bytes(100_000)))

    assert _attempts(frame, 1) == [1, 2, 6]
    assert _attempts(frame, 1024) == [1024]


def test_a_growing_data_frame_is_looked_at_once_for_each_key_and_value() -> None:
    frame = data(1, 1, (b"key", bytes(5000)), (b"", b"value"))

    assert _attempts(frame, 1) == [1, 2, 10, 14, 17, 21, 5021, 5025, 5029]


def test_a_frame_that_was_taken_does_not_stay_in_memory() -> None:
    frames = event(2, 1, bytes(1 << 20)) + event(2, 2, bytes(10))

    tracemalloc.start()
    reader = FrameReader(Limits(), bytearray())
    reader.feed(frames)
    head = reader.read_head()
    taken = head is not None and reader.read_payload(head) is not None
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert taken
    assert reader.buffered_bytes == 20
    assert held < 64 << 10


def test_an_empty_reader_has_no_head() -> None:
    assert FrameReader(Limits(), b"").read_head() is None


def test_the_content_of_a_compressed_frame_cannot_grow() -> None:
    reader = FrameReader(Limits(), window(2, 1))

    with pytest.raises(
        RuntimeError, match=r"^the content of a compressed frame is complete$"
    ):
        reader.feed(b"2")
