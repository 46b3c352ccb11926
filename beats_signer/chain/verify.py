"""Verify one chain, fed seal by seal and entry by entry, without any I/O.

The rules, each a file beside this one:

- Seal 0 is the one that is trusted, signed by its own key and by the identity.
- Each later seal is signed by the key that the one before it named and agrees
  with all before it; a trusted head has the log of this history (``linkage``).
- The body has the hash in the seal's text and obeys its kind (``bodies``).
- Entries hash to the leaves, and leaves to the root (``comparison``).
- What is gone is gone by right (``lifetimes``), and no time is far off (``clock``).

What a caller does wrong raises ``RuntimeError``; what is wrong with the chain is
a finding. No finding ends the verification of the seals that follow.

Not judged here: whether the chain is listed, and what a store shows beside it.
"""

from collections.abc import Iterable, Sequence
from enum import Enum

from beats_signer.chain.anchors import Anchors
from beats_signer.chain.bodies import Bodies
from beats_signer.chain.body import Body
from beats_signer.chain.clock import Clock
from beats_signer.chain.comparison import EntryComparison, forms_of
from beats_signer.chain.errors import FormatError, SignatureError
from beats_signer.chain.facts import Facts, Tally
from beats_signer.chain.findings import FindingKind, Findings
from beats_signer.chain.founding import Found
from beats_signer.chain.lifetimes import Lifetimes
from beats_signer.chain.linkage import Linkage, Standing
from beats_signer.chain.note import Note, VerifierKey
from beats_signer.chain.patience import Patience
from beats_signer.chain.seal import (
    Seal,
    SealRecord,
    parse_seal_note,
    seal_hash,
    verify_founding_note,
)

__all__ = ["ChainVerifier"]


class _State(Enum):
    NEW = "no seal came"
    FOLLOWING = "seals are followed"
    FINISHED = "the end was announced"


_TRANSITIONS = {
    (_State.NEW, "seal"): _State.FOLLOWING,
    (_State.NEW, "entries"): _State.NEW,
    (_State.NEW, "finish"): _State.FINISHED,
    (_State.FOLLOWING, "seal"): _State.FOLLOWING,
    (_State.FOLLOWING, "entries"): _State.FOLLOWING,
    (_State.FOLLOWING, "finish"): _State.FINISHED,
}


