"""Shape an event as people see it, beside its signed payload.

An event that is one JSON object is not parsed and written again: its bytes are
checked by a decoder that keeps nothing of them, and spliced. Only what Logstash
does too happens to them: ``@metadata`` is cut out, and a ``@timestamp`` that is
missing or unusable is the time of receipt. Whatever the bytes are, a document
comes out, and it is one line.
"""

import re
from typing import Final

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from beats_signer.store.elasticsearch.pairs import read_pairs

__all__ = [
    "METADATA",
    "RESERVED",
    "TIMESTAMP",
    "TIMESTAMP_FAILURE_FIELD",
    "TIMESTAMP_FAILURE_TAG",
    "WRAPPER_TAG",
    "add_tag",
    "is_reserved",
    "is_usable",
    "shape",
]

METADATA: Final = "@metadata"
"""What a sender tells the next station and not the index."""
TIMESTAMP: Final = "@timestamp"
RESERVED: Final = "beats_signer"
"""The object of this program: no event may have a field of that name."""
TIMESTAMP_FAILURE_FIELD: Final = "_@timestamp"
"""Where Logstash keeps a timestamp that is none."""
TIMESTAMP_FAILURE_TAG: Final = "_timestampparsefailure"
"""How Logstash tags such an event."""
WRAPPER_TAG: Final = "_beats_signer_wrapped"
"""Tag of an event that is shown as one message, for what it is cannot be shown."""

_J, _L, _D = b"JLD"
_MOST_DEPTH: Final = 500
"""Levels of objects and arrays. Elasticsearch reads 1000, and who reads it back in
Python about as many, less what it has called before: nobody may depend on that."""
_NO_OBJECT: Final = "the payload is not one JSON object"
_TOO_DEEP: Final = f"{_NO_OBJECT}, or is nested deeper than {_MOST_DEPTH}"
_NO_UTF8: Final = "the payload is not UTF-8"
_TAKEN: Final = "the payload has a field beats_signer, which only the signer may set"


class _Picked(Struct, rename={"timestamp": TIMESTAMP, "metadata": METADATA}, gc=False):
    timestamp: Raw | UnsetType = UNSET
    metadata: Raw | UnsetType = UNSET
    beats_signer: Raw | UnsetType = UNSET


_Members = dict[str, Raw]
_PICK = msgspec.json.Decoder(_Picked).decode
_MEMBERS = msgspec.json.Decoder(_Members).decode
_ENCODE = msgspec.json.encode

_LINE_FEED, _RETURN, _BACKSLASH, _AT = b"\n\r\\@"
_METADATA_KEY = b'"@metadata"'
_VALUE_AT = len(_METADATA_KEY) + 1
_ESCAPED_KEY = re.compile(rb"\\u00(?:2[eE]|40|5[fF]|6[1245679dDeE]|7[234])").search
"""A letter of ``@metadata``, ``@timestamp`` or ``beats_signer.`` as an escape: the
name may then be there although its bytes are not."""
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"').sub
_NO_BRACKETS = bytes(sorted(set(range(256)) - set(b"{}[]")))
_LEAP_YEAR = (
    rb"(?:\d\d(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)"
)
_DATE = (
    rb"(?:\d{4}-(?:(?:0[13-9]|1[0-2])-(?:0[1-9]|[12]\d|30)|02-(?:0[1-9]|1\d|2[0-8])"
    rb"|(?:0[13578]|1[02])-31)|" + _LEAP_YEAR + rb"-02-29)"
)
_TIME = rb"T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:[.,]\d{1,9})?"
_ZONE = rb"(?:Z|[+-](?:(?:0\d|1[0-7]):?[0-5]\d|18:?00))"
_USABLE = re.compile(rb'"' + _DATE + _TIME + _ZONE + rb'"|\d{1,14}').fullmatch


class _NotShownError(Exception):
    """The event has to be wrapped; the message says why."""


def is_usable(timestamp: bytes) -> bool:
    """Tell whether Elasticsearch takes this JSON value as a ``@timestamp``."""
    return _USABLE(timestamp) is not None


def is_reserved(key: str) -> bool:
    """Tell whether a top-level field belongs to the signer alone."""
    return key == RESERVED or key.startswith(RESERVED + ".")


def shape(form: int, payload: bytes, text: str | None, received: bytes) -> bytes:
    """Return the visible members of an event's document, with the closing brace.

    ``text`` is the payload decoded, ``None`` when it is not UTF-8; ``received``
    is the time of receipt as a JSON string. There is at least one member, and
    no line feed among the bytes.
    """
    try:
        if form == _J:
            return _shape_json(payload, text, received)
        if form == _D:
            return _shape_pairs(payload, received)
        if form == _L:
            return _shape_line(payload, text, received)
    except _NotShownError as error:
        return _wrap(payload, str(error), received)
    return b'"@timestamp":%b}' % received


