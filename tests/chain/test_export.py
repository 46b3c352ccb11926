import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beats_signer.chain.errors import FormatError
from beats_signer.chain.export import (
    AbsentEntry,
    EntryLine,
    EntryRun,
    SealLine,
    build_absent_line,
    build_entry_lines,
    build_seal_line,
    decode_line,
    decode_lines,
    gather_entries,
)
from tests.chain.samples import founding

RECORD = founding()[1]
SEAL_LINE = build_seal_line(0, RECORD)
ENTRY: dict[str, Any] = {"index": 3, "form": "J", "payload": "{}"}


def entry_line(**changes: Any) -> bytes:
    return json.dumps({"entry": ENTRY | changes}).encode() + b"\n"


def gather(block: bytes) -> list[EntryRun | AbsentEntry]:
    lines = decode_lines(block)
    return list(gather_entries(x for x in lines if isinstance(x, EntryLine)))


def test_seal_line_reads_as_it_is_written() -> None:
    line = decode_line(SEAL_LINE)
    assert isinstance(line, SealLine)
    assert (line.number, line.record()) == (0, RECORD)


@given(
    st.lists(
        st.tuples(st.sampled_from(b"JLDR"), st.binary(), st.binary(min_size=16)),
        min_size=1,
        max_size=9,
    ),
    st.integers(0, 1 << 47),
    st.booleans(),
)
def test_entry_lines_read_as_they_are_written(
    entries: list[tuple[int, bytes, bytes]], first: int, salted: bool
) -> None:
    forms = bytes(form for form, _, _ in entries)
    payloads = [payload for _, payload, _ in entries]
    salts = [salt[:16] for _, _, salt in entries] if salted else None
    block = build_entry_lines(first, forms, payloads, salts)
    assert gather(block) == [EntryRun(first, forms, payloads, salts)]
    assert block.count(b"\n") == len(entries)


def test_payload_is_base64_only_when_it_is_not_utf8() -> None:
    text, raw = build_entry_lines(0, b"JD", [b"\xc3\xa9", b"\xff"]).splitlines()
    assert text == '{"entry":{"index":0,"form":"J","payload":"\u00e9"}}'.encode()
    assert raw == b'{"entry":{"index":1,"form":"D","payload_base64":"/w=="}}'


def test_runs_end_at_gaps_absent_entries_and_changes_of_salt() -> None:
    salt = [b"s" * 16]
    block = (
        build_entry_lines(0, b"JJ", [b"0", b"1"])
        + build_absent_line(2, "expired")
        + build_absent_line(3, "erased")
        + build_entry_lines(4, b"J", [b"4"])
        + build_entry_lines(6, b"J", [b"6"])
        + build_entry_lines(7, b"J", [b"7"], salt)
        + build_entry_lines(7, b"J", [b"7"], salt)
    )
    assert gather(block) == [
        EntryRun(0, b"JJ", [b"0", b"1"], None),
        AbsentEntry(2, "expired"),
        AbsentEntry(3, "erased"),
        EntryRun(4, b"J", [b"4"], None),
        EntryRun(6, b"J", [b"6"], None),
        EntryRun(7, b"J", [b"7"], salt),
        EntryRun(7, b"J", [b"7"], salt),
    ]


def test_absent_line_has_the_index_and_the_reason_only() -> None:
    line = build_absent_line(5, "erased")
    assert line == b'{"entry":{"index":5,"absent":"erased"}}\n'


