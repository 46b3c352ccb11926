"""What is fuzzed: each target takes any bytes and raises only for a mistake of ours.

Whatever the bytes, a parser returns a value or raises the error that it declares;
what it has accepted has one spelling. Used by hypothesis, by the files of
``fixtures/fuzz``, and by atheris: see ``tools/fuzz.py``.
"""

import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from beats_signer.chain.body import parse_body
from beats_signer.chain.checkpoint import Checkpoint
from beats_signer.chain.errors import ChainError
from beats_signer.chain.export import (
    EntryLine,
    decode_line,
    decode_lines,
    gather_entries,
)
from beats_signer.chain.note import Note, VerifierKey
from beats_signer.chain.records import parse_record
from beats_signer.chain.seal import Seal, parse_seal_note
from beats_signer.config import load
from beats_signer.errors import ConfigError, UsageError
from beats_signer.receive.proxy_header import ProxyHeaderError, read_header
from lumberjack import Limits
from tests.fuzz.seals import seals_with_body
from tests.lumberjack.receiving import receive

__all__ = ["TARGETS"]

_LIMITS = Limits(
    window_bytes=1 << 20,
    inflated_bytes=1 << 20,
    json_bytes=1 << 16,
    item_bytes=1 << 16,
    pairs_bytes=1 << 16,
)
"""Small ones: a fuzzer reaches them."""


def fuzz_wire(data: bytes) -> None:
    """Deliver a stream whole and in pieces; both have the same outcome.

    The first byte says how large the pieces are.
    """
    size, stream = data[0] % 64 + 1 if data else 1, data[1:]
    pieces = [stream[at : at + size] for at in range(0, len(stream), size)]
    assert receive(pieces, _LIMITS) == receive([stream], _LIMITS)


def fuzz_seal(data: bytes) -> None:
    """Parse the text of a seal."""
    text = _text(data)
    with suppress(ChainError):
        assert Seal.parse(text).text() == text


def fuzz_note(data: bytes) -> None:
    """Parse a note, a seal's note, a checkpoint and a verifier key."""
    text = _text(data)
    with suppress(ChainError):
        Note.parse(text)
        parse_seal_note(text)
    with suppress(ChainError):
        Checkpoint.parse(text)
    with suppress(ChainError):
        assert str(VerifierKey.parse(text)) == text


def fuzz_body(data: bytes) -> None:
    """Parse the body of each kind of seal."""
    text = _text(data)
    for seal in seals_with_body(text):
        with suppress(ChainError):
            parse_body(seal, text)


def fuzz_record(data: bytes) -> None:
    """Parse a record of the catalogue."""
    with suppress(ChainError):
        record = parse_record(data)
        assert parse_record(record.to_payload()) == record


def fuzz_export(data: bytes) -> None:
    """Parse lines of an export, one by one and together."""
    with suppress(ChainError):
        lines = decode_lines(data)
        one_by_one = [decode_line(line) for line in data.split(b"\n") if line]
        assert lines == one_by_one
        list(gather_entries(one for one in lines if isinstance(one, EntryLine)))


def fuzz_configuration(data: bytes) -> None:
    """Load a configuration; what is wrong is explained, with what to do."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "signer.yml"
        path.write_bytes(data)
        try:
            load(path, environment={"A": "1"})
        except (ConfigError, UsageError) as error:
            assert str(error)
            assert error.hint


def fuzz_proxy_header(data: bytes) -> None:
    """Read a PROXY header; no prefix of it is taken for another, or refused."""
    try:
        header = read_header(data)
    except ProxyHeaderError:
        return
    if header is not None:
        assert read_header(data[: header.size]) == header
        for size in range(header.size):
            assert read_header(data[:size]) is None


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


TARGETS: Mapping[str, Callable[[bytes], None]] = {
    "wire": fuzz_wire,
    "seal": fuzz_seal,
    "note": fuzz_note,
    "body": fuzz_body,
    "record": fuzz_record,
    "export": fuzz_export,
    "configuration": fuzz_configuration,
    "proxy_header": fuzz_proxy_header,
}
"""By the name of their folder in ``fixtures/fuzz``."""
