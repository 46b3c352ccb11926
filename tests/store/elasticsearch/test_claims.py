"""What a document says of itself is read in every form that servers give it."""

import base64
import json
from typing import Any

import pytest
from msgspec import Raw

from beats_signer.store.elasticsearch.read.claims import Claim, read_claim
from beats_signer.store.elasticsearch.read.questions import Hit

CHAIN = "ab" * 16
SIGNED = {
    "chain": CHAIN,
    "index": 7,
    "seal": 2,
    "form": "J",
    "sender": "web-1",
    "payload": '{"a":"\u00e9"}',
}


def read(source: Any, number: object = 7) -> Claim:
    """Read a document that was found under a number."""
    text = source if isinstance(source, bytes) else json.dumps(source).encode()
    sort = Raw(json.dumps([number, 1]).encode())
    return read_claim(Hit("index", "id", Raw(text), sort), CHAIN)


def signed(**members: Any) -> dict[str, Any]:
    """Return a document of which some signed members are others; ``None``: none."""
    changed = SIGNED | members
    return {"beats_signer": {k: v for k, v in changed.items() if v is not None}}


@pytest.mark.parametrize(
    "source",
    [
        signed(),
        {f"beats_signer.{key}": value for key, value in SIGNED.items()},
        {"beats_signer": [SIGNED]},
        signed(payload=[SIGNED["payload"]], form=["J"]),
        {"beats_signer": {"index": 7}}
        | {f"beats_signer.{key}": value for key, value in SIGNED.items()},
        signed(
            payload=None, payload_base64=base64.b64encode(b'{"a":"\xc3\xa9"}').decode()
        ),
    ],
    ids=["as written", "dotted", "a list of one", "lists of one", "both", "base64"],
)
def test_the_same_is_read_from_every_form(source: Any) -> None:
    claim = read(source)

    assert (claim.index, claim.form, claim.fault) == (7, ord("J"), "")
    assert (claim.payload, claim.text) == ('{"a":"\u00e9"}'.encode(), '{"a":"\u00e9"}')
    assert (claim.seal, claim.sender, claim.salt) == (2, "web-1", None)


def test_bytes_that_are_not_utf8_have_no_text() -> None:
    claim = read(signed(payload=None, payload_base64="/w=="))

    assert (claim.payload, claim.text, claim.fault) == (b"\xff", None, "")


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        (signed(payload=None), "the payload is not there"),
        (signed(payload_base64="AA=="), "the payload is there in two ways"),
        (signed(payload=7), "the payload is no text"),
        (signed(payload=None, payload_base64="A"), "is not base64"),
        (signed(payload=None, payload_base64="AB=="), "is not canonical base64"),
        (signed(payload=None, payload_base64=7), "is no text"),
        (signed(salt="?"), "is not canonical base64"),
        (signed(form="JJ"), "the form is 'JJ'"),
        (signed(form=None), "the form is 'None'"),
        (signed(chain="cd" * 16), "it is of another chain"),
        (signed(chain=f"not {CHAIN}"), "it is of another chain"),
        (signed(chain=None), "it is of another chain"),
        ({}, "it is of another chain"),
        (b'{"beats_signer":', "the document cannot be read"),
        (json.dumps(signed(payload="\ud800")).encode(), "the document cannot be read"),
    ],
)
def test_what_cannot_be_understood_says_why(source: Any, fault: str) -> None:
    claim = read(source)

    assert fault in claim.fault
    assert claim.index == 7


def test_members_that_nobody_writes_are_told() -> None:
    assert read(signed(zone="x", note="y")).extra == ("note", "zone")


@pytest.mark.parametrize("number", [None, "7", 7.5])
def test_a_document_without_a_number_has_none(number: object) -> None:
    assert read({}, number).index == -1
