"""Say why a write is not stored in whole, and whether haste could change that."""

from collections.abc import Sequence
from typing import Final

from beats_signer.errors import RefusedError, StoreError
from beats_signer.store.contract import Write
from beats_signer.store.elasticsearch.body import BodyError
from beats_signer.store.elasticsearch.outcomes import Outcome, Verdict
from beats_signer.store.elasticsearch.rendering import Item

__all__ = ["explain", "is_parked", "unusable"]

_PASSING: Final = (Verdict.BUSY, Verdict.CONFLICT, Verdict.FAULT)
_SEVERITY: Final = (
    *_PASSING,
    Verdict.REJECTED,
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
    message = (
        f"{left} of {write.seal.count + 1} items of seal {write.seal.number} are not "
        f"stored in {index}: {outcome.kind or outcome.verdict.value}: {outcome.reason}"
    )
    if not is_parked(outcome):
        return StoreError(message, hint="They are sent again; nothing is lost.")
    if outcome.verdict is Verdict.NO_PLACE:
        remedy = "See that 'beats-signer setup' has run, and what the signer's role "
        remedy += f"may do in {index}."
    else:
        remedy = f"See to {index}: its blocks, its mapping, its pipelines."
    return RefusedError(
        message, hint=f"{remedy} Nothing is lost; senders wait meanwhile."
    )


def unusable(write: Write, error: BodyError) -> RefusedError:
    """Return the error that says why a write cannot be sent at all."""
    return RefusedError(
        f"seal {write.seal.number} of {write.seal.origin}: its bytes cannot be sent: "
        f"{error}",
        hint="Start with the store that this seal was made for.",
    )
