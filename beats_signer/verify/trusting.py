"""Find out whom to trust: a trust line that was kept, or the source's own word."""

from pathlib import Path

from beats_signer.chain.errors import ChainError
from beats_signer.chain.founding import Found
from beats_signer.chain.seal import SealRecord, parse_seal_note, seal_hash
from beats_signer.chain.trust import TrustLine
from beats_signer.errors import SourceError, UsageError
from beats_signer.verify.readable import Readable

__all__ = ["claimed_trust", "parse_trust"]

_FILE_BYTES = 4096


def parse_trust(text: str) -> TrustLine:
    """Return the trust line that is given, as itself or as the name of its file.

    Raises:
        UsageError: It is neither.
    """
    line = text.strip()
    if " " not in line:
        line = _read_file(Path(text))
    try:
        return TrustLine.parse(line)
    except ChainError as error:
        raise UsageError(
            f"this is not a trust line: {error}",
            hint="A trust line is two words, `<identity vkey> <catalogue id>`, as "
            "`init` has printed it. In a shell, put it in quotes.",
        ) from error


def claimed_trust(source: Readable) -> TrustLine:
    """Return the trust line that a source claims for itself, which proves nothing.

    Raises:
        SourceError: Its catalogue does not start with a founding.
    """
    origin = source.catalogue()
    for item in source.read(origin):
        if not isinstance(item, SealRecord):
            continue
        try:
            seal, note = parse_seal_note(item.note)
            if seal.number == 0:
                found = Found.parse(item.body)
                return TrustLine(found.identity, seal_hash(note.text))
        except ChainError as error:
            raise SourceError(
                f"the founding of the catalogue {origin} is damaged: {error}"
            ) from error
        break
    raise SourceError(f"the catalogue {origin} does not start with its founding")


def _read_file(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_FILE_BYTES).decode("utf-8", "replace").strip()
    except OSError as error:
        raise UsageError(
            f"the trust line cannot be read from {path}: {error.strerror}",
            hint="Name the file that holds it, or give the line itself in quotes.",
        ) from error
