"""How far one document has come, from where it may be bare to where it is settled."""

from dataclasses import dataclass
from enum import Enum

from beats_signer.store.elasticsearch.recover.document import Present
from beats_signer.store.elasticsearch.recover.writing import Replacement

__all__ = ["Step", "Work"]


class Step(Enum):
    """What has happened to it. The table is that of ``recover_page``."""

    OPEN = "open"
    SENT = "sent"
    UNKNOWN = "unknown"
    SPOILT = "spoilt"


@dataclass(slots=True)
class Work:
    """One document of a page, until it is settled."""

    step: Step = Step.OPEN
    before: Present | None = None
    """What stood there when it was last sent, bare."""
    faults: int = 0

    def has(self, now: Present) -> bool:
        """Tell whether what was to be replaced still stands there."""
        return self.before is not None and now.seq_no == self.before.seq_no

    def undo(self, now: Present) -> Replacement:
        """Return how to put back what stood there."""
        assert self.before is not None, "it was sent"
        source = self.before.source.replace(b"\n", b" ").replace(b"\r", b" ")
        return Replacement(now, source + b"\n", "_none")
