"""Follow the seals of one chain by signature, predecessor and log.

A seal is *proven* when every signature from the trusted founding up to it holds.
Damage ends that: what stands behind it carries keys that nobody trusted has
named. It is followed all the same, as a claim, and proven after all when a later
trusted head has the log that the claim leads to, for a log commits to every
seal before it. Until then, or for ever, it is unproven.

How the log survives damage: of one seal that cannot be read, its successor's
``previous`` claims the hash. Of several the hashes are lost, and with them the
log, until a seal whose number is a power of two: there the tree is a single
node, and the seal's own ``log`` claims it.
"""

from dataclasses import dataclass
from enum import Enum

from beats_signer.chain.anchors import Anchors
from beats_signer.chain.claims import Claims
from beats_signer.chain.errors import SignatureError
from beats_signer.chain.findings import FindingKind, Findings
from beats_signer.chain.merkle import CompactRange
from beats_signer.chain.note import Note
from beats_signer.chain.seal import Kind, Seal, seal_hash, verify_seal_note

__all__ = ["Linkage", "Standing", "Tail"]


class Standing(Enum):
    """What a seal is to the history that is followed."""

    ACCEPTED = "it is the next one"
    SUSPECT = "it is not signed as it must be; its successor may still name it"
    OUT_OF_PLACE = "it is none of this history"


@dataclass(frozen=True, slots=True)
class Tail:
    """The last seal that was accepted, and what it commits to."""

    seal: Seal
    hash: bytes
    log: CompactRange | None
    """Over all seals up to this one; ``None`` when hashes before it are lost."""

    @property
    def seals(self) -> int:
        """Return the number of seals up to this one."""
        return self.seal.number + 1

    @property
    def entries(self) -> int:
        """Return the number of entries up to this seal."""
        return self.seal.first + self.seal.count


