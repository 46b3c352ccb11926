"""Tell whether a document is bare, and render it again from its payload; all pure.

What is bare is what the document says. The catalogue's list of bare entries is
signed and never shrinks: it says which documents *may* be bare. A document that
is recovered holds what an ordinary one holds, so whoever verifies judges it as
any other, listed or not. Only its time may be another: where the event has none,
the time of its seal stands for the time of receipt, as in the bare document.
"""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from msgspec import Raw

from beats_signer.chain.errors import ChainError
from beats_signer.store.elasticsearch.document import (
    TIMESTAMP,
    is_reserved,
    shape,
)
from beats_signer.store.elasticsearch.places import id_of
from beats_signer.store.elasticsearch.write.lines import SENDER_FIELD
from beats_signer.store.elasticsearch.write.rendering import BARE_TAG, is_bare
from beats_signer.store.elasticsearch.write.standing import Signed, read_signed

__all__ = [
    "Bare",
    "MismatchError",
    "Place",
    "Present",
    "check_name",
    "examine",
    "seal_of",
]

Place = tuple[str, str]
"""Index, never a data stream, and ``_id``."""

_FORMS: Final = frozenset("JLD")
_SUFFIXES: Final = frozenset("123456789")
"""After a dot: an event whose first names were taken by somebody else."""
_BARE_NAMES: Final = frozenset({TIMESTAMP, "error", "tags"})
_ENCODE = msgspec.json.encode
_MEMBERS = msgspec.json.Decoder(dict[str, Raw]).decode
_Members = dict[str, Raw]


class MismatchError(Exception):
    """The document is not what its name says: it is not to be touched."""


@dataclass(frozen=True, slots=True)
class Present:
    """A document as it stands now, read in realtime."""

    place: Place
    source: bytes
    seq_no: int
    """Elasticsearch's number of this version; it has nothing to do with a chain."""
    primary_term: int


@dataclass(frozen=True, slots=True)
class Bare:
    """A bare document, and what it is to become."""

    present: Present
    origin: str
    sender: str
    form: int
    payload: bytes
    document: bytes
    """All its members, the signed object with the bytes that it had; one line."""


def examine(
    present: Present,
    origins: Mapping[str, str],
    sender_member: Callable[[Signed], bytes | None] = lambda signed: None,
) -> Bare | None:
    """Return a bare document with what it is to become, ``None`` if it is not bare.

    ``origins`` are the chains that are known, by the first 32 digits of their id.
    ``sender_member`` shows who has sent an event, where that is wanted.

    Raises:
        MismatchError: It is bare, and its payload is not what its ``_id`` names.
    """
    try:
        members = _MEMBERS(present.source)
    except (msgspec.MsgspecError, RecursionError):
        return None
    is_tagged = _is_tagged(members)
    if not is_tagged and not is_bare(members):
        return None
    signed = _check(present.place, members)
    if signed.chain not in origins:
        raise MismatchError("its chain is none of this signer")
    payload = signed.decode()
    try:
        shown = shape(ord(signed.form), payload, _text(payload), _received(members))
    except struct.error as error:
        raise MismatchError("its payload is no block of pairs") from error
    if not _lacks(members, shown, is_tagged=is_tagged):
        return None
    parts = [_reserved(members)]
    if (member := sender_member(signed)) is not None:
        parts.append(member)
    document = b"{%b,%b\n" % (b",".join(parts), shown)
    origin = origins[signed.chain]
    form = ord(signed.form)
    return Bare(present, origin, str(signed.sender), form, payload, document)


def check_name(present: Present) -> None:
    """Refuse a document that does not hold what its ``_id`` names.

    Raises:
        MismatchError: Chain, index or leaf are others, or there is no payload.
    """
    try:
        members = _MEMBERS(present.source)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise MismatchError("it cannot be read") from error
    _check(present.place, members)


def seal_of(present: Present) -> tuple[bytes, int] | None:
    """Return chain and seal of a document that looks bare, as it claims them."""
    try:
        members = _MEMBERS(present.source)
        if not _is_tagged(members) and not is_bare(members):
            return None
        signed = read_signed(members)
        chain, seal = bytes.fromhex(signed.chain), signed.seal
    except (msgspec.MsgspecError, RecursionError, ValueError, TypeError):
        return None
    return (chain, seal) if type(seal) is int and seal >= 0 else None


def _check(place: Place, members: _Members) -> Signed:
    own, dot, suffix = place[1].partition(".")
    try:
        signed = read_signed(members)
        name = id_of(bytes.fromhex(signed.chain), signed.index, signed.leaf())
        is_whole = signed.form in _FORMS and name == own
    except (
        msgspec.MsgspecError,
        RecursionError,
        ValueError,
        TypeError,
        AttributeError,
        OverflowError,
        ChainError,
    ) as error:
        raise MismatchError("it has no signed object that can be read") from error
    if not is_whole or (dot and suffix not in _SUFFIXES):
        raise MismatchError("its payload is not the one that its _id names")
    return signed


def _is_tagged(members: _Members) -> bool:
    return BARE_TAG.encode() in bytes(members.get("tags", Raw(b"")))


def _lacks(members: _Members, shown: bytes, *, is_tagged: bool) -> bool:
    """Tell whether a document lacks what its payload shows.

    An event may look like a bare document by itself, and may have its tag. A final
    pipeline, which no write can leave out, may have added fields to a bare one.
    """
    full = _MEMBERS(b"{" + shown)
    if is_bare(members):
        there = {key: one for key, one in members.items() if not is_reserved(key)}
        there.pop(SENDER_FIELD, None)
        return not _is_same(there, full)
    assert is_tagged, "else it is not looked at"
    own = full.keys() - _BARE_NAMES
    return bool(own) and not _is_tagged(full) and not own & members.keys()


def _is_same(one: _Members, other: _Members) -> bool:
    if one.keys() != other.keys():
        return False
    try:
        return all(_value(one[key]) == _value(other[key]) for key in one)
    except (msgspec.MsgspecError, RecursionError):
        return False


def _value(raw: Raw) -> Any:  # noqa: ANN401
    return msgspec.json.decode(raw)


def _reserved(members: _Members) -> bytes:
    """Return the signed object as it stands, nested or under dotted names."""
    own = [(key, one) for key, one in members.items() if is_reserved(key)]
    return b",".join(b"%b:%b" % (_ENCODE(key), _line(bytes(one))) for key, one in own)


def _line(value: bytes) -> bytes:
    """Return JSON without line breaks, which a string has only as escapes."""
    return value.replace(b"\n", b" ").replace(b"\r", b" ")


def _received(members: _Members) -> bytes:
    return _line(bytes(members.get(TIMESTAMP, Raw(b"null"))))


def _text(payload: bytes) -> str | None:
    try:
        return payload.decode()
    except UnicodeDecodeError:
        return None
