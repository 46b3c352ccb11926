"""Read what a document says of itself: which entry it is, and with which payload.

It is a claim: whoever may write the document may write anything. The quick way is
for documents as this program has written them; the long way finds the same in what
pipelines and other mappings make of them: dotted names, lists of one, other types.
"""

from typing import Any, Final

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from beats_signer.chain.encoding import decode_base64
from beats_signer.chain.errors import ChainError
from beats_signer.chain.findings import Document
from beats_signer.store.elasticsearch.document import RESERVED, TIMESTAMP
from beats_signer.store.elasticsearch.read.questions import Hit

__all__ = ["Claim", "number_of", "read_claim"]


class Claim(Struct, gc=False):
    """One document of a chain."""

    hit: Hit
    index: int
    form: int = 0
    """One ASCII byte."""
    payload: bytes = b""
    text: str | None = None
    """The payload decoded; ``None`` when it is not UTF-8."""
    salt: bytes | None = None
    seal: Any = None
    sender: Any = None
    signed: Raw | None = None
    """The signed object as it stands; ``None``: not as this program writes it."""
    timestamp: Raw | UnsetType = UNSET
    fault: str = ""
    """Why the payload cannot be read."""
    has_payload: bool = True
    """Whether there is one at all."""
    extra: tuple[str, ...] = ()
    """Members of the signed object that this program does not write."""

    @property
    def document(self) -> Document:
        """Return where it stands."""
        return Document(self.hit.index, self.hit.id)


class _Outer(Struct, gc=False, rename={"timestamp": TIMESTAMP}):
    beats_signer: Raw
    timestamp: Raw | UnsetType = UNSET


class _Signed(Struct, gc=False, forbid_unknown_fields=True):
    chain: str
    index: int
    seal: int
    form: str
    sender: str
    payload: str | UnsetType = UNSET
    payload_base64: str | UnsetType = UNSET
    salt: str | UnsetType = UNSET


_OUTER: Final = msgspec.json.Decoder(_Outer).decode
_SIGNED: Final = msgspec.json.Decoder(_Signed).decode
_ANY: Final = msgspec.json.Decoder(dict[str, Any]).decode
_SORT: Final = msgspec.json.Decoder(list[Any]).decode
_MEMBERS: Final = tuple(_Signed.__struct_fields__)


def read_claim(hit: Hit, chain: str) -> Claim:
    """Return what a document says that was found for a chain.

    The chain is given by the first 32 digits of its id. Where it is mapped as text,
    documents are found that only speak of it.
    """
    try:
        outer = _OUTER(hit.source)
        signed = _SIGNED(outer.beats_signer)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _read_odd(hit, chain)
    text, salt = signed.payload, signed.salt
    if (
        text is UNSET
        or signed.payload_base64 is not UNSET
        or len(signed.form) != 1
        or signed.chain != chain
        or (salt is not UNSET and not _is_salt(salt))
    ):
        return _read_odd(hit, chain)
    return Claim(
        hit,
        signed.index,
        ord(signed.form) & 0xFF,
        text.encode(),
        text,
        None if salt is UNSET else _decode(salt),
        signed.seal,
        signed.sender,
        outer.beats_signer,
        outer.timestamp,
    )


def _read_odd(hit: Hit, chain: str) -> Claim:
    """Return what an unusual document says, or why it cannot be understood."""
    index = number_of(hit)
    try:
        members = _ANY(hit.source)
        found = _flattened(members)
        if found.get("chain") != chain:
            raise ValueError("it is of another chain")
        claim = _claim_of(hit, index, found)
        claim.timestamp = Raw(msgspec.json.encode(members.get(TIMESTAMP)))
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        return Claim(hit, index, fault=f"the document cannot be read: {error}")
    except (ValueError, TypeError) as error:
        return Claim(hit, index, fault=str(error))
    return claim


def _claim_of(hit: Hit, index: int, found: dict[str, Any]) -> Claim:
    form, text = found.get("form"), found.get("payload")
    encoded, salt = found.get("payload_base64"), found.get("salt")
    if not isinstance(form, str) or len(form) != 1 or not form.isascii():
        raise ValueError(f"the form is {str(form)[:20]!r}")
    if (text is None) == (encoded is None):
        if text is not None:
            raise ValueError("the payload is there in two ways")
        return Claim(hit, index, has_payload=False, fault="the payload is not there")
    if text is None:
        payload = _decode(encoded)
        try:
            text = payload.decode()
        except UnicodeDecodeError:
            text = None
    elif isinstance(text, str):
        payload = text.encode()
    else:
        raise ValueError("the payload is no text")
    return Claim(
        hit,
        index,
        ord(form),
        payload,
        text,
        None if salt is None else _decode(salt),
        found.get("seal"),
        found.get("sender"),
        extra=tuple(sorted(set(found) - set(_MEMBERS))),
    )


def _flattened(members: dict[str, Any]) -> dict[str, Any]:
    """Return the members of the signed object, nested or under dotted names."""
    nested = members.get(RESERVED)
    if isinstance(nested, list) and len(nested) == 1:
        nested = nested[0]
    found = dict(nested) if isinstance(nested, dict) else {}
    prefix = f"{RESERVED}."
    for key, value in members.items():
        if key.startswith(prefix):
            found.setdefault(key.removeprefix(prefix), value)
    return {key: _single(value) for key, value in found.items()}


def _single(value: object) -> object:
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def number_of(hit: Hit) -> int:
    """Return the number that the search has put the document in order by."""
    values = _SORT(hit.sort)
    number = values[0] if values else None
    return number if isinstance(number, int) else -1


def _is_salt(text: str) -> bool:
    try:
        _decode(text)
    except ValueError:
        return False
    return True


def _decode(text: object) -> bytes:
    if not isinstance(text, str):
        raise ValueError("what should be base64 is no text")
    try:
        return decode_base64(text, "payload or salt", None)
    except ChainError as error:
        raise ValueError(str(error)) from error
