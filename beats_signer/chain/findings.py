"""Say what verification found, and collect it in bounded memory.

The place of a finding is a range of seals, of entries, or both. Equal findings
that follow each other are one with a longer range, so that a long damage is one
line of a report.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from beats_signer.chain.reasons import REASONS, FindingKind

__all__ = ["MOST_DOCUMENTS", "Document", "Finding", "FindingKind", "Findings", "Range"]

_MOST = 1000
"""Findings of one reason in one chain; more help nobody to find the cause."""
MOST_DOCUMENTS = 10
"""Documents that one finding names; they show where to look."""

_GONE = {
    FindingKind.EXPIRED,
    FindingKind.ERASED,
    FindingKind.OVERDUE,
    FindingKind.PENDING,
}
"""What is so common, or so naturally not there, that no document is named."""

Range = tuple[int, int]
"""First and last of a range, ends included."""


@dataclass(frozen=True, slots=True)
class Document:
    """Where a store of documents keeps something."""

    index: str
    """Name of the index; empty when the document should be there and is not."""
    id: str

    def __str__(self) -> str:
        return f"{self.index}/{self.id}" if self.index else f"{self.id} is not there"

    def to_dict(self) -> dict[str, str | None]:
        """Return the document as its JSON object, see docs/verify-json.md."""
        return {"index": self.index or None, "id": self.id}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that verification has to report."""

    kind: FindingKind
    reason: str
    origin: str
    seal: int | None = None
    """First seal of the place, or ``None`` when no seal is the place."""
    last_seal: int | None = None
    first: int | None = None
    """Index of the first entry, or ``None`` when no entry is the place."""
    last: int | None = None
    detail: str = ""
    """What this one is, beyond its reason; not part of its identity."""
    count: int = 1
    """How many were found in the range, which may have holes."""
    documents: tuple[Document, ...] = ()
    """The first of the documents that it is about; only of a store that has some."""

    @property
    def id(self) -> str:
        """Return the stable id: the same finding has it in every later run.

        A range that has grown is another finding, so that who acknowledged
        the small one has not acknowledged the large one.
        """
        places = (self.seal, self.last_seal, self.first, self.last)
        parts = (self.origin, self.reason, *map(str, places), *self._strangers())
        digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()
        return f"{self.kind}-{digest[:12]}"

    @property
    def place(self) -> str:
        """Return where it is, for people."""
        parts = []
        if self.first is not None:
            parts.append(_range("entry", "entries", self.first, self.last))
        if self.seal is not None:
            parts.append(_range("seal", "seals", self.seal, self.last_seal))
        return " of ".join(parts)

    @property
    def message(self) -> str:
        """Return what is wrong and where, as one sentence without its end."""
        says = REASONS[self.kind][self.reason]
        if self.detail:
            says = f"{says} ({self.detail})"
        if self.first is not None and self.count < _size(self.first, self.last):
            says = f"{says} ({self.count} of them)"
        if not self.place and self.count > 1:
            says = f"{says}: {self.count}"
        return f"{self.place}: {says}" if self.place else says

    def _strangers(self) -> Iterator[str]:
        """Yield what tells foreign documents apart, which have no place of theirs."""
        if self.kind is FindingKind.FOREIGN and self.documents:
            yield str(self.count)
            yield from map(str, self.documents)

    def to_dict(self) -> dict[str, object]:
        """Return the finding as its JSON object, see docs/verify-json.md."""
        return {
            "id": self.id,
            "kind": str(self.kind),
            "reason": self.reason,
            "origin": self.origin,
            "seal": self.seal,
            "last_seal": self.last_seal,
            "first": self.first,
            "last": self.last,
            "count": self.count,
            "message": self.message,
            "documents": [document.to_dict() for document in self.documents],
        }


Locate = Callable[[Range | None, Range | None], Sequence[Document]]
"""Returns the documents of a range of seals, or of a range of entries."""


class Findings:
    """Collect the findings of one chain; equal neighbours become one.

    Memory is bounded: beyond ``_MOST`` findings of one reason, a further one
    only widens the last of them, which then has holes.
    """

    def __init__(
        self,
        origin: str,
        locate: Locate | None = None,
    ) -> None:
        """Start without findings about the chain of this origin.

        ``locate`` is asked when a finding comes that does not name its documents.
        """
        self._origin = origin
        self._locate = locate
        self._found: dict[tuple[FindingKind, str], list[Finding]] = {}

    def __iter__(self) -> Iterator[Finding]:
        """Yield all findings, by kind and in the order in which they came."""
        for found in self._found.values():
            yield from found

    def add(
        self,
        kind: FindingKind,
        reason: str,
        *,
        seals: Range | None = None,
        entries: Range | None = None,
        detail: str = "",
        documents: Sequence[Document] = (),
        count: int | None = None,
    ) -> None:
        """Report what is wrong with a range of seals or entries, ends included."""
        if reason not in REASONS[kind]:
            raise RuntimeError(f"{kind} has no reason {reason!r}")
        seal, last_seal = seals or (None, None)
        first, last = entries or (None, None)
        if count is None:
            count = _size(first, last) if entries else _size(seal, last_seal)
        if not documents and self._locate is not None and kind not in _GONE:
            documents = self._locate(seals, entries)
        new = Finding(
            kind,
            reason,
            self._origin,
            seal,
            last_seal,
            first,
            last,
            detail,
            count,
            tuple(documents[:MOST_DOCUMENTS]),
        )
        found = self._found.setdefault((kind, reason), [])
        if found and (_adjacent(found[-1], new) or len(found) >= _MOST):
            found[-1] = _widened(found[-1], new)
        else:
            found.append(new)


def _adjacent(old: Finding, new: Finding) -> bool:
    """Tell whether two findings of one reason stand side by side."""
    if old.last is not None and new.first is not None:
        return new.first == old.last + 1
    if old.last is None and new.first is None:
        if old.last_seal is None or new.seal is None:
            return old.last_seal is new.seal
        return old.last_seal <= new.seal <= old.last_seal + 1
    return False


def _widened(old: Finding, new: Finding) -> Finding:
    return replace(
        old,
        seal=_least(old.seal, new.seal),
        last_seal=_most(old.last_seal, new.last_seal),
        first=_least(old.first, new.first),
        last=_most(old.last, new.last),
        count=old.count + new.count,
        documents=(old.documents + new.documents)[:MOST_DOCUMENTS],
    )


def _least(one: int | None, other: int | None) -> int | None:
    return min((n for n in (one, other) if n is not None), default=None)


def _most(one: int | None, other: int | None) -> int | None:
    return max((n for n in (one, other) if n is not None), default=None)


def _size(first: int | None, last: int | None) -> int:
    return 1 if first is None or last is None else last - first + 1


def _range(one: str, many: str, first: int, last: int | None) -> str:
    if last is None or last == first:
        return f"{one} {first}"
    return f"{many} {first}\u2013{last}"
