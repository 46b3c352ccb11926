"""No bytes make a parser do anything but answer or raise what it declares."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.targets import TARGETS

FIXTURES = Path(__file__).parents[2] / "fixtures"
SEEDS = sorted(FIXTURES.joinpath("fuzz").glob("*/*"))
SAMPLES = {
    name: [path.read_bytes() for path in SEEDS if path.parent.name == name]
    for name in TARGETS
}
FRAGMENTS = st.sampled_from(
    b'"|\\|{|}|\n|\\ud800|18446744073709551616|-0|1e999|00|\r\n|: |${A}|&a'.split(b"|")
)


@st.composite
def mutated(draw: st.DrawFn, samples: list[bytes]) -> bytes:
    """Return a sample with some places changed, dropped, repeated or added to."""
    data = bytearray(draw(st.sampled_from(samples)))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(data)))
        behind = draw(st.integers(at, min(len(data), at + 8)))
        new = st.one_of(
            st.binary(max_size=4), FRAGMENTS, st.just(bytes(data[at:behind]) * 2)
        )
        data[at:behind] = draw(new)
    return bytes(data)


@pytest.mark.parametrize(
    "path", SEEDS, ids=lambda path: f"{path.parent.name}-{path.name}"
)
def test_what_was_found_once_is_answered(path: Path) -> None:
    TARGETS[path.parent.name](path.read_bytes())


@pytest.mark.parametrize("name", TARGETS)
def test_every_target_has_samples(name: str) -> None:
    assert len(SAMPLES[name]) >= 3


def test_every_folder_is_of_a_target() -> None:
    assert {path.parent.name for path in SEEDS} == set(TARGETS)


@pytest.mark.parametrize("name", TARGETS)
def test_any_bytes_are_answered(name: str) -> None:
    check(TARGETS[name], st.binary(max_size=200), 100)


@pytest.mark.parametrize("name", TARGETS)
def test_samples_with_changes_are_answered(name: str) -> None:
    check(TARGETS[name], mutated(SAMPLES[name]), 150)


def check(
    target: Callable[[bytes], None], data: st.SearchStrategy[bytes], examples: int
) -> None:
    @settings(max_examples=examples, deadline=None)
    @given(data)
    def run(data: bytes) -> None:
        target(data)

    run()


@pytest.mark.parametrize("depth", [10, 1_000, 100_000])
@pytest.mark.parametrize("name", ["body", "record", "export", "configuration"])
def test_depth_is_no_way_to_end_the_process(name: str, depth: int) -> None:
    nested = b"[" * depth
    for data in (
        nested,
        nested + b"]" * depth,
        b'{"a":' * depth,
        json.dumps("[").encode(),
    ):
        TARGETS[name](data)
