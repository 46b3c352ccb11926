import pytest

from beats_signer.chain.errors import FormatError
from beats_signer.chain.note import VerifierKey
from beats_signer.chain.trust import TrustLine
from tests.chain.samples import IDENTITY, public_key

LINE = f"{IDENTITY} {'0a' * 32}"
OTHER = VerifierKey("Signer", public_key("identity"))


def test_trust_line_reads_as_it_is_written() -> None:
    line = TrustLine(IDENTITY, b"\n" * 32)
    assert str(line) == LINE
    assert TrustLine.parse(LINE) == line
    assert TrustLine.parse(LINE + "\n") == line


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "trust line '' is not <identity vkey> <catalogue id>"),
        (str(IDENTITY), "trust line 'signer-1.example.com+"),
        (LINE + "\n\n", "catalogue id '0a0a0a0a0a0a0a0a"),
        (LINE + " ", "catalogue id '0a0a0a0a0a0a0a0a"),
        (LINE + "\r\n", "catalogue id '0a0a0a0a0a0a0a0a"),
        (" " + LINE, "vkey '' is not <name>+<key id>+<key>"),
        (LINE.replace(" ", "  "), "catalogue id ' 0a0a"),
        (LINE.replace("0a", "0A"), "catalogue id '0A0A"),
        (LINE[:-2], "catalogue id '0a0a"),
        (f"{OTHER} {'0a' * 32}", "signer 'Signer' has a part that is not"),
    ],
)
def test_another_spelling_is_refused(text: str, message: str) -> None:
    with pytest.raises(FormatError) as caught:
        TrustLine.parse(text)
    assert str(caught.value).startswith(message)


def test_a_catalogue_id_is_a_hash() -> None:
    with pytest.raises(FormatError, match=r"^catalogue id has 16 bytes instead of 32$"):
        TrustLine(IDENTITY, bytes(16))