def test_the_last_line_may_lack_its_newline() -> None:
    assert decode_lines(SEAL_LINE + entry_line()[:-1]) == decode_lines(
        SEAL_LINE + entry_line()
    )
    assert decode_lines(b"") == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"index": -1}, "index -1 is not between 0 and 281474976710655"),
        ({"index": 1 << 48}, "index 281474976710656 is not between 0 and 2814749767"),
        ({"payload_base64": "/w=="}, "entry 3 has two payloads"),
        ({"salt": ""}, "salt has 0 bytes instead of 16"),
        ({"salt": "c" * 22}, "salt 'cccccccccccccccccccccc' is not base64"),
        ({"salt": "c" * 22 + "=="}, "salt 'cccccccccccccccccccccc==' is not canon"),
        ({"absent": "expired"}, "entry 3 is absent and has a payload"),
    ],
)
def test_an_entry_with_other_members_is_refused(
    changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(FormatError) as caught:
        gather(entry_line(**changes))
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"index": 3}, "entry 3 has no form"),
        ({"index": 3, "payload": ""}, "entry 3 has no form"),
        ({"index": 3, "form": "J"}, "entry 3 has no payload"),
        ({"index": 3, "form": "J", "payload_base64": "/x=="}, "payload_base64 '/x=='"),
        ({"index": 3, "form": "J", "payload_base64": "e30="}, "entry 3 has UTF-8 as p"),
        ({"index": 3, "form": "J", "payload_base64": ""}, "entry 3 has UTF-8 as paylo"),
        ({"index": -1, "absent": "erased"}, "index -1 is not between 0 and"),
        ({"index": 1, "absent": "erased", "form": "J"}, "entry 1 is absent and has a"),
    ],
)
def test_an_entry_with_too_few_members_is_refused(
    entry: dict[str, Any], message: str
) -> None:
    with pytest.raises(FormatError) as caught:
        gather(json.dumps({"entry": entry}).encode())
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (entry_line(form="X"), "export line is malformed: Invalid enum value 'X'"),
        (entry_line(absent="lost"), "export line is malformed: Invalid enum value 'lo"),
        (entry_line(index=1.5), "export line is malformed: Expected `int`, got `float"),
        (entry_line(index="1"), "export line is malformed: Expected `int`, got `str`"),
        (entry_line(index=True), "export line is malformed: Expected `int`, got `bool"),
        (entry_line(payload=None), "export line is malformed: Expected `str`, got `nu"),
        (entry_line(x=1), "export line is malformed: Object contains unknown field `x"),
        (entry_line(payload="\ud800"), "export line is malformed: "),
        (b'{"entry":{"index":1,"payload":"\xff"}}', "export line is malformed: 'utf-8"),
        (b'{"entry":{"index":' + b"9" * 5000 + b"}}", "export line is malformed: Int"),
        (b'{"entry":{"x":' + b"[" * 99_999, "export line is malformed: "),
        (b'{"seal":' + b"[" * 99_999, "export line is malformed: maximum recursion de"),
        (b"\xef\xbb\xbf" + SEAL_LINE, "export line is malformed: JSON is malformed"),
        (b"nonsense", "export line is malformed: JSON is malformed"),
        (b"[]", "export line is malformed: Expected `object`, got `array`"),
        (b'{"x":1}', "export line is malformed: Object contains unknown field `x`"),
        (b'{"entry":', "export line is malformed: Input data was truncated"),
        (b"{}", "seal line: Object missing required field `seal`"),
        (b'{"entry":{"index":1},"seal":{}}', "export line is both a seal and an entry"),
        (b"\n", "export has a line that is not one object"),
        (SEAL_LINE + b"\n" + SEAL_LINE, "export has a line that is not one object"),
        (SEAL_LINE[:-1] + SEAL_LINE, "export has a line that is not one object"),
        (
            SEAL_LINE.replace(b":", b":\n", 1),
            "export has a line that is not one object",
        ),
        (
            SEAL_LINE[:-1] + entry_line() + b'{"seal":\n' + SEAL_LINE[8:],
            "seal line is not valid JSON: Extra data",
        ),
    ],
)
def test_a_malformed_line_is_refused(line: bytes, message: str) -> None:
    with pytest.raises(FormatError) as caught:
        decode_lines(line)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b'"number":0', b'"number":1', "seal line of number 1 has the note of another"),
        (b'"number":0', b'"number":0.0', "seal line: number '0.0' is not a decimal"),
        (b'"number":0', b'"number":-0', "seal line: number '-0' is not a decimal num"),
        (b'"number":0', b'"number":"0"', "seal line: Expected `int`, got `str`"),
        (b'"number":0', b'"number":0,"number":0', "seal line: key 'number' occurs twi"),
        (b'"number":0', b'"number":0,"x":0', "seal line: Object contains unknown fiel"),
        (b'"number":0,', b"", "seal line: Object missing required field `number`"),
        (b'{"seal"', b'{"seal":{},"seal"', "seal line: key 'seal' occurs twice"),
        (b'"note"', b'"note":"","note"', "seal line: key 'note' occurs twice"),
        (b'"note"', b'"n\\u006fte":"","note"', "seal line: key 'note' occurs twice"),
        (b'"leaves":""', b'"leaves":null', "seal line: Expected `str`, got `null`"),
        (b'"leaves":""', b'"leaves":"\\ud800"', "export line is malformed: "),
        (b'"leaves":""', b'"leaves":"\xff"', "seal line is not UTF-8 at byte"),
        (b"\\nseal 0\\n", b"\\nseal 00\\n", "seal line of number 0 has the note of an"),
    ],
)
def test_a_seal_line_with_other_members_is_refused(
    old: bytes, new: bytes, message: str
) -> None:
    assert old in SEAL_LINE
    with pytest.raises(FormatError) as caught:
        decode_lines(entry_line() + SEAL_LINE.replace(old, new, 1))
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("leaves", ["A", "AB==", "AA==\n"])
def test_leaves_are_canonical_base64(leaves: str) -> None:
    with pytest.raises(FormatError, match=r"^leaves .* is not (canonical )?base64$"):
        SealLine(0, RECORD.note, RECORD.body, leaves).record()


@pytest.mark.parametrize("line", [b"", SEAL_LINE + SEAL_LINE])
def test_one_line_is_one_object(line: bytes) -> None:
    with pytest.raises(FormatError, match=r"^export line .* is not one object$"):
        decode_line(line)
