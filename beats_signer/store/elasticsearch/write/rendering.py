"""Render an item again when the server will not take it as it is; all pure.

Whatever becomes of an item, its ``beats_signer`` object keeps its bytes: what
was signed is stored. A bare document is that object and a time, with or without
what was wrong.
"""

import json
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, Final

import msgspec
from msgspec import Raw

from beats_signer.store.elasticsearch.document import (
    RESERVED,
    TIMESTAMP,
    add_tag,
    is_usable,
)
from beats_signer.store.elasticsearch.write.outcomes import Outcome, Verdict
from beats_signer.store.elasticsearch.write.signed import shorten, take_signed

__all__ = [
    "BARE_TAG",
    "NO_PIPELINE_TAG",
    "NO_PLACE_TAG",
    "Item",
    "Rendering",
    "is_bare",
    "next_rendering",
    "rename",
    "render",
]

BARE_TAG: Final = "_beats_signer_bare"
"""Tag of a bare document."""
NO_PIPELINE_TAG: Final = "_beats_signer_no_pipeline"
"""Tag of an event whose ingest pipeline does not exist."""
NO_PLACE_TAG: Final = "_beats_signer_no_place"
"""Tag of an event whose sender named a target that does not take it."""

_BARE_MEMBERS: Final = {RESERVED, TIMESTAMP, "error", "tags"}
"""All that a bare document has; some mappings show an object as dotted names."""
_MOST_NAMES: Final = 9
_ENCODE = msgspec.json.encode


class Rendering(Enum):
    """How an item is sent."""

    FULL = "full"
    """As it was encoded."""
    DEFAULT = "default"
    """To the chain's default place: the one its sender named refused it."""
    PLAIN = "plain"
    """Without the ingest pipeline, which does not exist."""
    BARE = "bare"
    """The signed object, and why there is no more."""
    MINIMAL = "minimal"
    """The signed object alone."""
    MOVED = "moved"
    """The same, in the default place: the one its sender named takes not even it."""
    SEAL = "seal"
    """A seal: there is one way to write it."""


_TRANSITIONS: Final[dict[tuple[Rendering, Verdict], Rendering]] = {
    (Rendering.FULL, Verdict.NO_PIPELINE): Rendering.PLAIN,
    (Rendering.FULL, Verdict.REJECTED): Rendering.BARE,
    (Rendering.DEFAULT, Verdict.NO_PIPELINE): Rendering.PLAIN,
    (Rendering.DEFAULT, Verdict.REJECTED): Rendering.BARE,
    (Rendering.PLAIN, Verdict.REJECTED): Rendering.BARE,
    (Rendering.PLAIN, Verdict.NO_PIPELINE): Rendering.BARE,
    (Rendering.BARE, Verdict.REJECTED): Rendering.MINIMAL,
    (Rendering.FULL, Verdict.TOO_LARGE): Rendering.BARE,
    (Rendering.DEFAULT, Verdict.TOO_LARGE): Rendering.BARE,
    (Rendering.PLAIN, Verdict.TOO_LARGE): Rendering.BARE,
    (Rendering.BARE, Verdict.TOO_LARGE): Rendering.MINIMAL,
}
"""What is sent next; what is not here is refused, until somebody mends it."""
_AT_DEFAULT: Final = {Rendering.DEFAULT, Rendering.MOVED}
_STOPPING: Final = {Verdict.NO_PLACE, Verdict.REFUSED, Verdict.NO_PIPELINE}
"""What stops a chain, and no sender may stop one by the names that it gives."""
_HOPELESS: Final = {*_STOPPING, Verdict.REJECTED, Verdict.TOO_LARGE}
"""The same, of a document that cannot be less."""


@dataclass(frozen=True, slots=True)
class Item:
    """One action with its document, as it is to be sent next."""

    position: int
    """Place in the write: that of the entry, or behind them all: the seal's."""
    action: bytes
    document: bytes
    rendering: Rendering
    may_move: bool = False
    """Whether its sender named the target or pipeline."""
    faults: int = 0
    """How often the server failed at it."""
    names: int = 0
    """How many documents that are not ours stand under names of ours."""

    @property
    def size(self) -> int:
        """Return the bytes of its lines."""
        return len(self.action) + len(self.document)

    @property
    def place(self) -> tuple[str, str]:
        """Return target and ``_id``."""
        create = json.loads(self.action)["create"]
        return create["_index"], create["_id"]


