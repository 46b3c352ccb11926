import pytest

from beats_signer.chain.checkpoint import Checkpoint
from beats_signer.chain.errors import FormatError, SignatureError, VerificationError
from beats_signer.chain.merkle import EMPTY_ROOT
from beats_signer.chain.note import VerifierKey, sign_note
from tests.chain.samples import IDENTITY, ORIGIN, SIGNER, private_key, public_key

CHECKPOINT = Checkpoint(SIGNER, 5, bytes(32))
TEXT = f"{SIGNER}\n5\n{'A' * 43}=\n"
NOTE = CHECKPOINT.sign(private_key("identity"))


def test_checkpoint_is_three_lines_signed_by_the_identity() -> None:
    assert CHECKPOINT.text() == TEXT
    assert NOTE.startswith(TEXT + f"\n\u2014 {SIGNER} ")
    assert Checkpoint.parse(TEXT) == CHECKPOINT
    assert Checkpoint.verify(NOTE, IDENTITY) == CHECKPOINT


def test_cosignatures_of_witnesses_may_stand_beside_it() -> None:
    signers = [("w.example", private_key("w")), (SIGNER, private_key("identity"))]
    assert Checkpoint.verify(sign_note(TEXT, signers), IDENTITY) == CHECKPOINT


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "text of a checkpoint is not three lines"),
        (TEXT[:-1], "text of a checkpoint is not three lines"),
        (TEXT + "extension\n", "text of a checkpoint is not three lines"),
        (TEXT.replace("\n", "\r\n"), "size of a checkpoint '5\\r' is not a decimal"),
        (TEXT.replace(SIGNER, ORIGIN), "signer 'signer-1.example.com/acme/audit/2026"),
        (TEXT.replace("\n5", "\n05"), "size of a checkpoint '05' is not a decimal"),
        (TEXT.replace("\n5", "\n-5"), "size of a checkpoint '-5' is not a decimal"),
        (TEXT.replace("A", "", 4), "root of a checkpoint has 29 bytes instead of 32"),
        (TEXT.replace("A=", "B="), "root of a checkpoint 'AAAAAAAAAAAAAAAAAAAAAAAAA"),
        (TEXT.replace("\n5", "\n0"), "checkpoint of size 0 with another root than th"),
    ],
)
def test_another_text_is_refused(text: str, message: str) -> None:
    with pytest.raises(FormatError) as caught:
        Checkpoint.parse(text)
    assert str(caught.value).startswith(message)


def test_a_checkpoint_of_no_seals_has_the_root_of_the_empty_tree() -> None:
    empty = Checkpoint(SIGNER, 0, EMPTY_ROOT)
    assert Checkpoint.parse(empty.text()) == empty


def test_a_checkpoint_by_another_key_is_refused() -> None:
    with pytest.raises(
        SignatureError, match=r"^no signature by signer-1.example.com\+"
    ):
        Checkpoint.verify(NOTE, VerifierKey(SIGNER, public_key("another")))


def test_a_checkpoint_of_another_signer_is_refused() -> None:
    note = Checkpoint("signer-2", 5, bytes(32)).sign(private_key("identity"))
    with pytest.raises(
        VerificationError, match=r"^checkpoint of signer-2 instead of si"
    ):
        Checkpoint.verify(note, IDENTITY)


def test_a_checkpoint_that_was_altered_is_refused() -> None:
    with pytest.raises(SignatureError, match=r"does not fit the text$"):
        Checkpoint.verify(NOTE.replace("\n5\n", "\n6\n"), IDENTITY)
