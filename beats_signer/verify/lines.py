"""Read the lines of an export file as seals and blocks of entries.

Blocks of about 64 KiB are decoded in bulk. Only when one is refused are its
lines read one by one, and then as much of a damaged line as can be understood
goes to the verifier, beside a flaw that says what is wrong: damage to a line
must not look like the absence of what stood there.
"""

import json
from collections.abc import Iterator
from typing import BinaryIO

from beats_signer.chain.encoding import decode_base64
from beats_signer.chain.errors import FormatError
from beats_signer.chain.export import (
    AbsentEntry,
    EntryLine,
    EntryRun,
    SealLine,
    decode_line,
    decode_lines,
    gather_entries,
)
from beats_signer.chain.findings import FindingKind
from beats_signer.chain.seal import SealRecord, parse_seal_note
from beats_signer.errors import SourceError
from beats_signer.store.contract import Entries, EntryBlock, Flaw

__all__ = ["LINE_BYTES", "Item", "read_lines"]

_BLOCK_BYTES = 64 << 10
LINE_BYTES = 256 << 20
"""Longest line: the largest payload is 32 MiB, and JSON may write a byte as six."""
_NO_LEAVES = b"\0"
"""In place of leaves that are not base64: never as long as leaves must be."""
_NONE = Entries(b"", (), None)

Item = SealRecord | EntryBlock | Flaw


def read_lines(file: BinaryIO, line_bytes: int = LINE_BYTES) -> Iterator[Item]:
    """Yield what the lines of an open file hold, in their order.

    Raises:
        SourceError: A line is longer than any that an export has.
    """
    number = 0
    for block in _blocks(file, line_bytes):
        try:
            lines = decode_lines(block)
        except FormatError:
            for text in block.split(b"\n"):
                number += 1
                yield from _read_line(text, number)
            number -= block.endswith(b"\n")
            continue
        number += len(lines)
        yield from _read_decoded(lines)


def _blocks(file: BinaryIO, line_bytes: int) -> Iterator[bytes]:
    """Yield whole lines, about 64 KiB of them at a time."""
    parts: list[bytes] = []
    size = 0
    while chunk := file.read(_BLOCK_BYTES):
        end = chunk.rfind(b"\n") + 1
        parts.append(chunk[:end] if end else chunk)
        size += len(parts[-1])
        if end:
            yield b"".join(parts)
            parts, size = [chunk[end:]], len(chunk) - end
        elif size > line_bytes:
            raise SourceError(f"a line of more than {line_bytes} bytes is no export")
    if rest := b"".join(parts):
        yield rest


def _read_decoded(lines: list[SealLine | EntryLine]) -> Iterator[Item]:
    entries: list[EntryLine] = []
    for line in lines:
        if isinstance(line, EntryLine):
            entries.append(line)
            continue
        if entries:
            yield from _read_entries(entries)
            entries = []
        try:
            yield line.record()
        except FormatError:
            yield SealRecord(line.note, line.body, _NO_LEAVES)
    if entries:
        yield from _read_entries(entries)


def _read_entries(lines: list[EntryLine]) -> Iterator[EntryBlock]:
    try:
        gathered = list(gather_entries(lines))
    except FormatError as error:
        if len(lines) == 1:
            index = lines[0].index
            yield EntryBlock(index, _NONE, 1, damaged=str(error))
            return
        for line in lines:
            yield from _read_entries([line])
        return
    for part in gathered:
        yield _to_block(part)


def _to_block(part: EntryRun | AbsentEntry) -> EntryBlock:
    if isinstance(part, AbsentEntry):
        return EntryBlock(part.index, _NONE, 1, absent=part.why)
    entries = Entries(part.forms, part.payloads, part.salts)
    return EntryBlock(part.first, entries, len(part.payloads))


def _read_line(text: bytes, number: int) -> Iterator[Item]:
    """Read one line that stands in a block with a damaged one."""
    if not text.strip():
        return
    try:
        yield from _read_decoded([decode_line(text)])
    except FormatError as error:
        yield from _salvage(text, f"line {number}: {error}")


def _salvage(text: bytes, detail: str) -> Iterator[Item]:
    """Return what can be understood of a damaged line."""
    try:
        line = json.loads(text)
        seal, entry = line.get("seal"), line.get("entry")
        index = None if entry is None else int(entry["index"])
        note = None if seal is None else str(seal["note"])
    except (ValueError, RecursionError, AttributeError, LookupError, TypeError):
        yield Flaw(FindingKind.FOREIGN, "line", detail)
        return
    if note is not None:
        if _is_seal_note(note):
            yield Flaw(FindingKind.MODIFIED, "line", detail)
        yield SealRecord(note, str(seal.get("body")), _leaves_of(seal))
    elif index is not None:
        yield EntryBlock(index, _NONE, 1, damaged=detail)
    else:
        yield Flaw(FindingKind.FOREIGN, "line", detail)


def _leaves_of(seal: dict[str, object]) -> bytes:
    try:
        return decode_base64(str(seal.get("leaves")), "leaves", None)
    except FormatError:
        return _NO_LEAVES


def _is_seal_note(note: str) -> bool:
    """Tell whether the verifier will find nothing wrong with the note as such."""
    try:
        parse_seal_note(note)
    except FormatError:
        return False
    return True
