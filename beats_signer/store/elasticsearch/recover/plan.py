"""Say how documents are rendered again: of which chains, for whom, through what."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from beats_signer.store.elasticsearch.recover.document import Bare, Present, examine
from beats_signer.store.elasticsearch.recover.senders import SenderFields

__all__ = ["PipelineOf", "RecoveryPlan"]

PipelineOf = Callable[[Bare], str | None]
"""The ingest pipeline that rules give a document; ``None``: that of its index."""


@dataclass(frozen=True, slots=True)
class RecoveryPlan:
    """The same for all documents of a run."""

    origins: Mapping[str, str]
    """Chains that are looked at, by the first 32 digits of their id."""
    pipeline_of: PipelineOf
    senders: SenderFields

    def examine(self, present: Present) -> Bare | None:
        """Return a bare document with what it is to become; see ``examine``."""
        return examine(present, self.origins, self.senders.member)
