"""Hold what documents show against the payloads beside it.

Nearly every document still has the bytes that were written, and then one comparison
is all. Else its members are compared with those that the payload would be shown as.
Only the time of receipt, where an event has no time of its own, may be any time.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec
from msgspec import UNSET

from beats_signer.chain.findings import Document, FindingKind
from beats_signer.chain.seal import Seal, SealRecord
from beats_signer.store.contract import Flaw
from beats_signer.store.elasticsearch.document import (
    RESERVED,
    TIMESTAMP,
    is_usable,
    shape,
)
from beats_signer.store.elasticsearch.read.claims import Claim
from beats_signer.store.elasticsearch.read.drift import Derived, find_drift
from beats_signer.store.elasticsearch.read.senders import Senders, read_senders
from beats_signer.store.elasticsearch.write.lines import (
    SENDER_FIELD,
    build_sender_member,
)
from beats_signer.store.elasticsearch.write.rendering import (
    BARE_TAG,
    NO_PIPELINE_TAG,
    NO_PLACE_TAG,
)

__all__ = ["Showing"]

_OUR_TAGS: Final = {NO_PIPELINE_TAG, NO_PLACE_TAG}
_BARE_FIELDS: Final = {TIMESTAMP, "error", "tags"}
_MOST_FIELDS: Final = 5
"""Fields that a finding names."""
_ANY: Final = msgspec.json.Decoder(dict[str, Any]).decode
_DEEP: Final = "(nested too deeply to be compared)"


class Showing:
    """Compares documents of one chain after the other."""

    def __init__(self, derived: Sequence[str] = ()) -> None:
        """Take the fields that ingest pipelines add, rename or remove."""
        self._derived = Derived(derived)
        self._known: tuple[Seal, Senders] | None = None

    def compare(
        self, seal: Seal, record: SealRecord, claims: Sequence[Claim]
    ) -> Iterator[tuple[Claim, Flaw]]:
        """Yield what drifts, each document with its flaw, in their order."""
        senders = self._senders(seal, record)
        for claim in claims:
            if claim.fault:
                continue
            sent = senders.of(claim.index)
            timestamp = claim.timestamp
            received = b'""' if timestamp is UNSET else bytes(timestamp)
            shaped = shape(claim.form, claim.payload, claim.text, received)
            if (
                claim.signed is None
                or b'{"beats_signer":%b,%b' % (claim.signed, shaped)
                != bytes(claim.hit.source)
                or not is_usable(received)
                or claim.seal != seal.number
                or (sent is not None and claim.sender != sent[0])
            ):
                yield from self._look(seal, claim, shaped, sent)

    def _look(
        self,
        seal: Seal,
        claim: Claim,
        shaped: bytes,
        sent: tuple[str, str | None] | None,
    ) -> Iterator[tuple[Claim, Flaw]]:
        """Compare the long way: the document was written anew, or changed."""
        try:
            members = _ANY(claim.hit.source)
            expected = _ANY(b"{" + shaped)
            differing = self._differ(seal, claim, members, expected, sent)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            members, differing = {}, [_DEEP]
        if not differing:
            return
        reason, detail = "fields", ", ".join(differing[:_MOST_FIELDS])
        if len(differing) > _MOST_FIELDS:
            detail += f" and {len(differing) - _MOST_FIELDS} more"
        if _is_bare(members):
            reason, detail = "bare", ""
        place = claim.index, claim.index
        numbers = seal.number, seal.number
        documents = (Document(claim.hit.index, claim.hit.id),)
        flaw = Flaw(FindingKind.DRIFT, reason, detail, numbers, place, documents)
        yield claim, flaw

    def _differ(
        self,
        seal: Seal,
        claim: Claim,
        members: dict[str, Any],
        expected: dict[str, Any],
        sent: tuple[str, str | None] | None,
    ) -> list[str]:
        visible = {
            key: value
            for key, value in members.items()
            if key != RESERVED and not key.startswith(f"{RESERVED}.")
        }
        if sent is not None and any(_is_of_sender(key) for key in visible):
            member = _ANY(b"{%b}" % build_sender_member(*sent))
            expected = member | expected
        _forgive_time(expected, visible)
        _forgive_tags(expected, visible)
        differing = find_drift(expected, visible, self._derived)
        beside = [
            f"{RESERVED}.{name}"
            for name, is_wrong in (
                ("seal", claim.seal != seal.number),
                ("sender", sent is not None and claim.sender != sent[0]),
            )
            if is_wrong
        ]
        return [*differing, *beside, *(f"{RESERVED}.{name}" for name in claim.extra)]

    def _senders(self, seal: Seal, record: SealRecord) -> Senders:
        if self._known is None or self._known[0] is not seal:
            self._known = seal, read_senders(seal, record)
        return self._known[1]


def _is_of_sender(key: str) -> bool:
    return key == SENDER_FIELD or key.startswith(f"{SENDER_FIELD}.")


def _forgive_time(expected: dict[str, Any], visible: dict[str, Any]) -> None:
    """Let the time of receipt be any time that a server takes.

    It stands in ``expected`` only where the payload has no time: then it is the
    document's own already, unless that was none.
    """
    time = visible.get(TIMESTAMP)
    if expected.get(TIMESTAMP) == time and not is_usable(msgspec.json.encode(time)):
        expected[TIMESTAMP] = None if time is not None else ""


def _forgive_tags(expected: dict[str, Any], visible: dict[str, Any]) -> None:
    """Leave out what this program adds when it cannot write as it was told."""
    tags = visible.get("tags")
    listed = tags if isinstance(tags, list) else [tags]
    kept = [tag for tag in listed if tag not in _OUR_TAGS]
    if len(kept) < len(listed):
        visible["tags"] = kept
        own = expected.get("tags")
        if isinstance(own, list):
            expected["tags"] = [tag for tag in own if tag not in _OUR_TAGS]


def _is_bare(members: dict[str, Any]) -> bool:
    """Tell whether a document has nothing but what a bare one has."""
    names = {key.partition(".")[0] for key in members} - {RESERVED}
    tags = members.get("tags", BARE_TAG)
    return bool(members) and names <= _BARE_FIELDS and BARE_TAG in tags
