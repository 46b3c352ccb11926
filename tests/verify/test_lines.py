"""Reading the lines of an export, whole, cut anywhere, and damaged."""

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beats_signer.chain.seal import SealRecord
from beats_signer.errors import SourceError
from beats_signer.store.contract import EntryBlock, Flaw
from beats_signer.verify.lines import Item, read_lines
from tests.verify.signer import World, events
from tests.verify.verifying import VECTORS


def items(data: bytes) -> list[Item]:
    """Return what is read of these bytes."""
    return list(read_lines(io.BytesIO(data)))


class Dribble(io.RawIOBase):
    """A file that yields a few bytes at a time."""

    def __init__(self, data: bytes, size: int) -> None:
        self._data = io.BytesIO(data)
        self._size = size

    def read(self, size: int = -1) -> bytes:
        """Return the next few bytes."""
        return self._data.read(self._size)


def flat(found: list[Item]) -> list[object]:
    """Return items without how they were cut into blocks."""
    parts: list[object] = []
    for item in found:
        if isinstance(item, EntryBlock) and item.entries.payloads:
            for at, payload in enumerate(item.entries.payloads):
                parts.append((item.first + at, item.entries.forms[at], payload))
        else:
            parts.append(item)
    return parts


@pytest.mark.parametrize("size", [1, 2, 7, 100, 4096, 1 << 20])
@pytest.mark.parametrize("name", ["catalogue", "plain", "erasable"])
def test_how_a_file_is_cut_makes_no_difference(name: str, size: int) -> None:
    data = (VECTORS / f"{name}.ndjson").read_bytes()

    assert flat(list(read_lines(Dribble(data, size)))) == flat(items(data))  # type: ignore[arg-type]


def test_the_last_line_may_lack_its_newline() -> None:
    data = (VECTORS / "plain.ndjson").read_bytes()

    assert items(data.rstrip(b"\n")) == items(data)


def test_empty_lines_are_passed_over() -> None:
    data = (VECTORS / "plain.ndjson").read_bytes()

    assert flat(items(b"\n" + data.replace(b"\n", b"\n\n"))) == flat(items(data))


def test_a_flaw_names_its_line() -> None:
    data = (VECTORS / "founding_only.ndjson").read_bytes()

    (_, flaw) = items(data + b"\nnonsense\n")

    assert isinstance(flaw, Flaw)
    assert flaw.detail.startswith("line 3: ")


def test_a_flaw_behind_many_blocks_names_its_line() -> None:
    world = World()
    chain = world.chain()
    chain.events(events(0, 3000))
    data = "".join(json.dumps(line) + "\n" for line in chain.lines).encode()

    flaw = items(data + b"nonsense\n")[-1]

    assert isinstance(flaw, Flaw)
    assert flaw.detail.startswith("line 3003: ")


def test_an_entry_with_an_index_keeps_its_place_when_it_is_damaged() -> None:
    (block,) = items(b'{"entry":{"index":7,"form":"J","payload":1}}\n')

    assert isinstance(block, EntryBlock)
    assert (block.first, block.count) == (7, 1)
    assert block.damaged is not None


@pytest.mark.parametrize(
    "line",
    [
        b'{"entry":{"index":7,"form":"J","payload":"a","payload_base64":"//4="}}',
        b'{"entry":{"index":7,"form":"J"}}',
        b'{"entry":{"index":7,"form":"J","payload_base64":"YQ=="}}',
        b'{"entry":{"index":7,"form":"J","payload":"a","absent":"expired"}}',
        b'{"entry":{"index":7,"form":"J","payload":"a","salt":"YQ=="}}',
        b'{"entry":{"index":7,"form":"J","payload":"a","more":1}}',
        b'{"entry":{"index":7,"absent":"lost"}}',
        b'{"entry":{"index":7,"form":"J","payload":"\\ud800"}}',
    ],
)
def test_an_entry_with_two_readings_is_damaged(line: bytes) -> None:
    (block,) = items(line)

    assert isinstance(block, EntryBlock)
    assert block.damaged is not None


def test_a_damaged_entry_leaves_its_neighbours_readable() -> None:
    good = b'{"entry":{"index":%d,"form":"J","payload":"a"}}\n'
    bad = b'{"entry":{"index":1,"form":"J"}}\n'

    found = items(good % 0 + bad + good % 2)

    assert [
        (block.first, block.damaged is None)
        for block in found
        if isinstance(block, EntryBlock)
    ] == [(0, True), (1, False), (2, True)]


def test_leaves_that_are_not_base64_are_never_of_the_right_size() -> None:
    line = json.loads((VECTORS / "plain.ndjson").read_text().splitlines()[0])
    line["seal"]["leaves"] = "?"

    (record,) = items(json.dumps(line).encode())

    assert isinstance(record, SealRecord)
    assert len(record.leaves) % 32


def test_a_line_without_an_end_is_refused_before_memory_is_spent() -> None:
    endless = io.BytesIO(b"x" * (2 << 20))

    with pytest.raises(SourceError, match="a line of more than 1048576 bytes"):
        list(read_lines(endless, line_bytes=1 << 20))

    assert endless.tell() < (1 << 20) + (1 << 17)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_without_a_traceback(data: bytes) -> None:
    items(data)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["seal", "entry", "index", "note", "form", "payload"]),
            inner,
        )
    ),
    max_leaves=8,
)


@given(JSON)
def test_any_json_is_read_without_a_traceback(value: object) -> None:
    items(json.dumps(value).encode())
