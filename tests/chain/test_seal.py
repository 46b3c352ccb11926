from dataclasses import replace
from typing import Any

import pytest

from beats_signer.chain.errors import FormatError, SignatureError
from beats_signer.chain.merkle import EMPTY_ROOT
from beats_signer.chain.note import VerifierKey, sign_note
from beats_signer.chain.seal import (
    ZERO,
    Kind,
    Seal,
    parse_seal_note,
    sign_seal,
    verify_founding_note,
    verify_seal_note,
)
from tests.chain.samples import (
    EVENTS,
    IDENTITY,
    ORIGIN,
    SIGNER,
    TIME_TEXT,
    founding,
    private_key,
    public_key,
    seal_with,
)

TEXT = EVENTS.text()
NEXT = EVENTS.text().split("\n")[-2].removeprefix("next ")


def test_text_is_twelve_lines_in_their_order() -> None:
    words = [line.split(" ")[0] for line in TEXT.split("\n")]
    assert words == [
        *("beats-signer/seal/v1", ORIGIN, "seal", "kind", "first", "count", "root"),
        *("body", "time", "previous", "log", "next", ""),
    ]
    assert f"\ntime {TIME_TEXT}\n" in TEXT


@pytest.mark.parametrize(
    "seal",
    [
        EVENTS,
        seal_with("{}", kind=Kind.CONFIG),
        seal_with("{}", kind=Kind.ERASE),
        seal_with("{}", kind=Kind.CLOSE),
        seal_with("{}", kind=Kind.FOUND),
        seal_with("{}", kind=Kind.HEARTBEAT, origin=SIGNER),
        replace(EVENTS, number=(1 << 48) - 1, first=(1 << 48) - 65_536, count=65_536),
    ],
)
def test_seal_reads_as_it_is_written(seal: Seal) -> None:
    assert Seal.parse(seal.text()) == seal


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("seal/v1\n", "seal/v2\n", "seal text starts with 'beats-signer/seal/v2'"),
        ("beats-signer/seal/v1\n", "", "seal text is not 12 lines"),
        (ORIGIN, ORIGIN.upper(), "origin 'SIGNER-1.EXAMPLE.COM/ACME/AUDIT/2026"),
        (ORIGIN, "", "signer '' has a part that is not"),
        (ORIGIN, ORIGIN + " ", "signer 'signer-1.example.com/acme/audit/2026"),
        ("seal 7", "seal 07", "seal '07' is not a decimal number below 2^48"),
        ("seal 7", "seal -7", "seal '-7' is not a decimal number below 2^48"),
        ("seal 7", "seal  7", "seal ' 7' is not a decimal number below 2^48"),
        ("seal 7", "seal 7 ", "seal '7 ' is not a decimal number below 2^48"),
        ("seal 7", "seal", "line 'seal' does not start with 'seal'"),
        ("seal 7", "Seal 7", "line 'Seal 7' does not start with 'seal'"),
        ("seal 7", "seal 281474976710656", "seal '281474976710656' is not a decimal"),
        ("seal 7", "seal 0", "seal 0 has kind events"),
        ("kind events", "kind Events", "kind 'Events' does not exist"),
        ("kind events", "kind ", "kind '' does not exist"),
        ("kind events", "kind found", "seal 7 has kind found"),
        ("kind events", "kind config", "kind config with count 2"),
        ("kind events", "kind heartbeat", "kind heartbeat with count 2"),
        ("kind events", "kind close", "kind close with count 2"),
        ("first 40", "first 4e1", "first '4e1' is not a decimal number below 2^48"),
        ("first 40", "first 281474976710655", "entries 281474976710655 to 28147497671"),
        ("count 2", "count 0", "kind events with count 0"),
        ("count 2", "count 65537", "count 65537 is not between 0 and 65536"),
        ("count 2", "count +2", "count '+2' is not a decimal number below 2^48"),
        ("root ", "root A", "root 'A"),
        ("root ", "body ", "line 'body "),
        (f"next {NEXT}", f"next {NEXT[:-1]}", "next '"),
        (f"next {NEXT}", f"next {NEXT}\n", "seal text is not 12 lines"),
        (f"next {NEXT}", f"next {NEXT[4:]}", "next has 29 bytes instead of 32"),
        (f"next {NEXT}", f"next {'A' * 43}=", "kind events names no next key"),
        (f"next {NEXT}", f"next AQ{'A' * 41}=", "next AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
        ("time 2026-11", "time 2026-31", "time '2026-31-23T09:00:01.500000000Z' does"),
        (TIME_TEXT, "2026-11-23T09:00:01Z", "time '2026-11-23T09:00:01Z' is not spel"),
        ("\n", "\r\n", "seal text starts with 'beats-signer/seal/v1\\r'"),
        ("kind events\nfirst 40", "first 40\nkind events", "line 'first 40' does not"),
    ],
)
def test_another_text_is_refused(old: str, new: str, message: str) -> None:
    assert old in TEXT
    with pytest.raises(FormatError) as caught:
        Seal.parse(TEXT.replace(old, new, 1 if old != "\n" else -1))
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("text", ["", "\n" * 12, TEXT[:-1], TEXT + "x", TEXT + "\n"])
def test_a_text_of_other_lines_is_refused(text: str) -> None:
    with pytest.raises(
        FormatError, match=r"^seal text (is not 12 lines|starts with '')"
    ):
        Seal.parse(text)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": Kind.FOUND, "number": 1}, "seal 1 has kind found"),
        ({"kind": Kind.FOUND, "first": 1}, "seal 0 has first 1"),
        ({"kind": Kind.FOUND, "previous": b"p" * 32}, "seal 0 has previous cHBwcHBwc"),
        ({"kind": Kind.FOUND, "log": b"l" * 32}, "seal 0 has a log that is not the em"),
        ({"kind": Kind.CONFIG, "number": 0}, "seal 0 has kind config"),
        ({"kind": Kind.CONFIG, "previous": ZERO}, "seal 7 has previous AAAAAAAAAAAAAA"),
        ({"kind": Kind.CONFIG, "next": ZERO}, "kind config names no next key"),
        ({"kind": Kind.CONFIG, "root": b"r" * 32}, "count 0 with a root that is not"),
        ({"kind": Kind.CLOSE, "next": public_key("n")}, "kind close names a next key"),
        ({"kind": Kind.HEARTBEAT}, "kind heartbeat outside the catalogue"),
        ({"origin": "a b"}, "signer 'a b' has a part that is not"),
        ({"number": -1}, "seal -1 is not between 0 and 281474976710655"),
        ({"first": 1 << 48}, "first 281474976710656 is not between 0 and"),
        ({"count": 65_537}, "count 65537 is not between 0 and 65536"),
        ({"root": b""}, "root has 0 bytes instead of 32"),
        ({"body": bytes(33)}, "body has 33 bytes instead of 32"),
        ({"previous": b""}, "previous has 0 bytes instead of 32"),
        ({"log": b""}, "log has 0 bytes instead of 32"),
        ({"next": b""}, "next has 0 bytes instead of 32"),
        ({"time": -1}, "time -1 is outside the years 1970 to 9999"),
    ],
)
def test_a_seal_that_breaks_a_rule_cannot_be_built(
    changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(FormatError) as caught:
        seal_with("{}", **changes)
    assert str(caught.value).startswith(message)


def test_a_text_above_4_kib_is_refused_when_read_and_when_written() -> None:
    room = 4096 - len(EVENTS.text()) + len(ORIGIN) - len("/t/x/20261123T090000Z")
    signer = "/".join(["a" * 60] * 70)[:room]
    seal = replace(EVENTS, origin=f"{signer}/t/x/20261123T090000Z")
    assert len(seal.text()) == 4096
    assert Seal.parse(seal.text()) == seal
    larger = replace(EVENTS, origin=f"{signer}b/t/x/20261123T090000Z")
    with pytest.raises(
        FormatError, match=r"^seal text of 4097 bytes exceeds the limit"
    ):
        larger.text()
    with pytest.raises(
        FormatError, match=r"^seal text of 4097 bytes exceeds the limit"
    ):
        Seal.parse(seal.text().replace("seal 7", "seal 70"))


def test_a_seal_is_signed_by_one_key_under_its_origin() -> None:
    seal, note = parse_seal_note(sign_seal(EVENTS, private_key("7")))
    assert seal == EVENTS
    assert [line.name for line in note.signatures] == [ORIGIN]
    verify_seal_note(seal, note, public_key("7"))


def test_a_founding_is_signed_by_its_own_key_and_then_by_the_identity() -> None:
    founded, record, _ = founding()
    seal, note = parse_seal_note(record.note)
    assert seal == founded
    assert [line.name for line in note.signatures] == [ORIGIN, SIGNER]
    verify_founding_note(seal, note, public_key("0"), IDENTITY)


def test_a_founding_of_a_catalogue_is_signed_twice_under_one_name() -> None:
    _, record, _ = founding(SIGNER, heartbeat_seconds=60)
    seal, note = parse_seal_note(record.note)
    assert [line.name for line in note.signatures] == [SIGNER, SIGNER]
    verify_founding_note(seal, note, public_key("0"), IDENTITY)


OWN, OTHER = (ORIGIN, private_key("7")), (SIGNER, private_key("identity"))


@pytest.mark.parametrize("signers", [[OTHER], [OWN, OTHER], [OWN, OWN]])
def test_a_seal_with_other_signature_lines_is_refused(signers: list[Any]) -> None:
    with pytest.raises(FormatError, match=r"^seal 7 is signed by 'signer-1"):
        parse_seal_note(sign_note(TEXT, signers))


@pytest.mark.parametrize(
    "signers", [[OWN], [OTHER], [OTHER, OWN], [OWN, OWN], [OWN, OTHER, OTHER]]
)
def test_a_founding_with_other_signature_lines_is_refused(signers: list[Any]) -> None:
    text = founding()[0].text()
    with pytest.raises(FormatError, match=r"^seal 0 is signed by 'signer-1"):
        parse_seal_note(sign_note(text, signers))


def test_a_seal_by_another_key_is_refused() -> None:
    seal, note = parse_seal_note(sign_seal(EVENTS, private_key("8")))
    with pytest.raises(
        SignatureError, match=r"^seal 7: signed by signer-1.*instead of"
    ):
        verify_seal_note(seal, note, public_key("7"))


def test_a_seal_with_the_signature_of_another_text_is_refused() -> None:
    signature = sign_seal(replace(EVENTS, number=8), private_key("7"))
    forged = TEXT + "\n" + signature.rpartition("\n\n")[2]
    seal, note = parse_seal_note(forged)
    with pytest.raises(SignatureError, match=r"^seal 7: signature of .* does not fit"):
        verify_seal_note(seal, note, public_key("7"))


@pytest.mark.parametrize(
    ("key", "identity"), [("0", "another"), ("another", "identity")]
)
def test_a_founding_by_another_key_is_refused(key: str, identity: str) -> None:
    seal, note = parse_seal_note(founding()[1].note)
    with pytest.raises(
        SignatureError, match=r"^seal 0: signed by signer-1.*instead of"
    ):
        verify_founding_note(
            seal, note, public_key(key), VerifierKey(SIGNER, public_key(identity))
        )


def test_the_two_signatures_of_a_founding_do_not_change_places() -> None:
    seal, _, _ = founding(SIGNER, heartbeat_seconds=60)
    names = [(SIGNER, private_key("identity")), (SIGNER, private_key("0"))]
    parsed, note = parse_seal_note(sign_note(seal.text(), names))
    with pytest.raises(SignatureError, match=r"^seal 0: signed by"):
        verify_founding_note(parsed, note, public_key("0"), IDENTITY)


def test_a_founding_is_not_signed_as_another_seal() -> None:
    with pytest.raises(RuntimeError, match=r"^a founding is signed by two keys"):
        sign_seal(founding()[0], private_key("0"))


def test_a_seal_without_entries_has_the_root_of_the_empty_tree() -> None:
    assert seal_with("{}", kind=Kind.CONFIG).root == EMPTY_ROOT
