"""Judge the documents that claim to be one seal of a chain, and choose; all pure.

What stands beside the note only steers searches. Of several documents the one is
the seal that the seal before it has named and whose parts are whole; a twin that
is signed as well comes behind it, so that the verifier sees the fork.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from msgspec import Struct

from beats_signer.chain.body import body_hash
from beats_signer.chain.encoding import HASH_BYTES, decode_base64
from beats_signer.chain.errors import ChainError
from beats_signer.chain.findings import Document, FindingKind
from beats_signer.chain.merkle import split_hashes, tree_hash
from beats_signer.chain.seal import (
    Seal,
    SealRecord,
    parse_seal_note,
    seal_hash,
    verify_seal_note,
)
from beats_signer.chain.times import parse_time
from beats_signer.store.contract import Flaw
from beats_signer.store.elasticsearch.places import seal_id
from beats_signer.store.elasticsearch.read.questions import Hit

__all__ = ["Chosen", "StoredSeal", "choose_seal", "read_seal"]

_NO_LEAVES: Final = b"\0"
"""In place of leaves that are not base64: never as long as leaves must be."""
_MILLISECOND: Final = 1_000_000


class _Members(Struct):
    note: Any = ""
    body: Any = ""
    leaves: Any = ""
    chain: Any = None
    origin: Any = None
    seal: Any = None
    kind: Any = None
    first: Any = None
    count: Any = None
    time: Any = None


@dataclass(frozen=True, slots=True)
class StoredSeal:
    """A document that claims to be a seal."""

    document: Document
    record: SealRecord
    seal: Seal | None
    """What its note says, when it can be read."""
    is_steered: bool
    """Whether what stands beside the note says the same as the note."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """What there is under one number."""

    stored: StoredSeal | None
    twins: tuple[StoredSeal, ...] = ()
    """Others that are signed by the same key: each is a fork."""
    flaws: tuple[Flaw, ...] = ()


def read_seal(hit: Hit, chain: str) -> StoredSeal:
    """Read a document of a chain, given by the first half of its id in hex."""
    try:
        members = msgspec.json.decode(hit.source, type=_Members)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        members = _Members()
    note, body = _text(members.note), _text(members.body)
    try:
        leaves = decode_base64(_text(members.leaves), "leaves", None)
    except ChainError:
        leaves = _NO_LEAVES
    record = SealRecord(note, body, leaves)
    document = Document(hit.index, hit.id)
    try:
        seal, _ = parse_seal_note(note)
    except ChainError:
        return StoredSeal(document, record, None, True)
    return StoredSeal(document, record, seal, _is_steered(members, seal, chain))


def choose_seal(
    candidates: Sequence[StoredSeal], number: int, chain: str, before: Seal | None
) -> Chosen:
    """Choose among the documents that are found under one number.

    ``before`` is the seal of the number below, if it is known.
    """
    flaws: list[Flaw] = []
    here = []
    for stored in candidates:
        seal = stored.seal
        if seal is not None and seal.number != number and _is_named(stored, chain):
            continue  # it is read by its name, in its own place
        here.append(stored)
        if seal is not None and seal.number == number and not stored.is_steered:
            flaws.append(_flaw(FindingKind.DRIFT, "seal", number, stored))
    if not here:
        return Chosen(None, (), tuple(flaws))
    ranked = sorted(here, key=lambda one: _rank(one, number, before), reverse=True)
    first, twins = ranked[0], []
    for other in ranked[1:]:
        if other.record == first.record:
            flaws.append(_flaw(FindingKind.DUPLICATE, "seal", number, other))
        elif _rank(other, number, before)[0] and other.record.note != first.record.note:
            twins.append(other)
        else:
            flaws.append(_flaw(FindingKind.FOREIGN, "seal", number, other))
    return Chosen(first, tuple(twins), tuple(flaws))


def _rank(stored: StoredSeal, number: int, before: Seal | None) -> tuple[bool, ...]:
    """Return how well a document fits; a greater one fits better."""
    seal, record = stored.seal, stored.record
    if seal is None or seal.number != number:
        return (False, False, False)
    return (
        _follows(seal, record, before),
        _is_body(seal, record.body),
        _are_leaves(seal, record.leaves),
    )


def _follows(seal: Seal, record: SealRecord, before: Seal | None) -> bool:
    if before is None:
        return True
    try:
        verify_seal_note(seal, parse_seal_note(record.note)[1], before.next)
    except ChainError:
        return False
    return seal.previous == seal_hash(before.text())


def _is_body(seal: Seal, body: str) -> bool:
    try:
        return body_hash(body) == seal.body
    except ChainError:
        return False


def _are_leaves(seal: Seal, leaves: bytes) -> bool:
    return (
        len(leaves) == HASH_BYTES * seal.count
        and tree_hash(split_hashes(leaves)) == seal.root
    )


def _is_named(stored: StoredSeal, chain: str) -> bool:
    """Tell whether a document has the name of the seal that its note is."""
    seal = stored.seal
    return seal is not None and stored.document.id == _name(chain, seal.number)


def _name(chain: str, number: int) -> str:
    return seal_id(bytes.fromhex(chain), number)


def _is_steered(members: _Members, seal: Seal, chain: str) -> bool:
    return (
        members.chain == chain
        and members.origin == seal.origin
        and members.seal == seal.number
        and members.kind == seal.kind.value
        and members.first == seal.first
        and members.count == seal.count
        and _is_time(members.time, seal.time)
    )


def _is_time(text: object, time: int) -> bool:
    """Tell whether a text is a time, to the millisecond that a server may keep."""
    if not isinstance(text, str):
        return False
    try:
        whole = text[:-1] + "000000000"[: 30 - len(text)] + "Z"
        return parse_time(whole) // _MILLISECOND == time // _MILLISECOND
    except ChainError:
        return False


def _flaw(kind: FindingKind, reason: str, number: int, stored: StoredSeal) -> Flaw:
    seals = number, number
    return Flaw(kind, reason, seals=seals, documents=(stored.document,))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
