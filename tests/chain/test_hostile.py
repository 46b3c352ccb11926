"""Whatever text a parser is given, it answers or raises a ``ChainError``."""

import base64
import random
import sys
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beats_signer.chain.body import (
    ConfigBody,
    EmptyBody,
    EraseBody,
    EventsBody,
    parse_body,
)
from beats_signer.chain.checkpoint import Checkpoint
from beats_signer.chain.encoding import (
    decode_base64,
    decode_hex,
    decode_utf8,
    parse_number,
    parse_object,
)
from beats_signer.chain.errors import ChainError
from beats_signer.chain.export import (
    SealLine,
    decode_line,
    decode_lines,
    gather_entries,
)
from beats_signer.chain.founding import Found
from beats_signer.chain.head import Head
from beats_signer.chain.merkle import CompactRange, split_hashes
from beats_signer.chain.note import Note, VerifierKey
from beats_signer.chain.origin import Origin, check_origin
from beats_signer.chain.records import parse_record
from beats_signer.chain.seal import Seal, parse_seal_note, verify_founding_note
from beats_signer.chain.times import parse_time
from beats_signer.chain.trust import TrustLine
from tests.chain.samples import (
    CHAINS,
    IDENTITY,
    ORIGIN,
    TIME_TEXT,
    VECTORS,
    WINDOW,
    founding,
    public_key,
    seal_with,
    vector_bytes,
    vector_seals,
)

FOUNDED, RECORD, HEAD = founding()
NOTE = RECORD.note
CHECKPOINT = (VECTORS / "catalogue.checkpoint").read_text()
BODIES = [seal.body for chain in CHAINS for seal in vector_seals(chain)]
RECORDS = [e["payload"] for s in vector_seals("catalogue") for e in s.entries]


def parse_export(block: bytes) -> None:
    for line in decode_lines(block):
        if isinstance(line, SealLine):
            line.record()
        else:
            list(gather_entries([line]))


def parse_any_body(text: str) -> None:
    """Give a body to a seal that names it, as a forger would."""
    for kind in {seal.kind for seal in KINDS}:
        parse_body(seal_with(text, kind=kind), text)


KINDS = [parse_seal_note(s.note)[0] for c in CHAINS for s in vector_seals(c)]

TEXTS: dict[str, tuple[Callable[[str], Any], list[str]]] = {
    "note": (Note.parse, [NOTE, CHECKPOINT]),
    "seal note": (parse_seal_note, [NOTE]),
    "seal": (Seal.parse, [FOUNDED.text()]),
    "vkey": (VerifierKey.parse, [str(IDENTITY)]),
    "trust": (TrustLine.parse, [(VECTORS / "trust").read_text()]),
    "checkpoint": (Checkpoint.parse, [CHECKPOINT.rpartition("\n\n")[0] + "\n"]),
    "signed checkpoint": (lambda t: Checkpoint.verify(t, IDENTITY), [CHECKPOINT]),
    "found": (Found.parse, BODIES),
    "events": (EventsBody.parse, [*BODIES, EventsBody((WINDOW,)).to_json()]),
    "config": (ConfigBody.parse, BODIES),
    "erase": (EraseBody.parse, [EraseBody((1, 2), "r", "a").to_json()]),
    "empty": (EmptyBody.parse, BODIES),
    "body": (parse_any_body, BODIES),
    "object": (lambda t: parse_object(t, "x"), BODIES),
    "time": (parse_time, [TIME_TEXT]),
    "origin": (Origin.parse, [ORIGIN]),
    "any origin": (check_origin, [ORIGIN, "s/t"]),
    "base64": (lambda t: decode_base64(t, "x"), [base64.b64encode(bytes(32)).decode()]),
    "hex": (lambda t: decode_hex(t, "x", 2), ["0aff"]),
    "number": (lambda t: parse_number(t, "x"), ["0", "281474976710655"]),
}