def _shape_line(payload: bytes, text: str | None, received: bytes) -> bytes:
    try:
        return _shape_json(payload, text, received)
    except _NotShownError as error:
        if str(error) == _TAKEN:
            raise
    message = payload.decode(errors="replace") if text is None else text
    return b'"@timestamp":%b,"message":%b}' % (received, _ENCODE(message))


def _shape_json(payload: bytes, text: str | None, received: bytes) -> bytes:
    """Splice the bytes; whatever is unusual about them goes the long way.

    This is the hot path: to look for one byte, as a number, takes a tenth of what
    it takes to look for several.
    """
    if text is None:
        raise _NotShownError(_NO_UTF8)
    may_be_deep = _may_be_deep(payload)
    try:
        picked = _PICK(payload)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise _NotShownError(_TOO_DEEP if may_be_deep else _NO_OBJECT) from error
    if may_be_deep and _is_deep(payload):
        raise _NotShownError(_TOO_DEEP)
    if picked.beats_signer is not UNSET:
        raise _NotShownError(_TAKEN)
    timestamp, metadata = picked.timestamp, picked.metadata
    if (
        payload[:2] != b'{"'
        or _LINE_FEED in payload
        or _RETURN in payload
        or payload.rfind(b'"beats_signer.') >= 0
        or (_BACKSLASH in payload and _ESCAPED_KEY(payload) is not None)
        or (timestamp is not UNSET and _USABLE(timestamp) is None)
    ):
        return _shape_members(payload, received)
    start = b"" if timestamp is not UNSET else b'"@timestamp":%b,' % received
    if metadata is UNSET:
        return start + payload[1:]
    at = payload.find(_METADATA_KEY)
    value = bytes(metadata)
    end = at + _VALUE_AT + len(value)
    if (
        payload[at + _VALUE_AT - 1 : end] != b":" + value
        or payload[end : end + 1] != b","
        or (payload.find(_AT, end) >= 0 and payload.find(_METADATA_KEY, end) >= 0)
    ):
        return _shape_members(payload, received)
    return start + payload[1:at] + payload[end + 1 :]


def _may_be_deep(payload: bytes) -> bool:
    """Tell whether there are brackets enough; where there are, messages are one."""
    return (
        len(payload) > 2 * _MOST_DEPTH
        and payload.count(b"{") + payload.count(b"[") > _MOST_DEPTH
    )


def _is_deep(payload: bytes) -> bool:
    """Tell whether a JSON text has more levels than are shown.

    Level by level the innermost brackets go: no recursion, and no loop over bytes.
    """
    brackets = _STRING(b"", payload).translate(None, _NO_BRACKETS)
    for _ in range(_MOST_DEPTH):
        brackets = brackets.replace(b"{}", b"").replace(b"[]", b"")
        if not brackets:
            return False
    return True


def _shape_members(payload: bytes, received: bytes) -> bytes:
    """Join the members anew; a value keeps its bytes, of a key twice the last."""
    members = {
        key: bytes(value).replace(b"\n", b" ").replace(b"\r", b" ")
        for key, value in _MEMBERS(payload).items()
    }
    return _join(members, received)


def _shape_pairs(payload: bytes, received: bytes) -> bytes:
    members = {key: _ENCODE(value) for key, value in read_pairs(payload).items()}
    return _join(members, received)


def _join(members: dict[str, bytes], received: bytes) -> bytes:
    if any(map(is_reserved, members)):
        raise _NotShownError(_TAKEN)
    members.pop(METADATA, None)
    timestamp = members.pop(TIMESTAMP, None)
    if timestamp is not None and not is_usable(timestamp):
        members[TIMESTAMP_FAILURE_FIELD] = timestamp
        members["tags"] = add_tag(members.get("tags"), TIMESTAMP_FAILURE_TAG)
        timestamp = None
    ordered = {TIMESTAMP: timestamp or received, **members}
    return b",".join(b"%b:%b" % (_ENCODE(k), v) for k, v in ordered.items()) + b"}"


def add_tag(tags: bytes | None, tag: str) -> bytes:
    """Return the JSON value of ``tags`` with one more, whatever it was."""
    one = _ENCODE(tag)
    if tags is None:
        return b"[%b]" % one
    if not tags.startswith(b"["):
        return b"[%b,%b]" % (tags, one)
    before = tags[1:-1].strip()
    return b"[%b,%b]" % (before, one) if before else b"[%b]" % one


def _wrap(payload: bytes, reason: str, received: bytes) -> bytes:
    """Show the payload as one message."""
    return b'"@timestamp":%b,"message":%b,"error":{"message":%b},"tags":[%b]}' % (
        received,
        _ENCODE(payload.decode(errors="replace")),
        _ENCODE(reason),
        _ENCODE(WRAPPER_TAG),
    )
