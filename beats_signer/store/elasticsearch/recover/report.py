"""Count what became of bare documents, and why some stay as they are."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from beats_signer.store.elasticsearch.recover.document import Place

__all__ = [
    "MISMATCH",
    "NO_FIELDS",
    "SPOILT",
    "RecoveryReport",
    "Refusal",
    "target_of",
]

MISMATCH: Final = "mismatch"
"""Kind of the reason why a document is not touched: it is not what it is named."""
NO_FIELDS: Final = "no_fields", "its pipeline leaves nothing of it to be seen"
SPOILT: Final = "spoilt", "its pipeline changes the signed object beats_signer"
_MOST_REASONS: Final = 100
"""Reasons that are told apart; more help nobody to find the cause."""
_OTHERS: Final = "others", "further reasons, which are not told apart"
_BACKING: Final = re.compile(r"\.(?:migrated-)?ds-(.+)-\d{4}\.\d\d\.\d\d-\d{6}$")
"""How an index behind a data stream is named, at its end."""
_DETAILS: Final = (
    (re.compile(r"^\[\d+:\d+\] "), ""),
    (re.compile(r"\[\d+:\d+\]"), "[…]"),
    (re.compile(r"'.*'"), "'…'"),
    (re.compile(r'".*"'), '"…"'),
)
"""What differs from document to document in one and the same reason."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why documents of one target stay bare."""

    target: str
    kind: str
    reason: str


@dataclass(slots=True)
class RecoveryReport:
    """All that one run has to say; it grows while the run goes on."""

    signer: str
    patterns: tuple[str, ...]
    is_dry_run: bool = False
    recovered: int = 0
    """Written again, and read again afterwards; of a dry run: would be."""
    changed: int = 0
    """Changed by somebody else between reading and writing, and left so."""
    untried: int = 0
    """Of a dry run: the server cannot tell what would become of them."""
    refusals: Counter[Refusal] = field(default_factory=Counter)
    examples: dict[Refusal, Place] = field(default_factory=dict)
    """One document for each reason."""
    undecided: dict[str, None] = field(default_factory=dict)
    """Why something could not be decided; each reason once, in order."""

    @property
    def bare(self) -> int:
        """Return how many bare documents were found."""
        settled = self.recovered + self.changed + self.untried
        return settled + self.refusals.total()

    @property
    def exit_code(self) -> int:
        """Return 1 when some stay bare, which outranks 2: something is undecided."""
        if self.refusals or self.changed:
            return 1
        return 2 if self.undecided else 0

    def refuse(self, place: Place, kind: str, reason: str) -> None:
        """Count a document that stays as it is."""
        target = target_of(place[0])
        for pattern, shorter in _DETAILS:
            reason = pattern.sub(shorter, reason)
        refusal = Refusal(target, kind, reason)
        if refusal not in self.examples and len(self.examples) >= _MOST_REASONS:
            refusal = Refusal("", *_OTHERS)
        self.refusals[refusal] += 1
        self.examples.setdefault(refusal, place)

    def leave_open(self, reason: str) -> None:
        """Note that something could not be decided."""
        if len(self.undecided) < _MOST_REASONS:
            self.undecided[reason] = None

    def leave_unread(self, place: Place, kind: str, reason: str) -> None:
        """Note that what stands in a place cannot be read."""
        self.leave_open(f"{place[0]} cannot be read: {kind}: {reason}")

    def to_dict(self) -> dict[str, object]:
        """Return the report as its JSON object."""
        return {
            "version": 1,
            "exit_code": self.exit_code,
            "signer": self.signer,
            "indices": list(self.patterns),
            "dry_run": self.is_dry_run,
            "bare": self.bare,
            "recovered": self.recovered,
            "changed": self.changed,
            "untried": self.untried,
            "refused": [
                {
                    "target": refusal.target,
                    "type": refusal.kind,
                    "reason": refusal.reason,
                    "count": count,
                    "example": {"index": index, "id": name},
                }
                for refusal, count, (index, name) in self._reasons()
            ],
            "undecided": list(self.undecided),
        }

    def lines(self) -> Iterator[str]:
        """Yield the report for people; the first line says what was done."""
        yield self._first_line()
        for refusal, count, (index, name) in self._reasons():
            where = f" in {refusal.target}" if refusal.target else ""
            yield f"{count} stay bare{where}: {_words(refusal)}"
            yield f"  for example {index}/{name}"
        if self.changed:
            yield (
                f"{self.changed} were changed by somebody else meanwhile and are left "
                "as they are; run it again"
            )
        if self.untried:
            yield (
                f"{self.untried} would be tried; this server cannot say what would "
                "become of them"
            )
        for reason in self.undecided:
            yield f"undecided: {reason}"
        if self.is_dry_run:
            yield "A dry run: nothing was changed."

    def _first_line(self) -> str:
        where = f"of {self.signer} in {', '.join(self.patterns)}"
        if not self.bare:
            end = " were found" if self.undecided else ": nothing to do"
            return f"no bare documents {where}{end}"
        done = "would be recovered" if self.is_dry_run else "are recovered"
        return f"{self.recovered} of {self.bare} bare documents {where} {done}"

    def _reasons(self) -> list[tuple[Refusal, int, Place]]:
        return [
            (refusal, count, self.examples[refusal])
            for refusal, count in self.refusals.most_common()
        ]


def target_of(index: str) -> str:
    """Return the data stream of an index behind one, else the index."""
    found = _BACKING.search(index)
    return found[1] if found else index


def _words(refusal: Refusal) -> str:
    return f"{refusal.kind}: {refusal.reason}" if refusal.kind else refusal.reason
