"""What a test looks at in the verdicts of the checks."""

from collections.abc import Iterable

from beats_signer.store.elasticsearch.check.soundness import Mark, Verdict

__all__ = ["marks"]


def marks(found: Iterable[Verdict], check: str) -> set[Mark]:
    """Return how a check ended, over all places."""
    return {verdict.mark for verdict in found if verdict.check == check}
