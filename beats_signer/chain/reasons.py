"""Name the kinds of findings, and within each kind the reasons.

The kind is what scripts and exit codes go by; the reason says what exactly is
wrong. Both are closed sets of stable words: the id of a finding is made of them.
"""

from enum import StrEnum

__all__ = ["REASONS", "FindingKind"]


class FindingKind(StrEnum):
    """What a finding means for whoever trusts the log."""

    MODIFIED = "modified"
    MISSING = "missing"
    FOREIGN = "foreign"
    FORGED = "forged"
    BROKEN_LINK = "broken-link"
    FORK = "fork"
    TRUNCATED = "truncated"
    STALE = "stale"
    DRIFT = "drift"
    ERASED = "erased"
    UNPROVEN = "unproven"
    DISCONTINUITY = "discontinuity"
    CLOCK = "clock"
    DUPLICATE = "duplicate"
    EXPIRED = "expired"
    OVERDUE = "overdue"
    PENDING = "pending"
    STOPPED = "stopped"

    @property
    def is_information(self) -> bool:
        """Tell whether this kind never changes the exit code."""
        return self in _INFORMATION


_INFORMATION = {
    FindingKind.DUPLICATE,
    FindingKind.EXPIRED,
    FindingKind.OVERDUE,
    FindingKind.PENDING,
    FindingKind.STOPPED,
}

REASONS: dict[FindingKind, dict[str, str]] = {
    FindingKind.MODIFIED: {
        "entry": "not what was sealed",
        "unreadable": "stored bytes are damaged and cannot be read",
        "unlocated": "entries and leaves are not those of the seal's root; "
        "without good leaves the damage cannot be located",
        "leaves": "the stored leaves are not those of the seal, the entries are",
        "body": "the body is not what was sealed",
        "line": "the line of the export is damaged",
    },
    FindingKind.MISSING: {
        "entries": "entries are missing",
        "seals": "seals are missing, and their entries with them",
        "chain": "the catalogue lists this chain and it is not here",
        "expired-early": "gone as expired, although their retention is not over",
        "erased-unsealed": "gone as erased, but no erase seal lists them",
        "checkpoint": "the folder has no catalogue.checkpoint",
    },
    FindingKind.FOREIGN: {
        "entries": "no seal covers these entries here",
        "order": "stands out of its order",
        "line": "neither a seal nor an entry",
        "second": "another document claims the index of this entry",
        "seal": "another document claims the number of this seal",
        "chain": "signed documents that no chain has a place for",
        "unsigned": "documents without a signature in a place that is the signer's",
    },
    FindingKind.FORGED: {
        "text": "the seal's note is not in the format",
        "signature": "the seal is not signed by the key that its predecessor named",
        "form": "an entry has a form that this chain may not have",
        "rules": "the seal breaks the rules of the format",
        "body": "the body breaks the rules of its kind",
        "founding": "the founding is not the one that is trusted",
        "unlisted": "the catalogue does not list this chain",
        "record": "the catalogue's record breaks the rules",
        "checkpoint": "the checkpoint is not signed by the signer's identity",
        "file": "more than one file claims to be this chain",
    },
    FindingKind.BROKEN_LINK: {
        "previous": "the seal is signed but does not name its predecessor's hash",
        "log": "the seal is signed but its log is not that of the seals before it",
    },
    FindingKind.FORK: {
        "seal": "the same key has signed a second seal with this number",
        "head": "the catalogue recorded another history of this chain",
        "checkpoint": "a checkpoint states another history of the catalogue",
        "record": "the catalogue contradicts itself about this chain",
    },
    FindingKind.TRUNCATED: {
        "head": "the chain is shorter than the catalogue recorded",
        "checkpoint": "the catalogue is shorter than a checkpoint states",
        "predecessor": "a predecessor went further than its successor says",
        "record": "the catalogue recorded this chain longer, and now shorter",
    },
    FindingKind.STALE: {"catalogue": "the signer has been silent since its last seal"},
    FindingKind.DRIFT: {
        "fields": "visible fields are not those of the payload",
        "bare": "visible fields are not there, and the catalogue does not say so",
        "seal": "the fields beside a seal are not those of its text",
    },
    FindingKind.ERASED: {"entries": "erased on purpose, as an erase seal says"},
    FindingKind.UNPROVEN: {
        "seals": "stand behind damage, and no later head proves them",
        "listing": "what lists this chain in the catalogue is damaged or unproven",
    },
    FindingKind.DISCONTINUITY: {
        "predecessor": "the chain continues another one, which ended without a close",
    },
    FindingKind.CLOCK: {
        "ahead": "the seal's time is ahead of this clock by more than 5 minutes",
        "received": "a window's time of receipt is over 5 minutes from its seal's",
    },
    FindingKind.DUPLICATE: {
        "window": "a window was sent again; its events were not sealed twice",
        "copy": "stored more than once, in identical copies",
        "seal": "a seal is stored more than once, in identical copies",
    },
    FindingKind.EXPIRED: {"entries": "gone after their retention, as sealed"},
    FindingKind.OVERDUE: {
        "retention": "still here although their retention is over",
        "erasure": "still here although an erase seal lists them",
    },
    FindingKind.PENDING: {
        "entries": "too young to be visible already",
        "unsealed": "stored before their seal, which is still on its way",
        "seals": "stored before the seals in front of them, which are on their way",
        "listing": "founded just now; the record that lists it is still on its way",
    },
    FindingKind.STOPPED: {
        "announced": "the signer was stopped",
        "silent": "the signer was silent without having announced a stop",
    },
}
"""Per kind, the stable word of each reason and what it says to people."""
