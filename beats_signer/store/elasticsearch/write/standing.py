"""Read what stands where an item was to be created, and compare it.

A conflict proves nothing: somebody may have taken the name before us. What
stands there is ours when its payload has our leaf, or its seal our text.
"""

import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from beats_signer.chain.errors import ChainError
from beats_signer.chain.merkle import leaf_hash
from beats_signer.chain.note import Note
from beats_signer.store.contract import Write
from beats_signer.store.elasticsearch.client import Answer
from beats_signer.store.elasticsearch.document import RESERVED
from beats_signer.store.elasticsearch.write.rendering import Item, Rendering, is_bare

__all__ = [
    "Signed",
    "Standing",
    "compare",
    "read_documents",
    "read_signed",
    "request_of",
]

_LEAF_BYTES: Final = 32


class Standing(Enum):
    """What stands under the ``_id`` of an item."""

    OURS = "ours"
    OURS_BARE = "ours, bare"
    ANOTHER = "another"
    NOTHING = "nothing"


class _Found(Struct):
    found: bool = False
    source: Raw | UnsetType = msgspec.field(name="_source", default=UNSET)
    error: Raw | UnsetType = UNSET


class _Documents(Struct):
    docs: list[_Found]


@dataclass(frozen=True, slots=True)
class Signed:
    """The ``beats_signer`` object of a document, as it is claimed."""

    chain: Any
    index: Any
    seal: Any
    form: Any
    sender: Any
    payload: Any
    payload_base64: Any
    salt: Any

    def decode(self) -> bytes:
        """Return the payload.

        Raises:
            ValueError: There is none, or it is not base64.
        """
        if isinstance(self.payload, str):
            return self.payload.encode()
        return binascii.a2b_base64(str(self.payload_base64))

    def leaf(self) -> bytes:
        """Return the leaf of what it holds; see ``decode``."""
        salt = binascii.a2b_base64(str(self.salt)) if self.salt is not None else b""
        return leaf_hash(str(self.form).encode(), self.decode(), salt)


_DOCUMENTS = msgspec.json.Decoder(_Documents)
_MEMBERS = msgspec.json.Decoder(dict[str, Raw])
_NAMES: Final = tuple(Signed.__slots__)


def request_of(places: Sequence[tuple[str, str]]) -> bytes:
    """Return the body of a realtime ``_mget`` of (index, ``_id``)."""
    docs = [{"_index": index, "_id": name} for index, name in places]
    return msgspec.json.encode({"docs": docs})


def read_documents(answer: Answer, count: int) -> list[bytes | None]:
    """Return the sources that an ``_mget`` found, ``None`` for what is not there.

    Raises:
        ValueError: The answer is not one to ``count`` documents.
    """
    try:
        docs = _DOCUMENTS.decode(answer.data).docs
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"the answer cannot be read: {error}") from error
    if len(docs) != count:
        raise ValueError(f"{count} documents were asked for, {len(docs)} came back")
    for doc in docs:
        if doc.error is not UNSET:
            raise ValueError(f"a document cannot be read: {bytes(doc.error)[:200]!r}")
    return [
        bytes(doc.source) if doc.found and doc.source is not UNSET else None
        for doc in docs
    ]


def compare(write: Write, item: Item, source: bytes | None) -> Standing:
    """Say what the source of a document is to the item that was to be there."""
    if source is None:
        return Standing.NOTHING
    try:
        members = _MEMBERS.decode(source)
        if item.rendering is Rendering.SEAL:
            return _compare_seal(write, members)
        leaf = _leaf(write, item, read_signed(members))
    except (msgspec.MsgspecError, RecursionError, ValueError, ChainError):
        return Standing.ANOTHER
    own = write.record.leaves[item.position * _LEAF_BYTES :][:_LEAF_BYTES]
    if leaf != own:
        return Standing.ANOTHER
    if is_bare(members) and not _is_meant_so(item):
        return Standing.OURS_BARE
    return Standing.OURS


def _is_meant_so(item: Item) -> bool:
    """Tell whether the event itself has no more to show than a bare document."""
    return item.rendering is Rendering.FULL and is_bare(_MEMBERS.decode(item.document))


def _compare_seal(write: Write, members: dict[str, Raw]) -> Standing:
    note = msgspec.json.decode(members.get("note", Raw(b'""')), type=str)
    is_same = note == write.record.note or (
        Note.parse(note).text == Note.parse(write.record.note).text
    )
    return Standing.OURS if is_same else Standing.ANOTHER


def read_signed(members: dict[str, Raw]) -> Signed:
    """Return the signed object, nested or under dotted names.

    Raises:
        msgspec.MsgspecError, RecursionError: What stands there is no such object.
    """
    nested = {}
    if RESERVED in members:
        nested = msgspec.json.decode(members[RESERVED], type=dict[str, Any])
    dotted = {
        name: msgspec.json.decode(members[key])
        for name in _NAMES
        if (key := f"{RESERVED}.{name}") in members
    }
    found = nested | dotted
    return Signed(*(found.get(name) for name in _NAMES))


def _leaf(write: Write, item: Item, signed: Signed) -> bytes | None:
    """Return the leaf of what stands there, ``None`` when it claims to be another."""
    if signed.chain != write.chain.hex()[:32]:
        return None
    if signed.index != write.seal.first + item.position:
        return None
    return signed.leaf()
