"""Verify a signer's catalogue, and learn from it which chains there are.

Trust starts at the trust line: the hash of the catalogue's founding, and the
identity that founds chains and signs checkpoints. A record is believed when its
entry is what was sealed; whether its seal is proven may turn out later, so each
carries the number of its seal. Memory grows with the number of chains only.

Order: ``add_seal`` and the ``add_`` of its entries, for each seal; ``settle``
when there are no more for now; ``finish`` when there will be none.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum

from msgspec import UNSET

from beats_signer.chain.body import Body, ConfigBody
from beats_signer.chain.checkpoint import Checkpoint
from beats_signer.chain.errors import ChainError, FormatError, SignatureError
from beats_signer.chain.facts import Facts
from beats_signer.chain.findings import FindingKind, Findings
from beats_signer.chain.founding import Found
from beats_signer.chain.listing import ListedChain, Listing
from beats_signer.chain.note import VerifierKey
from beats_signer.chain.records import CatalogueRecord
from beats_signer.chain.seal import Seal, SealRecord, parse_seal_note, seal_hash
from beats_signer.chain.silence import Silence
from beats_signer.chain.trust import TrustLine
from beats_signer.chain.verify import ChainVerifier

__all__ = ["CatalogueVerifier"]


class _State(Enum):
    NEW = "no seal came"
    FOLLOWING = "the first seal is the trusted founding"
    ADRIFT = "it is another one: nothing can be proven, and nothing more is judged"
    FINISHED = "the end was announced"


_TRANSITIONS = {
    _State.NEW: {_State.FOLLOWING, _State.ADRIFT, _State.FINISHED},
    _State.FOLLOWING: {_State.FINISHED},
    _State.ADRIFT: {_State.FINISHED},
    _State.FINISHED: set[_State](),
}


class CatalogueVerifier:
    """The state of a catalogue's verification."""

    def __init__(
        self,
        trust: TrustLine,
        findings: Findings,
        *,
        now: int,
        checkpoints: Iterable[str] = (),
        settled: int | None = None,
        on_record: Callable[[CatalogueRecord, int], None],
    ) -> None:
        """Start at a trust line.

        Args:
            trust: Who signs, and the hash of the catalogue's founding.
            findings: Where to report about the catalogue.
            now: The verifier's clock, nanoseconds since 1970.
            checkpoints: Signed notes; those that the identity signed are
                trusted heads of this catalogue.
            settled: The time up to which all that was stored is there; ``None``:
                any.
            on_record: Called with each record that is what was sealed and
                obeys the rules, and with the number of its seal.
        """
        self._trust = trust
        self._findings = findings
        self._now = now
        self._settled = settled
        self._on_record = on_record
        self._silence = Silence(findings)
        self._listing = Listing(trust.identity, findings, self._hear)
        self._heads, self._strangers = self._read_checkpoints(checkpoints)
        self._state = _State.NEW
        self._chain: ChainVerifier | None = None
        self._payloads: list[tuple[int, bytes]] = []  # of the seal that is open
        self._suspected: list[tuple[int, bytes]] = []  # of a seal in doubt
        self._due = 0  # index of the entry that the next seal starts with

    @property
    def is_anchored(self) -> bool:
        """Tell whether the founding came and is the trusted one."""
        return self._chain is not None

    @property
    def facts(self) -> Facts | None:
        """Return what was read so far; nothing without a trusted founding."""
        return None if self._chain is None else self._chain.facts

    @property
    def found(self) -> Found | None:
        """Return the body of the founding, if it came and is the signed one."""
        return None if self._chain is None else self._chain.found

    @property
    def chains(self) -> Mapping[str, ListedChain]:
        """Return the chains that are listed so far."""
        return self._listing.chains

    @property
    def identity(self) -> VerifierKey:
        """Return the identity in force."""
        return self._listing.identity

    @property
    def has_holes(self) -> bool:
        """Tell whether records were lost, so that a chain may be listed there."""
        return self._listing.has_holes or (
            self._chain is not None and self._chain.has_suspect
        )

    def is_proven(self, seal: int) -> bool:
        """Tell whether a seal that came is proven, by what came so far."""
        return self._chain is not None and self._chain.is_proven(seal)

    def add_seal(self, record: SealRecord) -> None:
        """Take the next seal."""
        self.settle()
        if self._state is _State.NEW:
            self._begin(record)
        if self._chain is None:
            return
        suspect = self._chain.seal.number if self._chain.has_suspect else None
        accepted = self._chain.add_seal(record)
        if suspect is not None:
            self._judge_suspected(suspect)
        if accepted is None:
            self._listing.has_holes |= not self._chain.has_suspect
            return
        seal, body = accepted
        self._listing.has_holes |= seal.first != self._due
        self._due = seal.first + seal.count
        self._silence.add_seal(seal)
        self._obey(seal, body)

    def add_entries(
        self,
        first: int,
        forms: bytes,
        payloads: Sequence[bytes],
        salts: Sequence[bytes] | None,
    ) -> None:
        """Take entries that are there."""
        if self._chain is None:
            return
        place = self._chain.add_entries(first, forms, payloads, salts)
        self._payloads += [(index, payloads[index - first]) for index in place]

    def add_absent(self, first: int, count: int, why: str) -> None:
        """Take entries that are said to be gone, which no record ever is."""
        if self._chain is not None:
            self._chain.add_absent(first, count, why)

    def add_unreadable(self, first: int, count: int, detail: str) -> None:
        """Take entries whose stored bytes are damaged."""
        if self._chain is not None:
            self._chain.add_unreadable(first, count, detail)

    def settle(self) -> None:
        """Judge the entries of the seal that is open, and learn from them."""
        payloads, self._payloads = self._payloads, []
        if self._chain is None:
            return
        seal = self._chain.seal.number
        comparison = self._chain.settle()
        if comparison is None:
            return
        good = [each for each in payloads if each[0] not in comparison.bad]
        self._listing.has_holes |= bool(comparison.bad)
        if self._chain.has_suspect:
            self._suspected = good
            return
        for index, payload in good:
            self._listing.add(payload, index, seal)

    def finish(self, *, is_live: bool = False) -> None:
        """Judge the catalogue as a whole: nothing follows."""
        self.settle()
        self._enter(_State.FINISHED)
        if self._chain is None:
            return
        self._chain.finish()
        for _ in self._strangers:
            self._findings.add(FindingKind.FORGED, "checkpoint")
        self._silence.finish(self._now, is_live=is_live)

    def _enter(self, state: _State) -> None:
        if state not in _TRANSITIONS[self._state]:
            raise RuntimeError(f"{state.name} after {self._state.name}")
        self._state = state

    def _begin(self, record: SealRecord) -> None:
        """Hold the first seal against the trust line."""
        try:
            seal, note = parse_seal_note(record.note)
        except FormatError as error:
            self._drift(FindingKind.FORGED, "text", str(error))
            return
        if seal_hash(note.text) == self._trust.catalogue:
            self._enter(_State.FOLLOWING)
            self._chain = ChainVerifier(
                seal,
                self._trust.identity,
                self._findings,
                now=self._now,
                newest=self._now,
                heads=self._heads,
                reason="checkpoint",
                settled=self._settled,
            )
        elif seal.number == 0:
            self._drift(FindingKind.FORGED, "founding", f"it is of {seal.origin}")
        else:
            self._drift(FindingKind.MISSING, "seals", "without it nothing is proven")

    def _drift(self, kind: FindingKind, reason: str, detail: str) -> None:
        self._enter(_State.ADRIFT)
        self._findings.add(kind, reason, seals=(0, 0), detail=detail)

    def _judge_suspected(self, seal: int) -> None:
        """Learn from a seal in doubt once its successor has named it."""
        suspected, self._suspected = self._suspected, []
        if self._chain is None or not self._chain.is_suspect_accepted:
            self._listing.has_holes = True
            return
        for index, payload in suspected:
            self._listing.add(payload, index, seal)
            self._due = index + 1

    def _obey(self, seal: Seal, body: Body | None) -> None:
        match body:
            case Found():
                self._silence.heartbeat_seconds = body.heartbeat_seconds
            case ConfigBody():
                if body.heartbeat_seconds is not UNSET:
                    self._silence.heartbeat_seconds = body.heartbeat_seconds
                if body.identity is not UNSET and self.is_proven(seal.number):
                    self._change_identity(body.identity, seal)

    def _change_identity(self, identity: VerifierKey, seal: Seal) -> None:
        """Trust another identity for later foundings and checkpoints, and no other.

        Only a proven seal can do that: else whoever forged it could sign the
        checkpoint that proves it. A checkpoint over this seal that an earlier
        identity signed is the work of somebody who has stolen that key.
        """
        self._listing.identity = identity
        self._refuse_later(seal)
        strangers, self._strangers = self._strangers, []
        for note in strangers:
            try:
                checkpoint = Checkpoint.verify(note, identity)
            except ChainError:
                self._strangers.append(note)
                continue
            if self._chain is not None and checkpoint.size > seal.number:
                self._heads.append((checkpoint.size, checkpoint.root))
                self._chain.anchor(checkpoint.size, checkpoint.root)
            else:  # of a time when another identity was in force
                self._strangers.append(note)

    def _refuse_later(self, seal: Seal) -> None:
        """Refuse the checkpoints over a seal that ends the time of their signer."""
        assert self._chain is not None, "only a seal that was placed is obeyed"
        self._chain.cut_anchors(seal.number)
        for size, _ in self._heads:
            if size > seal.number:
                detail = f"that of {size} seals is by an identity of before"
                self._findings.add(FindingKind.FORGED, "checkpoint", detail=detail)
        self._heads = [head for head in self._heads if head[0] <= seal.number]

    def _hear(self, record: CatalogueRecord, seal: int) -> None:
        self._silence.add_record(record)
        self._on_record(record, seal)

    def _read_checkpoints(
        self, notes: Iterable[str]
    ) -> tuple[list[tuple[int, bytes]], list[str]]:
        """Return the heads that the identity signed, and the notes it did not."""
        heads, strangers = [], []
        for note in notes:
            try:
                checkpoint = Checkpoint.verify(note, self._trust.identity)
            except SignatureError:
                strangers.append(note)
            except ChainError as error:
                self._findings.add(FindingKind.FORGED, "checkpoint", detail=str(error))
            else:
                heads.append((checkpoint.size, checkpoint.root))
        return sorted(heads), strangers
