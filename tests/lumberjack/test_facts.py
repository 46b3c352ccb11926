"""Every fact of the wire, delivered whole, byte by byte and cut at random."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.lumberjack.facts import RECEIVERS, Fact
from tests.lumberjack.receiving import CUTS, Outcome, cut, receive
from tests.lumberjack.rows import ROWS, RULES

_ROOT = Path(__file__).parents[2]
_STREAMS = _ROOT / "fixtures" / "wire"
_FACTS = {**RECEIVERS, **ROWS, **RULES}


@pytest.mark.parametrize("way", CUTS)
@pytest.mark.parametrize(("name", "fact"), _FACTS.items(), ids=_FACTS)
def test_a_stream_has_the_same_outcome_however_it_is_cut(
    name: str, fact: Fact, way: str
) -> None:
    stream = (_STREAMS / f"{name}.bin").read_bytes()

    outcome = receive(cut(stream, way), fact.limits)

    assert outcome == Outcome(fact.batches, fact.error, fact.is_open, fact.left)


def test_every_stream_has_a_fact_and_every_fact_a_stream() -> None:
    assert {path.stem for path in _STREAMS.glob("*.bin")} == set(_FACTS)


def test_the_tool_makes_the_same_streams_again(tmp_path: Path) -> None:
    tool = _ROOT / "tools" / "make_wire_fixtures.py"

    subprocess.run([sys.executable, tool, tmp_path], check=True)

    made = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    kept = {path.name: path.read_bytes() for path in _STREAMS.glob("*.bin")}
    assert made == kept


@pytest.mark.parametrize("size", range(6, 39))
def test_a_prefix_of_a_data_frame_needs_more_data(size: int) -> None:
    stream = (_STREAMS / "36-data-frame.bin").read_bytes()

    outcome = receive([stream[:size]])

    assert outcome == Outcome((), None, True, ())
