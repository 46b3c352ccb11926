"""Say how an item that was not stored is sent next; all pure."""

from dataclasses import replace
from typing import Final

from beats_signer.store.elasticsearch.write.outcomes import Outcome, Verdict
from beats_signer.store.elasticsearch.write.rendering import (
    Item,
    next_rendering,
    render,
)

__all__ = ["follow"]

_MOST_FAULTS: Final = 3
"""So often an item that the server fails at is sent as it is."""
_NO_SHARDS: Final = "unavailable_shards_exception"
"""A place is there that cannot be written to; the server has waited for a minute."""


def follow(
    item: Item, outcome: Outcome, *, target: str, time: str
) -> tuple[Item, Outcome | None]:
    """Return the item as it is to be sent next; with why, if not now.

    ``target`` is the chain's default place, ``time`` that of its seal.
    """
    lasting = _lasting(item, outcome)
    if lasting is not None:
        item = replace(item, faults=item.faults + 1)
        if item.faults >= _MOST_FAULTS:
            outcome = replace(outcome, verdict=lasting)
    rendering = next_rendering(item, outcome.verdict)
    if rendering is None:
        return item, outcome
    return render(item, rendering, outcome, target=target, time=time), None


def _lasting(item: Item, outcome: Outcome) -> Verdict | None:
    """Return what it means if it happens as often as ``_MOST_FAULTS``."""
    if outcome.verdict is Verdict.FAULT:
        return Verdict.REJECTED
    is_away = item.may_move and outcome.kind == _NO_SHARDS
    return Verdict.NO_PLACE if is_away else None
