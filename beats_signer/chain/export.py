"""Spell the lines of an export file: seals, each followed by its entries.

Entry lines are decoded in bulk. A seal's line is parsed strictly; in an
entry's line a key that occurs twice counts as its last one, and that one is
what is verified.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from beats_signer.chain.encoding import (
    check_number,
    convert,
    decode_base64,
    decode_utf8,
    encode_base64,
    parse_object,
    shown,
)
from beats_signer.chain.errors import FormatError
from beats_signer.chain.seal import SealRecord

__all__ = [
    "SALT_BYTES",
    "Absence",
    "AbsentEntry",
    "EntryLine",
    "EntryRun",
    "Form",
    "SealLine",
    "build_absent_line",
    "build_entry_lines",
    "build_seal_line",
    "decode_line",
    "decode_lines",
    "gather_entries",
]

Form = Literal["J", "L", "D", "R"]
"""Where a payload came from."""

Absence = Literal["expired", "erased"]
"""Why an entry is rightly gone."""


class SealLine(Struct, frozen=True, forbid_unknown_fields=True):
    """A seal; the entries it covers follow."""

    number: int
    note: str
    body: str
    leaves: str
    """Base64 of the joined leaves."""

    def record(self) -> SealRecord:
        """Return the seal as store and verifier hold it."""
        leaves = decode_base64(self.leaves, "leaves", None)
        return SealRecord(self.note, self.body, leaves)


class EntryLine(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """An entry, or the place of one that is rightly gone."""

    index: int
    form: Form | UnsetType = UNSET
    payload: str | UnsetType = UNSET
    payload_base64: str | UnsetType = UNSET
    salt: str | UnsetType = UNSET
    absent: Absence | UnsetType = UNSET


@dataclass(frozen=True, slots=True)
class EntryRun:
    """Entries with consecutive indexes, all of them there."""

    first: int
    forms: bytes
    payloads: list[bytes]
    salts: list[bytes] | None


@dataclass(frozen=True, slots=True)
class AbsentEntry:
    """The place of an entry that is rightly gone."""

    index: int
    why: Absence


class _Line(Struct, forbid_unknown_fields=True, gc=False):
    seal: Raw | UnsetType = UNSET
    entry: EntryLine | UnsetType = UNSET


class _BuiltSeal(Struct):
    seal: SealLine


class _BuiltEntry(Struct, gc=False):
    entry: EntryLine


class _SealOnly(Struct, forbid_unknown_fields=True):
    seal: SealLine


SALT_BYTES = 16
"""Size of an entry's salt in an erasable chain."""

_DECODER = msgspec.json.Decoder(_Line)
_ENCODER = msgspec.json.Encoder()
_FORMS: Final[dict[int, Form]] = {74: "J", 76: "L", 68: "D", 82: "R"}


def build_seal_line(number: int, record: SealRecord) -> bytes:
    """Return the line of a seal."""
    leaves = encode_base64(record.leaves)
    line = SealLine(number, record.note, record.body, leaves)
    return _ENCODER.encode_lines([_BuiltSeal(line)])


def build_entry_lines(
    first: int,
    forms: bytes,
    payloads: Sequence[bytes],
    salts: Sequence[bytes] | None = None,
) -> bytes:
    """Return the lines of entries that are all there, from index ``first``."""
    lines = []
    for at, (form, payload) in enumerate(zip(forms, payloads, strict=True)):
        text: str | UnsetType
        encoded: str | UnsetType
        try:
            text, encoded = payload.decode(), UNSET
        except UnicodeDecodeError:
            text, encoded = UNSET, encode_base64(payload)
        salt = UNSET if salts is None else encode_base64(salts[at])
        entry = EntryLine(first + at, _FORMS[form], text, encoded, salt)
        lines.append(_BuiltEntry(entry))
    return _ENCODER.encode_lines(lines)