def next_rendering(item: Item, verdict: Verdict) -> Rendering | None:
    """Say how an item is sent next, or ``None``: as it is, once it is mended."""
    following = _TRANSITIONS.get((item.rendering, verdict))
    if following is not None or not item.may_move:
        return following
    match item.rendering:
        case Rendering.FULL | Rendering.PLAIN if verdict in _STOPPING:
            return Rendering.DEFAULT
        case Rendering.BARE if verdict in _STOPPING:
            return Rendering.MOVED
        case Rendering.MINIMAL if verdict in _HOPELESS:
            return Rendering.MOVED
    return None


def render(
    item: Item, rendering: Rendering, why: Outcome, *, target: str, time: str
) -> Item:
    """Return the item in another rendering.

    ``target`` is the chain's default place; ``time`` stands in a bare document
    when the event has none that can be used.
    """
    match rendering:
        case Rendering.DEFAULT:
            action = _act(item, _index=target, pipeline=None)
            document = _tagged(item.document, NO_PLACE_TAG)
        case Rendering.PLAIN:
            action = _act(item, pipeline="_none")
            document = _tagged(item.document, NO_PIPELINE_TAG)
        case Rendering.BARE:
            action = _act(item, pipeline="_none")
            document = _bare(item.document, why, time)
        case Rendering.MINIMAL:
            action = _act(item, pipeline="_none")
            document = _minimal(item.document, why, time)
        case Rendering.MOVED:
            action = _act(item, _index=target, pipeline="_none")
            document = _minimal(item.document, why, time)
        case _:
            raise RuntimeError(f"an item is not rendered as {rendering.value} again")
    may_move = item.may_move and rendering not in _AT_DEFAULT
    return replace(
        item,
        action=action,
        document=document,
        rendering=rendering,
        may_move=may_move,
        faults=0,
    )


def rename(item: Item) -> Item | None:
    """Return the item under its next name, ``None`` when there is no more."""
    if item.names == _MOST_NAMES:
        return None
    _, name = item.place
    own = name.partition(".")[0]
    names = item.names + 1
    return replace(item, action=_act(item, _id=f"{own}.{names}"), names=names)


def is_bare(members: dict[str, Any]) -> bool:
    """Tell whether a document has nothing but what a bare one has."""
    return {key.partition(".")[0] for key in members} <= _BARE_MEMBERS and (
        "tags" not in members or BARE_TAG.encode() in bytes(members["tags"])
    )


def _act(item: Item, **changes: str | None) -> bytes:
    create = json.loads(item.action)["create"] | changes
    kept = {key: value for key, value in create.items() if value is not None}
    return _ENCODE({"create": kept}) + b"\n"


def _tagged(document: bytes, tag: str) -> bytes:
    try:
        members = msgspec.json.decode(document, type=dict[str, Raw])
    except (msgspec.MsgspecError, RecursionError):
        return document  # nested deeper than here is room for: it stays untagged
    raw = {key: bytes(value) for key, value in members.items()}
    raw["tags"] = add_tag(raw.get("tags"), tag)
    joined = b",".join(b"%b:%b" % (_ENCODE(key), value) for key, value in raw.items())
    return b"{%b}\n" % joined


def _bare(document: bytes, why: Outcome, time: str) -> bytes:
    error = {"type": why.kind, "message": why.reason}
    return b'%b,"%b":%b,"error":%b,"tags":["%b"]}\n' % (
        _signed(document, why),
        TIMESTAMP.encode(),
        _timestamp(document, time),
        _ENCODE(error),
        BARE_TAG.encode(),
    )


def _minimal(document: bytes, why: Outcome, time: str) -> bytes:
    signed = _signed(document, why)
    return b'%b,"%b":%b}\n' % (signed, TIMESTAMP.encode(), _ENCODE(time))


def _signed(document: bytes, why: Outcome) -> bytes:
    signed = take_signed(document)
    return shorten(signed) if why.verdict is Verdict.TOO_LARGE else signed


class _Timed(msgspec.Struct, rename={"timestamp": TIMESTAMP}):
    timestamp: Raw = Raw(b"null")


def _timestamp(document: bytes, time: str) -> bytes:
    try:
        raw = bytes(msgspec.json.decode(document, type=_Timed).timestamp)
    except (msgspec.MsgspecError, RecursionError):
        raw = b""
    return raw if is_usable(raw) else _ENCODE(time)
