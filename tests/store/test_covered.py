"""A set of ranges is a set."""

from hypothesis import given
from hypothesis import strategies as st

from beats_signer.store.covered import Covered

RANGES = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=20)


@given(RANGES)
def test_an_index_is_covered_when_one_of_the_ranges_holds_it(
    ranges: list[tuple[int, int]],
) -> None:
    covered = Covered()
    model: set[int] = set()
    for start, end in ranges:
        covered.add(start, end)
        model |= set(range(start, end))

    assert {index for index in range(-1, 42) if index in covered} == model