class Linkage:
    """Place each seal behind those before it, and report what does not fit."""

    def __init__(self, founding: Seal, anchors: Anchors, findings: Findings) -> None:
        """Start at a trusted founding."""
        self._findings = findings
        self._anchors = anchors
        self._signer = founding.next  # the key that has signed the tail
        self._suspect: Tail | None = None
        self._unreadable = 0  # seals behind the tail whose text is of no use
        self._claims = Claims(findings)
        self.is_suspect_accepted = False
        """Whether the last seal named the suspect before it as its predecessor."""
        digest = seal_hash(founding.text())
        log = CompactRange().append(digest)
        self._tail = Tail(founding, digest, log)
        self._compare(log)

    @property
    def tail(self) -> Tail:
        """Return the last accepted seal."""
        return self._tail

    @property
    def seals(self) -> int:
        """Return how far the chain goes, seals of no use included."""
        return self._tail.seals + self._unreadable + (self._suspect is not None)

    @property
    def is_proven(self) -> bool:
        """Tell whether the tail is proven, up to here."""
        return not self._claims.is_open

    @property
    def abandoned(self) -> int:
        """Return the number of claims that nothing can prove any more."""
        return self._claims.abandoned

    @property
    def unproven_seals(self) -> tuple[tuple[int, int], ...]:
        """Return the ranges of seals that are not proven, up to here."""
        return self._claims.seals

    def anchor(self, size: int, root: bytes) -> None:
        """Trust one more head, of at least the seals up to the tail."""
        self._anchors.add(size, root)
        self._compare(self._tail.log)

    def cut_anchors(self, size: int) -> None:
        """Trust no head that was given so far and is larger than *size*."""
        self._anchors.cut(size)

    def add(self, seal: Seal, note: Note) -> Standing:
        """Judge the next seal as it was read."""
        digest = seal_hash(note.text)
        self._settle_suspect(seal)
        follows = seal.previous == self._tail.hash
        if follows and seal.number == self._tail.seals:
            self._unreadable = 0  # what stood between was inserted
            return self._follow(seal, note, digest)
        if follows and not self._unreadable:
            self.lose(f"it follows seal {self._tail.seal.number} as seal {seal.number}")
            return Standing.OUT_OF_PLACE
        due = self._tail.seals + self._unreadable
        if seal.number < due:
            self._report_misplaced(seal, note, digest)
            return Standing.OUT_OF_PLACE
        if seal.number > due:
            self._report_gap(due, seal)
        if seal.number == self._tail.seals:
            return self._follow(seal, note, digest)
        self._leap(seal, digest)
        return Standing.ACCEPTED

    def lose(self, detail: str, reason: str = "text") -> None:
        """Report a seal in the next place that is of no use."""
        self._drop_suspect()
        self._report(FindingKind.FORGED, reason, self.seals, detail)
        self._unreadable += 1

    def finish(self) -> None:
        """Hold the end of the chain against the heads; report what is unproven."""
        self._anchors.finish(self.seals)
        self._claims.close()

    def _follow(self, seal: Seal, note: Note, digest: bytes) -> Standing:
        tail = self._tail
        if tail.seal.kind is Kind.CLOSE:
            self.lose("nothing follows a close", "rules")
            return Standing.OUT_OF_PLACE
        try:
            verify_seal_note(seal, note, tail.seal.next)
        except SignatureError as error:
            self._report(FindingKind.FORGED, "signature", seal.number, str(error))
            self._suspect = Tail(seal, digest, None)
            return Standing.SUSPECT
        if seal.first != tail.entries:
            detail = f"it starts at entry {seal.first} instead of {tail.entries}"
            self._report(FindingKind.FORGED, "rules", seal.number, detail)
        self._check_time(seal)
        if seal.previous != tail.hash:
            self._report(FindingKind.BROKEN_LINK, "previous", seal.number)
            if tail.log is None:  # a head would prove nothing before this seal
                self._claims.close()
                self._claims.open(seal)
        if tail.log is not None and seal.log != tail.log.root():
            self._report(FindingKind.BROKEN_LINK, "log", seal.number)
        self._accept(seal, digest, tail.log)
        return Standing.ACCEPTED

    def _leap(self, seal: Seal, digest: bytes) -> None:
        """Accept a seal behind others that are of no use, as a claim."""
        tail = self._tail
        log = None
        if seal.number == tail.seals + 1 and tail.log is not None:
            log = tail.log.append(seal.previous)
            self._compare(log)
        if log is not None and seal.log != log.root():
            self._report(FindingKind.BROKEN_LINK, "log", seal.number)
            log = None
        if seal.first < tail.entries:
            detail = f"it starts at entry {seal.first}, before {tail.entries}"
            self._report(FindingKind.FORGED, "rules", seal.number, detail)
        self._check_time(seal)
        if log is None:
            self._claims.close()
        self._claims.open(seal)
        self._accept(seal, digest, log)

    def _accept(self, seal: Seal, digest: bytes, log: CompactRange | None) -> None:
        """Make a seal the tail; ``log`` is over the seals before it."""
        if log is None and seal.number.bit_count() == 1:
            log = CompactRange(seal.number, (seal.log,))
        self._signer = self._tail.seal.next
        self._tail = Tail(seal, digest, None if log is None else log.append(digest))
        self._unreadable = 0
        self._claims.extend(seal)
        self._compare(self._tail.log)

    def _compare(self, log: CompactRange | None) -> None:
        """Believe the claim that is followed when a trusted head has its log."""
        if log is not None and self._anchors.prove(log):
            self._claims.prove()

    def _settle_suspect(self, successor: Seal) -> None:
        """Accept a suspect that its successor names, else drop it."""
        suspect = self._suspect
        self.is_suspect_accepted = (
            suspect is not None and successor.previous == suspect.hash
        )
        if suspect is None or not self.is_suspect_accepted:
            self._drop_suspect()
            return
        self._suspect = None
        self._claims.open(suspect.seal)
        self._accept(suspect.seal, suspect.hash, self._tail.log)

    def _drop_suspect(self) -> None:
        if self._suspect is not None:
            self._suspect = None
            self._unreadable += 1

    def _check_time(self, seal: Seal) -> None:
        if seal.time < self._tail.seal.time:
            detail = "its time is before that of its predecessor"
            self._report(FindingKind.FORGED, "rules", seal.number, detail)

    def _report_gap(self, due: int, seal: Seal) -> None:
        first = self._tail.entries
        self._findings.add(
            FindingKind.MISSING,
            "seals",
            seals=(due, seal.number - 1),
            entries=(first, seal.first - 1) if seal.first > first else None,
        )

    def _report_misplaced(self, seal: Seal, note: Note, digest: bytes) -> None:
        """Report a seal whose place is behind us: a second one is a fork."""
        tail = self._tail
        if seal.number == tail.seal.number and digest != tail.hash and seal.number > 0:
            try:
                verify_seal_note(seal, note, self._signer)
            except SignatureError as error:
                self._report(FindingKind.FORGED, "signature", seal.number, str(error))
            else:
                self._report(FindingKind.FORK, "seal", seal.number)
            return
        detail = f"seal {seal.number} behind seal {self.seals - 1}"
        self._report(FindingKind.FOREIGN, "order", seal.number, detail)

    def _report(
        self, kind: FindingKind, reason: str, number: int, detail: str = ""
    ) -> None:
        self._findings.add(kind, reason, seals=(number, number), detail=detail)
