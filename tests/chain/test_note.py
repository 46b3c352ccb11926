import base64
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beats_signer.chain.errors import FormatError, SignatureError
from beats_signer.chain.note import (
    NOTE_BYTES,
    Note,
    Signature,
    VerifierKey,
    check_public_key,
    sign_note,
    verify,
)
from tests.chain.samples import IDENTITY, SIGNER, private_key, public_key

TEXT = "first\n\nthird\n"
NOTE = sign_note(TEXT, [(SIGNER, private_key("identity"))])
LINE = NOTE.split("\n")[-2]
BASE64 = LINE.split(" ")[2]

# C2SP signed-note's own example, signed by its own key.
C2SP_NOTE = """\
Ognuno sta solo sul cuor della terra
trafitto da un raggio di sole:

ed \u00e8 subito sera.

\u2014 quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+Ehf\
LW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=
"""

# Every spelling of the eight points whose order divides 8: canonical, at or
# above the prime, and with the sign of an x that is zero.
SMALL_ORDER = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
]


def test_note_reads_as_it_is_written_and_verifies() -> None:
    note = Note.parse(NOTE)
    assert str(note) == NOTE
    assert note.text == TEXT
    verify(note, IDENTITY)


def test_note_of_the_specification_is_read() -> None:
    note = Note.parse(C2SP_NOTE)
    assert str(note) == C2SP_NOTE
    assert note.text.endswith("\n\ned \u00e8 subito sera.\n")
    assert note.signatures[0].key_id.hex() == "367ba04b"


@given(st.binary(min_size=32, max_size=32), st.from_regex(r"[^\s+\x00-\x1f]+"))
def test_vkey_reads_as_it_is_written(public: bytes, name: str) -> None:
    try:
        key = VerifierKey(name, public)
    except FormatError:
        return
    assert VerifierKey.parse(str(key)) == key


@pytest.mark.parametrize("public", SMALL_ORDER)
def test_a_key_of_small_order_is_refused_in_every_spelling(public: str) -> None:
    encoded = base64.b64encode(bytes.fromhex(public)).decode()
    with pytest.raises(FormatError) as caught:
        check_public_key(bytes.fromhex(public), "next")
    assert str(caught.value) == f"next {encoded} has small order"


def test_a_key_is_32_bytes() -> None:
    with pytest.raises(FormatError, match=r"^public key has 31 bytes instead of 32$"):
        VerifierKey("a", bytes(31))


VKEY = str(IDENTITY)
OTHER_TYPE = base64.b64encode(b"\x04" + IDENTITY.public).decode()
SMALL = base64.b64encode(b"\x01" + bytes(32)).decode()


@pytest.mark.parametrize(
    ("vkey", "message"),
    [
        ("", "vkey '' is not <name>+<key id>+<key>"),
        ("a+b", "vkey 'a+b' is not <name>+<key id>+<key>"),
        (VKEY.removeprefix(SIGNER), "key name '' is empty or has a space or a plus"),
        (VKEY.replace("+", "++", 1), "vkey "),
        ("a b" + VKEY.removeprefix(SIGNER), "key name 'a b' is empty or has a space"),
        ("x" + VKEY, "vkey has key id "),
        (f"{SIGNER}+{IDENTITY.key_id.hex().upper()}+{VKEY[-44:]}", "key id "),
        (f"{SIGNER}+00000000+{VKEY[-44:]}", "vkey has key id 00000000 instead of "),
        (VKEY + "=", "vkey "),
        (VKEY + "\n", "vkey "),
        (VKEY[:-4], "vkey has 30 bytes instead of 33"),
        (f"{SIGNER}+00000000+{OTHER_TYPE}", "vkey has type 4 instead of 1 (Ed25519)"),
        (f"{SIGNER}+00000000+{SMALL}", "public key AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
    ],
)
def test_another_spelling_of_a_vkey_is_refused(vkey: str, message: str) -> None:
    with pytest.raises(FormatError) as caught:
        VerifierKey.parse(vkey)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("note", "message"),
    [
        ("", "note has no signature lines after an empty line"),
        (TEXT, "signature line 'third' is malformed"),
        (NOTE.replace("\n\n\u2014", "\n\u2014"), "signature line 'third' is malformed"),
        (NOTE[:-1], "note has no signature lines after an empty line"),
        (NOTE + "\n", "note has no signature lines after an empty line"),
        (NOTE + "x\n", "signature line 'x' is malformed"),
        (NOTE.replace("\u2014", "-"), "signature line '- "),
        (NOTE.replace("\u2014 ", "\u2014"), "signature line '\\u2014signer"),
        (NOTE.replace("\u2014 ", "\u2014  "), "signature 'signer-1"),
        (NOTE.replace(SIGNER, "a+b"), "key name 'a+b' is empty or has a space or a pl"),
        (NOTE.replace(SIGNER, "a\u00a0b"), "key name 'a\\xa0b' is empty or has a spac"),
        (NOTE.replace(SIGNER, "a\u2028b"), "key name 'a\\u2028b' is empty or has a sp"),
        (NOTE.replace(SIGNER, "a\ud800"), "key name 'a\\ud800' is empty or has a spac"),
        (NOTE.replace(SIGNER, "a\x01"), "key name 'a\\x01' is empty or has a space or"),
        (NOTE.replace(SIGNER + " ", SIGNER + "  "), "signature ' "),
        (NOTE.replace(BASE64, "AAAA"), "key id has 3 bytes instead of 4"),
        (
            NOTE.replace(BASE64, "AAAAAA=="),
            "signature of 'signer-1.example.com' is emp",
        ),
        (NOTE.replace(BASE64, BASE64[:-1]), "signature "),
        (NOTE.replace(BASE64, BASE64 + " x"), "signature "),
        (NOTE.replace("\n", "\r\n"), "note has no signature lines after an empty line"),
        (NOTE.replace("first", "fi\rst"), "text of a note has the character '\\r'"),
        (NOTE.replace("first", "fi\tst"), "text of a note has the character '\\t'"),
        (NOTE.replace("first", "fi\0st"), "text of a note has the character '\\x00'"),
        (NOTE.replace("first", "\udc80"), "text of a note has the character '\\udc80'"),
        (TEXT + "\n" + f"{LINE}\n" * 101, "note has 101 signature lines, not 1 to 100"),
    ],
)
def test_a_malformed_note_is_refused(note: str, message: str) -> None:
    with pytest.raises(FormatError) as caught:
        Note.parse(note)
    assert str(caught.value).startswith(message)


