"""The tables of protocol/README.md say what the code does."""

import doctest
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from lumberjack import TRANSITIONS, Limits, Reason, State, Step
from lumberjack.frames import ACK, COMPRESSED, DATA, JSON, WINDOW
from lumberjack.refusal import REFUSALS

_README = Path(__file__).parents[2] / "protocol" / "README.md"
_LIVE = tuple(State)[:-2]


def _table(heading: str) -> list[list[str]]:
    """Return the rows of the first table under a heading, the titles first."""
    section = _README.read_text().split(f"\n{heading}", 1)[1].split("\n#", 1)[0]
    rows = [line for line in section.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    return [cells[0], *cells[2:]]


def _cell(state: State, step: Step) -> str:
    if step in TRANSITIONS[state]:
        return TRANSITIONS[state][step].value
    if step in REFUSALS[state]:
        return f"*{REFUSALS[state][step]}*"
    return "-"


def test_the_state_table_is_that_of_the_code() -> None:
    titles, *rows = _table("## States")

    assert titles == ["what arrives", *(state.value for state in _LIVE)]
    assert sorted(rows) == sorted(
        [step.value, *(_cell(state, step) for state in _LIVE)] for step in Step
    )


@pytest.mark.parametrize("state", _LIVE)
def test_every_frame_has_either_a_next_state_or_a_refusal(state: State) -> None:
    frames = set(Step) - {Step.FULL, Step.CLOSE, Step.VIOLATION}

    assert set(TRANSITIONS[state]) | set(REFUSALS[state]) >= frames
    assert not set(TRANSITIONS[state]) & set(REFUSALS[state])


@pytest.mark.parametrize("state", [State.CLOSED, State.FAILED])
def test_nothing_follows_the_end(state: State) -> None:
    assert TRANSITIONS[state] == {}


@pytest.mark.parametrize(
    ("heading", "declaration"),
    [
        ("### `W`", WINDOW),
        ("### `C`", COMPRESSED),
        ("### `J`", JSON),
        ("### `D`", DATA),
        ("### `A`", ACK),
    ],
)
def test_a_head_is_laid_out_as_the_page_says(heading: str, declaration: Any) -> None:
    offset, expected = 0, []
    for field in declaration.defersubcon.subcons:
        expected.append([str(offset), str(field.sizeof()), field.name])
        offset += field.sizeof()

    _, *rows = _table(heading)

    assert [row[:3] for row in rows[: len(expected)]] == expected
    assert [int(row[0]) for row in rows[len(expected) :]] in ([], [offset])


def test_the_page_lists_every_limit_with_its_default() -> None:
    _, *rows = _table("## Limits")

    assert {name: int(value) for name, value, _ in rows} == asdict(Limits())


def test_the_page_lists_every_reason() -> None:
    _, *rows = _table("## Reasons to close")

    assert [row[0] for row in rows] == list(Reason)


def test_the_example_runs() -> None:
    outcome = doctest.testfile(str(_README), module_relative=False)

    assert (outcome.attempted, outcome.failed) == (7, 0)
