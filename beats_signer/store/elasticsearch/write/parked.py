"""Say why a write is not stored in whole, and whether haste could change that."""

from collections.abc import Sequence
from typing import Final

from beats_signer.errors import Problem, RefusedError, StoreError
from beats_signer.store.contract import Write
from beats_signer.store.elasticsearch.write.body import BodyError
from beats_signer.store.elasticsearch.write.outcomes import Outcome, Verdict
from beats_signer.store.elasticsearch.write.oversize import remedy
from beats_signer.store.elasticsearch.write.quoting import unquoted
from beats_signer.store.elasticsearch.write.rendering import Item

__all__ = ["describe_too_large", "explain", "is_parked", "unusable"]

_PASSING: Final = (Verdict.BUSY, Verdict.CONFLICT, Verdict.FAULT)
_SEVERITY: Final = (
    *_PASSING,
    Verdict.REJECTED,
    Verdict.TOO_LARGE,
    Verdict.NO_PIPELINE,
    Verdict.NO_PLACE,
    Verdict.REFUSED,
)
"""Of what is left, the last of these is what an operator should hear of."""


def is_parked(outcome: Outcome) -> bool:
    """Tell whether an item that is left waits for somebody to mend something."""
    return outcome.verdict not in _PASSING


def explain(
    write: Write, left: int, stuck: Sequence[tuple[Item, Outcome]]
) -> StoreError:
    """Return the error that says why so many items are left."""
    item, outcome = max(stuck, key=lambda pair: _SEVERITY.index(pair[1].verdict))
    index, _ = item.place
    is_rejected = outcome.verdict is Verdict.REJECTED
    message = (
        f"{left} of {write.seal.count + 1} items of seal {write.seal.number} are not "
        f"stored in {index}: {outcome.kind or outcome.verdict.value}: "
        f"{unquoted(outcome.reason) if is_rejected else outcome.reason}"
    )
    if not is_parked(outcome):
        return StoreError(message, hint="They are sent again; nothing is lost.")
    if outcome.verdict is Verdict.NO_PLACE:
        action = "See that 'beats-signer setup' has run, and what the signer's role "
        action += f"may do in {index}."
    elif outcome.verdict is Verdict.TOO_LARGE:
        action = f"{remedy(outcome.reason)}."
    else:
        action = f"See to {index}: its blocks, its mapping, its pipelines."
    return RefusedError(
        message, hint=f"{action} Nothing is lost; senders wait meanwhile."
    )


def describe_too_large(
    write: Write, stuck: Sequence[tuple[Item, Outcome]]
) -> Problem | None:
    """Say what is more than the server ever takes, if anything that is left is."""
    found = [one for one in stuck if one[1].verdict is Verdict.TOO_LARGE]
    if not found:
        return None
    item, outcome = max(found, key=lambda one: one[0].size)
    seal = write.seal
    is_seal = item.position == seal.count
    what = f"seal {seal.number}" if is_seal else f"entry {seal.first + item.position}"
    setting = "sealing.max_entries" if is_seal else "limits.json_bytes and pairs_bytes"
    return Problem(
        f"{seal.origin}: {what} is a document of {item.size} bytes, which is more than "
        f"{item.place[0]} takes: {outcome.reason}",
        "Its chain waits, and with it who sends to it; nothing is lost.",
        f"{remedy(outcome.reason)}. Lower {setting} so that no other one comes: "
        "`beats-signer test output` says to what.",
    )


def unusable(write: Write, error: BodyError) -> RefusedError:
    """Return the error that says why a write cannot be sent at all."""
    return RefusedError(
        f"seal {write.seal.number} of {write.seal.origin}: its bytes cannot be sent: "
        f"{error}",
        hint="Start with the store that this seal was made for.",
    )
