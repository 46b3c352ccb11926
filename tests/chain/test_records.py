import json
from typing import Any

import pytest

from beats_signer.chain.errors import FormatError
from beats_signer.chain.records import (
    BareRecord,
    CatalogueRecord,
    FoundRecord,
    HeadRecord,
    StartRecord,
    StopRecord,
    parse_record,
)
from beats_signer.chain.seal import sign_seal
from tests.chain.samples import EVENTS, ORIGIN, SIGNER, TIME, founding, private_key

NOTE = founding()[1].note
FOUND = {"kind": "found", "origin": ORIGIN, "note": NOTE}
HEAD = {"kind": "head", "origin": ORIGIN, "size": 3, "root": "A" * 43 + "="}
BARE = {"kind": "bare", "origin": ORIGIN, "indexes": [1, 4]}
START = {"kind": "start", "time": "2026-11-23T09:00:01.500000000Z"}


@pytest.mark.parametrize(
    ("record", "members"),
    [
        (FoundRecord(ORIGIN, NOTE), FOUND),
        (HeadRecord(ORIGIN, 3, bytes(32)), HEAD),
        (BareRecord(ORIGIN, (1, 4)), BARE),
        (StartRecord(TIME), START),
        (StopRecord(TIME), START | {"kind": "stop"}),
    ],
)
def test_record_reads_as_it_is_written(
    record: CatalogueRecord, members: dict[str, Any]
) -> None:
    payload = json.dumps(members, separators=(",", ":")).encode()
    assert record.to_payload() == payload
    assert parse_record(payload) == record


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({}, "catalogue record has no kind"),
        ({"kind": "Found"}, "catalogue record has kind 'Found', which does not exist"),
        ({"kind": ["found"]}, "catalogue record has no kind"),
        ({"kind": 1}, "catalogue record has no kind"),
        ({"kind": "found"}, "catalogue record: Object missing required field `origin`"),
        (FOUND | {"x": 1}, "catalogue record: Object contains unknown field `x`"),
        (FOUND | {"note": ""}, "note has no signature lines after an empty line"),
        (FOUND | {"note": None}, "catalogue record: Expected `str`, got `null`"),
        (FOUND | {"origin": SIGNER}, "origin 'signer-1.example.com' is not <signer>/"),
        (
            FOUND | {"origin": "s/t/x/20261123T090000Z"},
            "found record of s/t/x/20261123T090000Z has the note of seal 0 of signer-",
        ),
        (
            FOUND | {"note": sign_seal(EVENTS, private_key("7"))},
            f"found record of {ORIGIN} has the note of seal 7 of {ORIGIN}",
        ),
        (HEAD | {"origin": "x"}, "origin 'x' is not <signer>/<tenant>/<stream>/<foun"),
        (HEAD | {"size": 0}, "size of a head is 0"),
        (HEAD | {"size": -1}, "catalogue record: number '-1' is not a decimal number"),
        (HEAD | {"size": 3.0}, "catalogue record: number '3.0' is not a decimal numb"),
        (HEAD | {"size": 1 << 48}, "catalogue record: number '281474976710656' is no"),
        (HEAD | {"root": "AA=="}, "root of a head has 1 bytes instead of 32"),
        (HEAD | {"time": ""}, "catalogue record: Object contains unknown field `time`"),
        (BARE | {"origin": SIGNER}, "origin 'signer-1.example.com' is not <signer>/"),
        (BARE | {"indexes": []}, "indexes are empty"),
        (BARE | {"indexes": [4, 1]}, "index 1 does not ascend after 4"),
        (BARE | {"indexes": [True]}, "catalogue record: Expected `int`, got `bool`"),
        (START | {"time": "now"}, "time 'now' is not spelled like 2026-11-23T09:00:01"),
        (START | {"time": 1}, "catalogue record: Expected `str`, got `int`"),
        (START | {"kind": "stop", "x": 1}, "catalogue record: Object contains unknown"),
    ],
)
def test_a_malformed_record_is_refused(members: dict[str, Any], message: str) -> None:
    with pytest.raises(FormatError) as caught:
        parse_record(json.dumps(members).encode())
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        (b"", "catalogue record is not valid JSON: Expecting value"),
        (b"\xff", "catalogue record is not UTF-8 at byte 0"),
        (b"[]", "catalogue record is not a JSON object"),
        (b'{"kind":"stop","kind":"stop"}', "catalogue record: key 'kind' occurs twice"),
        (b'{"kind":"stop"}\n{}', "catalogue record is not valid JSON: Extra data"),
    ],
)
def test_a_payload_that_is_no_object_is_refused(payload: bytes, message: str) -> None:
    with pytest.raises(FormatError) as caught:
        parse_record(payload)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("record", [StartRecord, StopRecord])
def test_a_time_without_a_spelling_cannot_be_recorded(
    record: type[StartRecord | StopRecord],
) -> None:
    with pytest.raises(
        FormatError, match=r"^time -1 is outside the years 1970 to 9999"
    ):
        record(-1)
