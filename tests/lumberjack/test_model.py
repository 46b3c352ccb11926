"""The connection agrees with a second receiver on any stream, however cut."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from lumberjack import Batch, Limits
from tests.lumberjack.receiving import Outcome, cut, receive
from tests.lumberjack.reference import Judgement, Window, decode
from tests.lumberjack.streams import limits, sound_streams, wild_streams

_EXAMPLES = settings(max_examples=400, deadline=None, derandomize=True)


def _window(batch: Batch) -> Window:
    forms = batch.forms.decode()
    events = list(zip(forms, batch.payloads, strict=True))
    assert batch.payload_bytes == sum(map(len, batch.payloads))
    return Window(batch.version, batch.size, batch.sequence, events)


def _judgement(outcome: Outcome) -> Judgement:
    assert all(batch.acknowledged for batch in outcome.batches)
    assert not any(batch.acknowledged for batch in outcome.left)
    left = [_window(batch) for batch in outcome.left]
    assert len(left) <= 1
    return Judgement(
        [_window(batch) for batch in outcome.batches],
        outcome.error[0] if outcome.error else None,
        outcome.is_open,
        left[0] if left else None,
    )


@_EXAMPLES
@given(stream=wild_streams, bounds=limits)
def test_any_stream_is_judged_like_the_reference_does(
    stream: bytes, bounds: Limits
) -> None:
    outcome = receive([stream], bounds)

    assert _judgement(outcome) == decode(stream, bounds)


@_EXAMPLES
@given(stream=sound_streams)
def test_a_sound_stream_is_never_refused(stream: bytes) -> None:
    outcome = receive([stream])

    assert outcome.error is None
    assert _judgement(outcome) == decode(stream, Limits())


@_EXAMPLES
@given(stream=wild_streams, bounds=limits, places=st.sets(st.integers(1, 400)))
def test_cutting_a_stream_changes_nothing(
    stream: bytes, bounds: Limits, places: set[int]
) -> None:
    edges = [0, *sorted(place for place in places if place < len(stream)), len(stream)]

    at_random = receive((stream[a:b] for a, b in pairwise(edges)), bounds)
    byte_by_byte = receive(cut(stream, "byte by byte"), bounds)

    assert at_random == byte_by_byte == receive([stream], bounds)