class ChainVerifier:
    """The state of one chain's verification, of the same size at any length.

    Call ``add_seal``, then the ``add_`` of its entries in their order, for
    each seal; then ``finish``.
    """

    def __init__(
        self,
        founding: Seal,
        identity: VerifierKey,
        findings: Findings,
        *,
        now: int,
        newest: int,
        heads: Iterable[tuple[int, bytes]] = (),
        reason: str = "head",
        settled: int | None = None,
    ) -> None:
        """Start at a trusted seal 0.

        Args:
            founding: Seal 0 as the catalogue or the trust line proves it.
            identity: The key in force when the chain was founded.
            findings: Where to report about this chain.
            now: The verifier's clock, nanoseconds since 1970.
            newest: Time of the newest seal known; retention is judged by it.
            heads: Trusted size and root of this chain's log, in ascending size.
            reason: What those are: ``head`` or ``checkpoint``.
            settled: The time up to which all that was stored is there; see
                ``Patience``.
        """
        self._founding = founding
        self._identity = identity
        self._findings = findings
        self._forms = forms_of(founding.origin)
        self._anchors = Anchors(heads, findings, reason)
        self._linkage = Linkage(founding, self._anchors, findings)
        self._lifetimes = Lifetimes(min(now, newest), findings)
        clock = Clock(now, findings)
        self._bodies = Bodies(identity, self._lifetimes, clock, findings)
        self._patience = Patience(settled, newest)
        self._tally = Tally()
        self._state = _State.NEW
        self._has_seals = False
        self._seal = founding
        self._comparison: EntryComparison | None = None  # of the seal that is open
        self._suspect: tuple[Seal, str] | None = None  # with its body, for later

    @property
    def facts(self) -> Facts:
        """Return what was read so far."""
        tail = self._linkage.tail
        return Facts(
            tail.seal.origin,
            self._linkage.seals if self._has_seals else 0,
            tail.entries,
            self._tally.intact,
            self._founding.time,
            tail.seal.time,
            self._anchors.size,
            tail.hash,
        )

    @property
    def seal(self) -> Seal:
        """Return the seal that is open, or was last."""
        return self._seal

    @property
    def has_suspect(self) -> bool:
        """Tell whether the last seal is in doubt until its successor comes."""
        return self._suspect is not None

    @property
    def is_suspect_accepted(self) -> bool:
        """Tell whether the last seal has named the one in doubt before it."""
        return self._linkage.is_suspect_accepted

    @property
    def found(self) -> Found | None:
        """Return the body of the founding, if it came and is the signed one."""
        return self._bodies.found

    def is_proven(self, number: int) -> bool:
        """Tell whether a seal that came is proven, by what came so far."""
        runs = self._linkage.unproven_seals
        return not any(first <= number <= last for first, last in runs)

    def anchor(self, size: int, root: bytes) -> None:
        """Trust one more head, of at least the seals that came so far."""
        self._linkage.anchor(size, root)

    def cut_anchors(self, size: int) -> None:
        """Trust no head that was given so far and is larger than *size*."""
        self._linkage.cut_anchors(size)

    def add_seal(self, record: SealRecord) -> tuple[Seal, Body | None] | None:
        """Take the next seal; return it and its body if it has its place."""
        self.settle()
        is_first = self._state is _State.NEW
        self._enter("seal")
        self._has_seals = True
        try:
            seal, note = parse_seal_note(record.note)
        except FormatError as error:
            self._lose(str(error), is_first)
            return None
        if seal.origin != self._founding.origin:
            self._lose(f"it is a seal of {seal.origin}", is_first)
            return None
        if seal.number > 0:
            if is_first:
                self._report(FindingKind.MISSING, "seals")
            return self._add_later(seal, note, record)
        if is_first:
            return self._add_founding(seal, note, record)
        self._report(FindingKind.FOREIGN, "order")
        return None

    def add_entries(
        self,
        first: int,
        forms: bytes,
        payloads: Sequence[bytes],
        salts: Sequence[bytes] | None,
    ) -> range:
        """Take entries that are there; return the indexes that had a place."""
        if (comparison := self._opened(first, len(payloads))) is None:
            return range(0)
        place = comparison.add(first, forms, payloads, salts)
        self._lifetimes.add_present(self._seal, place)
        return place

    def may_add_whole(self, first: int, count: int, salt_bytes: int) -> bool:
        """Tell whether all entries of the open seal may be taken as compared.

        ``salt_bytes`` is the size of the salt that each of them has.
        """
        if self._state is not _State.FOLLOWING:
            return False
        comparison = self._comparison
        return comparison is None or comparison.awaits(first, count, salt_bytes)

    def add_whole(self) -> None:
        """Take all entries of the open seal: they were compared elsewhere.

        So ``EntryComparison.add_whole`` says; ask ``may_add_whole`` before.
        """
        self._enter("entries")
        if self._comparison is not None:
            self._lifetimes.add_present(self._seal, self._comparison.add_whole())

    def add_absent(self, first: int, count: int, why: str) -> None:
        """Take entries that are said to be gone: ``expired`` or ``erased``."""
        if (comparison := self._opened(first, count)) is None:
            return
        place = comparison.add_absent(first, count)
        if why == "erased":
            self._lifetimes.add_erased(self._seal, place)
        else:
            self._lifetimes.add_expired(self._seal, place)

    def add_unreadable(self, first: int, count: int, detail: str) -> None:
        """Take entries whose stored bytes are damaged."""
        if (comparison := self._opened(first, count)) is not None:
            comparison.add_unreadable(first, count, detail)

    def settle(self) -> EntryComparison | None:
        """Judge the entries of the seal that is open, which is over now."""
        comparison, self._comparison = self._comparison, None
        if comparison is not None:
            comparison.finish()
            if self._suspect is None:
                self._tally.add(comparison.intact_count, self._linkage)
        return comparison

    def finish(self) -> None:
        """Judge the chain as a whole: nothing follows."""
        self.settle()
        self._enter("finish")
        self._linkage.finish()
        self._tally.follow(self._linkage)
        self._lifetimes.finish()

    def _enter(self, event: str) -> None:
        try:
            self._state = _TRANSITIONS[self._state, event]
        except KeyError:
            raise RuntimeError(f"{event} after {self._state.value}") from None

    def _opened(self, first: int, count: int) -> EntryComparison | None:
        """Return the seal that is open; entries before any seal are foreign."""
        self._enter("entries")
        if self._state is _State.NEW and count > 0:
            entries = (first, first + count - 1)
            if self._patience.is_growing:
                self._findings.add(FindingKind.PENDING, "unsealed", entries=entries)
            else:
                self._findings.add(FindingKind.FOREIGN, "entries", entries=entries)
        return self._comparison

    def _lose(self, detail: str, is_first: bool) -> None:
        if is_first:
            self._report(FindingKind.FORGED, "text", detail)
        else:
            self._suspect = None
            self._linkage.lose(detail)

    def _add_founding(
        self, seal: Seal, note: Note, record: SealRecord
    ) -> tuple[Seal, Body | None]:
        """Take seal 0; its body is held against the one that is trusted."""
        is_trusted = seal_hash(note.text) == self._linkage.tail.hash
        if not is_trusted:
            self._report(FindingKind.FORGED, "founding")
        body = self._bodies.read(self._founding, record.body)
        if isinstance(body, Found) and is_trusted:
            try:
                verify_founding_note(seal, note, body.key, self._identity)
            except SignatureError as error:
                self._report(FindingKind.FORGED, "signature", str(error))
        self._compare(self._founding, record.leaves)
        return self._founding, body

    def _add_later(
        self, seal: Seal, note: Note, record: SealRecord
    ) -> tuple[Seal, Body | None] | None:
        due = self._linkage.tail.entries
        standing = self._linkage.add(seal, note)
        self._take_stock()
        match standing:
            case Standing.ACCEPTED:
                body = self._bodies.read(seal, record.body)
                self._compare(seal, record.leaves)
                return seal, body
            case Standing.SUSPECT:
                self._suspect = (seal, record.body)
                comparison = self._compare(seal, record.leaves)
                if not comparison.is_located or seal.first != due:
                    self._comparison = None  # nothing would be learnt from it
        return None

    def _compare(self, seal: Seal, leaves: bytes) -> EntryComparison:
        salt_bytes = None if self.found is None else self.found.salt_bytes
        self._seal = seal
        self._comparison = EntryComparison(
            seal, leaves, salt_bytes, self._forms, self._findings, self._patience
        )
        return self._comparison

    def _take_stock(self) -> None:
        """Let what was said in a claim hold, or not, by what became of it."""
        suspect, self._suspect = self._suspect, None
        if suspect is not None and self._linkage.is_suspect_accepted:
            self._bodies.read(*suspect)
        if self._tally.follow(self._linkage):
            self._lifetimes.revert()
        elif self._linkage.is_proven:
            self._lifetimes.confirm()

    def _report(self, kind: FindingKind, reason: str, detail: str = "") -> None:
        """Report about seal 0; the other seals have their own reporters."""
        self._findings.add(kind, reason, seals=(0, 0), detail=detail)
