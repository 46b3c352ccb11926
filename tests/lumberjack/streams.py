"""Random streams of frames for hypothesis: sound ones, and ones that are not."""

import zlib

from hypothesis import strategies as st

from lumberjack import Limits
from tools.make_wire_fixtures import data, event, framed, window

__all__ = ["limits", "sound_streams", "wild_streams"]

_VERSIONS = st.sampled_from((1, 2))
_SEQUENCES = st.one_of(st.integers(0, 5), st.integers(0, 2**32 - 1), st.just(2**32 - 1))
_ITEMS = st.one_of(st.just(b"line"), st.binary(max_size=12))


def _pack(level: int, version: int, content: bytes) -> bytes:
    return framed(version, zlib.compress(content, level))


_events = st.builds(event, _VERSIONS, _SEQUENCES, st.binary(min_size=1, max_size=30))
_pairs = st.lists(st.tuples(_ITEMS, _ITEMS), min_size=1, max_size=3)
_data = st.builds(
    lambda version, sequence, pairs: data(version, sequence, *pairs),
    _VERSIONS,
    _SEQUENCES,
    _pairs,
)
_bare = st.builds(lambda sequence, pairs: data(1, sequence, *pairs), _SEQUENCES, _pairs)
_windows = st.builds(window, _VERSIONS, st.integers(0, 4))
_greetings = st.sampled_from((b"GET /", b"POS", b"\x16\x03\x01", b"{}", b"<34>", b"X"))


@st.composite
def _sound_windows(draw: st.DrawFn) -> bytes:
    """Return one full window, bare, compressed, or in several parts."""
    frames = draw(st.lists(st.one_of(_events, _data), max_size=6))
    head = window(draw(_VERSIONS), len(frames))
    level, place = draw(st.integers(0, 9)), draw(st.integers(0, len(frames)))
    first, second = b"".join(frames[:place]), b"".join(frames[place:])
    shape = draw(st.integers(0, 3))
    if shape == 0:
        return head + first + second
    if shape == 1:
        return _pack(level, 2, head + first + second)
    if shape == 2:
        return head + _pack(level, 1, first) + _pack(level, 2, second)
    return head + first + _pack(level, 2, second)


@st.composite
def _bare_streams(draw: st.DrawFn) -> bytes:
    """Return what the client sends that announces one window for ever."""
    return window(1, draw(st.integers(1, 4))) + b"".join(draw(st.lists(_bare)))


def _nest(frames: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    content = st.lists(frames, max_size=4).map(b"".join)
    return st.builds(_pack, st.integers(0, 9), _VERSIONS, content)


_frames = st.recursive(st.one_of(_events, _data, _bare, _windows), _nest, max_leaves=8)


@st.composite
def _mutated(draw: st.DrawFn, streams: st.SearchStrategy[bytes]) -> bytes:
    """Return a stream with some bytes changed, dropped, repeated or added."""
    stream = bytearray(draw(streams))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(stream)))
        behind = draw(st.integers(at, min(len(stream), at + 8)))
        stream[at:behind] = draw(
            st.one_of(
                st.binary(max_size=4),
                st.just(bytes(stream[at:behind] * 2)),
                st.sampled_from((b"\xff\xff\xff\xff", b"\0\0\0\0", b"2W", b"1D")),
            )
        )
    return bytes(stream)


sound_streams = st.one_of(
    st.lists(_sound_windows(), max_size=5).map(b"".join), _bare_streams()
)
"""Streams without a violation; the last window may be unfinished."""

_broken_content = st.builds(
    _pack, st.integers(0, 9), _VERSIONS, _mutated(sound_streams)
)

wild_streams = st.one_of(
    _broken_content,
    st.tuples(_windows, _broken_content).map(b"".join),
    sound_streams,
    _mutated(sound_streams),
    st.lists(_frames, max_size=8).map(b"".join),
    st.tuples(sound_streams, _frames).map(b"".join),
    st.tuples(_greetings, sound_streams).map(b"".join),
    st.lists(st.one_of(_sound_windows(), _frames), max_size=5).map(b"".join),
)
"""Any stream: frames out of order, nested, cut short, broken."""

# Not the limits of inflation: beyond them two inflaters need not find the same
# fault first. They have tests of their own.
limits = st.one_of(
    st.just(Limits()),
    st.builds(
        Limits,
        window_events=st.integers(1, 6),
        window_bytes=st.integers(1, 60),
        compressed_bytes=st.integers(1, 120),
        compressed_frames=st.integers(1, 8),
        json_bytes=st.integers(1, 32),
        pairs=st.integers(1, 3),
        item_bytes=st.integers(1, 12),
        pairs_bytes=st.integers(4, 60),
    ),
)
"""Limits as they are, or so small that random streams meet them."""