def build_absent_line(index: int, why: Absence) -> bytes:
    """Return the line of an entry that is rightly gone."""
    return _ENCODER.encode_lines([_BuiltEntry(EntryLine(index, absent=why))])


def decode_line(line: bytes) -> SealLine | EntryLine:
    """Decode one line, with or without its newline."""
    decoded = decode_lines(line)
    if len(decoded) != 1:
        raise FormatError(f"export line {shown(line)} is not one object")
    return decoded[0]


def decode_lines(block: bytes) -> list[SealLine | EntryLine]:
    """Decode whole lines; the last one may lack its newline.

    Raises:
        FormatError: A line is malformed; ``decode_line`` tells which.
    """
    try:
        lines = _DECODER.decode_lines(block)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise FormatError(f"export line is malformed: {error}") from error
    # A line that holds two objects, none, or a part of one shifts all that
    # follow, and a seal's line does not bear that: it is read by its place.
    if len(lines) != block.count(b"\n") + (block[-1:] not in (b"\n", b"")):
        raise FormatError("export has a line that is not one object")
    if any(line.entry is not UNSET and line.seal is not UNSET for line in lines):
        raise FormatError("export line is both a seal and an entry")
    texts = block.split(b"\n") if any(line.entry is UNSET for line in lines) else []
    return [
        _parse_seal_line(texts[at]) if line.entry is UNSET else line.entry
        for at, line in enumerate(lines)
    ]


def _parse_seal_line(line: bytes) -> SealLine:
    noun = "seal line"
    seal = convert(parse_object(decode_utf8(line, noun), noun), _SealOnly, noun).seal
    if seal.note.split("\n", 3)[2:3] != [f"seal {seal.number}"]:
        raise FormatError(f"{noun} of number {seal.number} has the note of another")
    return seal


def gather_entries(lines: Iterable[EntryLine]) -> Iterator[EntryRun | AbsentEntry]:
    """Yield entry lines as runs of consecutive entries, and what is absent.

    Raises:
        FormatError: A line has a member too many or too few, or a value of it
            is misspelled.
    """
    run: list[EntryLine] = []
    for line in lines:
        if run and not _continues(run[-1], line):
            yield _gather_run(run)
            run = []
        if line.absent is UNSET:
            run.append(line)
        else:
            yield _absent_entry(line, line.absent)
    if run:
        yield _gather_run(run)


def _continues(last: EntryLine, line: EntryLine) -> bool:
    return (
        line.index == last.index + 1
        and line.absent is UNSET
        and (line.salt is UNSET) == (last.salt is UNSET)
    )


def _gather_run(run: list[EntryLine]) -> EntryRun:
    check_number(run[0].index, "index")
    check_number(run[-1].index, "index")
    forms = []
    for line in run:
        if line.form is UNSET:
            raise FormatError(f"entry {line.index} has no form")
        forms.append(line.form)
    salts = [
        decode_base64(line.salt, "salt", SALT_BYTES)
        for line in run
        if line.salt is not UNSET
    ]
    payloads = [_payload_of(line) for line in run]
    return EntryRun(run[0].index, "".join(forms).encode(), payloads, salts or None)


def _absent_entry(line: EntryLine, why: Absence) -> AbsentEntry:
    check_number(line.index, "index")
    if line != EntryLine(line.index, absent=why):
        raise FormatError(f"entry {line.index} is absent and has a payload")
    return AbsentEntry(line.index, why)


def _payload_of(line: EntryLine) -> bytes:
    encoded = line.payload_base64
    if line.payload is not UNSET:
        if encoded is not UNSET:
            raise FormatError(f"entry {line.index} has two payloads")
        return line.payload.encode()
    if encoded is UNSET:
        raise FormatError(f"entry {line.index} has no payload")
    payload = decode_base64(encoded, "payload_base64", None)
    try:
        payload.decode()
    except UnicodeDecodeError:
        return payload
    raise FormatError(f"entry {line.index} has UTF-8 as payload_base64")