def test_a_note_above_its_limit_is_refused_before_it_is_cut_up() -> None:
    note = "x" * NOTE_BYTES + "\n\n"
    with pytest.raises(
        FormatError, match=r"^note of 131074 bytes exceeds the limit of"
    ):
        Note.parse(note)


def test_a_text_ends_in_a_newline() -> None:
    with pytest.raises(
        FormatError, match=r"^text of a note does not end in a newline$"
    ):
        sign_note("text", [("a", private_key("a"))])


def test_a_note_has_a_signature() -> None:
    with pytest.raises(
        FormatError, match=r"^note has 0 signature lines, not 1 to 100$"
    ):
        sign_note("text\n", [])


def test_signatures_of_unknown_keys_are_left_alone() -> None:
    witness = Signature("witness.example", b"\xff" * 4, b"not Ed25519")
    note = Note(TEXT, (witness, *Note.parse(NOTE).signatures))
    assert Note.parse(str(note)) == note
    verify(note, IDENTITY)


def test_a_note_by_another_key_is_refused() -> None:
    with pytest.raises(
        SignatureError, match=r"^no signature by signer-1.example.com\+"
    ):
        verify(Note.parse(NOTE), VerifierKey(SIGNER, public_key("another")))


def test_a_note_by_the_same_key_under_another_name_is_refused() -> None:
    with pytest.raises(SignatureError, match=r"^no signature by signer-2\+"):
        verify(Note.parse(NOTE), VerifierKey("signer-2", IDENTITY.public))


def test_a_signature_over_another_text_is_refused() -> None:
    note = replace(Note.parse(NOTE), text="other\n")
    with pytest.raises(SignatureError, match=r"does not fit the text$"):
        verify(note, IDENTITY)


def test_one_wrong_signature_of_a_known_key_spoils_the_note() -> None:
    note = Note.parse(NOTE)
    wrong = replace(note.signatures[0], value=bytes(64))
    with pytest.raises(SignatureError, match=r"does not fit the text$"):
        verify(Note(TEXT, (*note.signatures, wrong)), IDENTITY)


@pytest.mark.parametrize("size", [1, 63, 65, 128])
def test_a_signature_of_another_length_is_refused(size: int) -> None:
    note = Note.parse(NOTE)
    cut = replace(note.signatures[0], value=(note.signatures[0].value * 2)[:size])
    with pytest.raises(SignatureError, match=r"does not fit the text$"):
        verify(Note(TEXT, (cut,)), IDENTITY)


def test_a_second_spelling_of_a_signature_is_refused() -> None:
    order = 2**252 + 27742317777372353535851937790883648493
    note = Note.parse(NOTE)
    value = note.signatures[0].value
    scalar = int.from_bytes(value[32:], "little") + order
    other = replace(
        note.signatures[0], value=value[:32] + scalar.to_bytes(32, "little")
    )
    with pytest.raises(SignatureError, match=r"does not fit the text$"):
        verify(Note(TEXT, (other,)), IDENTITY)


def test_a_key_that_is_no_point_verifies_nothing() -> None:
    key = VerifierKey(SIGNER, b"\x02" + bytes(31))
    line = Signature(SIGNER, key.key_id, bytes(64))
    with pytest.raises(SignatureError, match=r"does not fit the text$"):
        verify(Note(TEXT, (line,)), key)