BYTES: dict[str, tuple[Callable[[bytes], Any], list[bytes]]] = {
    "record": (parse_record, [payload.encode() for payload in RECORDS]),
    "export": (parse_export, [vector_bytes(chain) for chain in CHAINS]),
    "export line": (
        decode_line,
        [x for c in CHAINS for x in vector_bytes(c).splitlines()],
    ),
    "compact range": (CompactRange.from_bytes, [HEAD.log.to_bytes()]),
    "head": (Head.from_bytes, [HEAD.to_bytes()]),
    "hashes": (split_hashes, [bytes(64)]),
    "utf-8": (lambda b: decode_utf8(b, "x"), [b"\xc3\xa9"]),
}

SPLICES = [
    *("", "\n", "\n\n", "\r", "\0", " ", "+", "=", "/", '"', "\\", "\\ud800", "{", "["),
    *("]", "}", ",", ":", "-", "0", "1e9", "1.5", "-1", "NaN", "null", "true", "[" * 9),
    *('"a":1,', "\u2014 ", "\u00e9", "\u2028", "\ufeff", "\ud800", "9" * 20, "A" * 44),
]


def mutated(text: str, rng: random.Random) -> str:
    """Cut, repeat, move or replace some parts of ``text``."""
    for _ in range(rng.randint(1, 3)):
        start = rng.randint(0, len(text))
        end = min(len(text), start + rng.choice([0, 1, 1, 2, 8, 60]))
        piece = rng.choice([*SPLICES, text[start:end] * 2, text[end : end + 30]])
        text = text[:start] + piece + text[end:]
    return text


@pytest.mark.parametrize("name", TEXTS)
@given(text=st.text() | st.text(alphabet=st.characters()))
def test_any_text_is_read_or_refused(name: str, text: str) -> None:
    parse, _ = TEXTS[name]
    try:
        parse(text)
    except ChainError as error:
        assert str(error)


@pytest.mark.parametrize("name", TEXTS)
@given(rng=st.randoms(use_true_random=False))
def test_any_mutation_of_a_valid_text_is_read_or_refused(
    name: str, rng: random.Random
) -> None:
    parse, samples = TEXTS[name]
    try:
        parse(mutated(rng.choice(samples), rng))
    except ChainError as error:
        assert str(error)


@pytest.mark.parametrize("name", BYTES)
@given(value=st.binary())
def test_any_bytes_are_read_or_refused(name: str, value: bytes) -> None:
    parse, _ = BYTES[name]
    try:
        parse(value)
    except ChainError as error:
        assert str(error)


@pytest.mark.parametrize("name", BYTES)
@given(rng=st.randoms(use_true_random=False))
def test_any_mutation_of_valid_bytes_is_read_or_refused(
    name: str, rng: random.Random
) -> None:
    parse, samples = BYTES[name]
    text = mutated(rng.choice(samples).decode("latin-1"), rng)
    try:
        parse(text.encode("latin-1", "replace"))
    except ChainError as error:
        assert str(error)


@pytest.mark.parametrize("name", ["found", "events", "config", "erase", "body"])
@pytest.mark.parametrize("key", ["windows", "identity", "indexes", "x\\u0041"])
def test_any_depth_of_nesting_is_refused(name: str, key: str) -> None:
    parse, _ = TEXTS[name]
    for depth in range(2, sys.getrecursionlimit() + 10):
        with pytest.raises(ChainError):
            parse(f'{{"{key}":{"[" * depth}{"]" * depth}}}')


def test_any_depth_of_nesting_in_a_record_is_refused() -> None:
    for depth in range(sys.getrecursionlimit() + 10):
        with pytest.raises(ChainError):
            parse_record(b'{"kind":' + b"[" * depth + b"]" * depth + b"}")


@pytest.mark.parametrize("place", range(len(NOTE)))
def test_no_character_of_a_founding_note_can_change(place: int) -> None:
    other = "B" if NOTE[place] == "A" else "A"
    with pytest.raises(ChainError):
        seal, note = parse_seal_note(NOTE[:place] + other + NOTE[place + 1 :])
        verify_founding_note(seal, note, public_key("0"), IDENTITY)
