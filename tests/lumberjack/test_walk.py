"""The hot path takes what construct and the frame reader take, and no more."""

from typing import Any

import pytest
from construct import ConstructError
from hypothesis import given, settings
from hypothesis import strategies as st

from lumberjack import Limits
from lumberjack.builders import build_data, build_json, build_pairs
from lumberjack.frames import DATA_FRAME, JSON_FRAME, VERSIONS
from lumberjack.reader import FrameReader
from lumberjack.walk import walk_json, walk_lines

_EXAMPLES = settings(max_examples=400, deadline=None, derandomize=True)
_BUDGET = 1 << 20
_SEQUENCES = st.integers(0, 2**32 - 1)

_json = st.builds(
    build_json, st.sampled_from((1, 2)), _SEQUENCES, st.binary(max_size=20)
)
_lines = st.builds(
    lambda version, sequence, key, value: build_data(
        version, sequence, build_pairs([(key, value)])
    ),
    st.sampled_from((1, 2)),
    _SEQUENCES,
    st.sampled_from((b"line", b"line", b"line", b"Line", b"lin", b"")),
    st.binary(max_size=20),
)
_maps = st.builds(
    lambda value: build_data(1, 7, build_pairs([(b"line", value), (b"n", b"1")])),
    st.binary(max_size=5),
)
_runs = st.lists(st.one_of(_json, _lines, _json, _lines, _maps), max_size=12)
_tails = st.one_of(st.just(b""), st.binary(max_size=30), st.just(b"2J\0\0\0\1\0\0"))
_streams = st.builds(
    lambda frames, tail, drop: b"".join([*frames, tail])[drop:],
    _runs,
    _tails,
    st.sampled_from((0, 0, 0, 0, 1, 10)),
)


def _parse(declaration: Any, data: bytes) -> Any:
    try:
        frame = declaration.parse(data)
    except ConstructError:
        return None
    return frame if frame.version in VERSIONS else None


def _expected_json(data: bytes, count: int, limits: Limits) -> list[tuple[int, bytes]]:
    taken: list[tuple[int, bytes]] = []
    while len(taken) < count and (frame := _parse(JSON_FRAME, data)):
        if not 0 < frame.size <= limits.json_bytes:
            break
        taken.append((frame.sequence, frame.payload))
        data = data[len(JSON_FRAME.build(frame)) :]
    return taken


def _expected_lines(data: bytes, count: int, limits: Limits) -> list[tuple[int, bytes]]:
    taken: list[tuple[int, bytes]] = []
    while len(taken) < count and (frame := _parse(DATA_FRAME, data)):
        sizes = [
            size for item in frame["items"] for size in (len(item.key), len(item.value))
        ]
        if (
            [item.key for item in frame["items"]] != [b"line"]
            or max(sizes) > limits.item_bytes
            or 4 + sum(4 + size for size in sizes) > limits.pairs_bytes
        ):
            break
        taken.append((frame.sequence, frame["items"][0].value))
        data = data[len(DATA_FRAME.build(frame)) :]
    return taken


_limits = st.builds(
    Limits,
    json_bytes=st.sampled_from((5, 1 << 20)),
    item_bytes=st.sampled_from((3, 5, 1 << 20)),
    pairs_bytes=st.sampled_from((4, 20, 1 << 20)),
)


@_EXAMPLES
@given(data=_streams, count=st.integers(0, 14), limits=_limits)
def test_a_walk_over_json_takes_what_construct_parses(
    data: bytes, count: int, limits: Limits
) -> None:
    payloads, _, last = walk_json(data, 0, count, _BUDGET, limits)

    expected = _expected_json(data, count, limits)
    assert payloads == [payload for _, payload in expected]
    assert last == (expected[-1][0] if expected else 0)


@_EXAMPLES
@given(data=_streams, count=st.integers(0, 14), limits=_limits)
def test_a_walk_over_lines_takes_what_construct_parses(
    data: bytes, count: int, limits: Limits
) -> None:
    values, _, last = walk_lines(data, 0, count, _BUDGET, limits)

    expected = _expected_lines(data, count, limits)
    assert values == [value for _, value in expected]
    assert last == (expected[-1][0] if expected else 0)


@_EXAMPLES
@given(data=_streams, count=st.integers(1, 14), is_received=st.booleans())
def test_leaving_the_walk_out_changes_nothing(
    data: bytes, count: int, is_received: bool
) -> None:
    walking = FrameReader(Limits(), bytearray(data) if is_received else data)
    form, payloads, last = walking.walk(count, _BUDGET)

    plain = FrameReader(Limits(), data)
    for payload in payloads:
        head = plain.read_head()
        assert head is not None
        assert plain.read_payload(head) == (form, payload)
        assert head.number == last or payload is not payloads[-1]
    assert walking.buffered_bytes == plain.buffered_bytes


@pytest.mark.parametrize("budget", range(61))
def test_a_walk_stays_within_its_budget(budget: int) -> None:
    data = b"".join(build_json(2, place, bytes(20)) for place in range(3))

    payloads, stop, _ = walk_json(data, 0, 3, budget, Limits())

    assert sum(map(len, payloads)) <= budget
    assert stop == 30 * len(payloads)


def test_a_walk_does_not_go_beyond_the_window() -> None:
    data = b"".join(build_json(2, place, b"{}") for place in range(3))

    payloads, stop, last = walk_json(data, 0, 2, _BUDGET, Limits())

    assert (len(payloads), stop, last) == (2, 24, 1)
