"""Compare the entries of one seal with its leaves and its root.

The leaves stand beside the seal, not in it: they are believed only when they
hash to the signed root. Then each entry is judged alone, at the moment it comes.
When they do not, the leaves of the entries themselves are kept until the seal
is over, at most 65,536 of them.
"""

from collections.abc import Sequence

from beats_signer.chain.encoding import HASH_BYTES
from beats_signer.chain.findings import FindingKind, Findings
from beats_signer.chain.merkle import leaf_hashes, split_hashes, tree_hash
from beats_signer.chain.origin import is_catalogue
from beats_signer.chain.patience import Patience
from beats_signer.chain.seal import Seal

__all__ = ["EntryComparison", "forms_of"]


def forms_of(origin: str) -> bytes:
    """Return the forms that entries of a chain may have."""
    return b"R" if is_catalogue(origin) else b"JLD"


class EntryComparison:
    """Take the entries of one seal in their order, and report what differs."""

    def __init__(
        self,
        seal: Seal,
        leaves: bytes,
        salt_bytes: int | None,
        forms: bytes,
        findings: Findings,
        patience: Patience,
    ) -> None:
        """Take the seal, its stored leaves and what its chain allows.

        ``salt_bytes`` is ``None`` when the founding cannot be read.
        """
        self._patience = patience
        self._seal = seal
        self._leaves = leaves
        self._salt_bytes = salt_bytes
        self._forms = forms
        self._findings = findings
        self._end = seal.first + seal.count
        self._next = seal.first
        self._computed: list[bytes] = []  # only while the leaves are not believed
        self._whole = True
        self.bad: set[int] = set()
        """Indexes in this seal that are not what was sealed, or not there."""
        self._is_located: bool | None = None  # nobody has asked yet

    @property
    def is_located(self) -> bool:
        """Tell whether the stored leaves are the signed ones."""
        if self._is_located is None:
            self._is_located = self._hash_to_root(self._leaves)
        return self._is_located

    @property
    def intact_count(self) -> int:
        """Return how many entries were here and what was sealed."""
        return self._seal.count - len(self.bad)

    def add(
        self,
        first: int,
        forms: bytes,
        payloads: Sequence[bytes],
        salts: Sequence[bytes] | None,
    ) -> range:
        """Compare entries that follow each other; return those that are placed."""
        place = self._place(first, len(payloads))
        if len(place) < len(payloads):
            cut = slice(place.start - first, place.stop - first)
            forms, payloads = forms[cut], payloads[cut]
            salts = None if salts is None else salts[cut]
        if place:
            self._check_forms(place, forms)
            self._compare(place, forms, payloads, salts)
        return place

    def awaits(self, first: int, count: int, salt_bytes: int) -> bool:
        """Tell whether these are the entries of the seal, none of which came yet."""
        return (
            (first, count) == (self._seal.first, self._seal.count)
            and self._next == first
            and self._salt_bytes in (None, salt_bytes)
        )

    def add_whole(self) -> range:
        """Take all entries of the seal as compared; return their indexes.

        Whoever has compared them has found that they, and the stored leaves, hash
        to the root; that their forms are allowed; and ``awaits`` was asked.
        """
        self._is_located = True
        self._next = self._end
        return range(self._seal.first, self._end)

    def add_absent(self, first: int, count: int) -> range:
        """Pass over entries that are said to be gone; return those placed here.

        Whether they may be gone is not judged here.
        """
        place = self._place(first, count)
        self._pass_over(place)
        return place

    def add_unreadable(self, first: int, count: int, detail: str) -> None:
        """Report entries whose stored bytes are damaged."""
        place = self._place(first, count)
        self._pass_over(place)
        if place:
            self._report("unreadable", place, detail)

    def finish(self) -> None:
        """Judge the seal as a whole; nothing may be added afterwards."""
        self._miss(self._end)
        if self.is_located:
            return
        if self._whole and tree_hash(self._computed) == self._seal.root:
            seals = (self._seal.number, self._seal.number)
            self._findings.add(FindingKind.MODIFIED, "leaves", seals=seals)
            return
        self._pass_over(range(self._seal.first, self._end))
        self._report("unlocated", range(self._seal.first, self._end))

    def _hash_to_root(self, leaves: bytes) -> bool:
        if len(leaves) != HASH_BYTES * self._seal.count:
            return False
        return tree_hash(split_hashes(leaves)) == self._seal.root

    def _place(self, first: int, count: int) -> range:
        """Return the indexes of a run that belong here and are not there yet."""
        stop = first + count
        if first < self._seal.first:
            self._foreign("entries", first, min(stop, self._seal.first))
            first = min(stop, self._seal.first)
        if first < self._next:
            self._foreign("order", first, min(stop, self._next))
            first = max(first, min(stop, self._next))
        if stop > self._end:
            self._exceed(max(first, self._end), stop)
            stop = max(first, self._end)
        if first < stop and first < self._end:
            self._miss(first)
            self._next = min(stop, self._end)
            return range(first, self._next)
        return range(first, first)

    def _miss(self, index: int) -> None:
        """Report the entries up to ``index`` that did not come."""
        if index > self._next:
            is_young = self._patience.is_young(self._seal.time)
            self._findings.add(
                FindingKind.PENDING if is_young else FindingKind.MISSING,
                "entries",
                seals=(self._seal.number, self._seal.number),
                entries=(self._next, index - 1),
            )
            self._pass_over(range(self._next, index))

    def _pass_over(self, place: range) -> None:
        self.bad.update(place)
        self._whole = self._whole and not place

    def _compare(
        self,
        place: range,
        forms: bytes,
        payloads: Sequence[bytes],
        salts: Sequence[bytes] | None,
    ) -> None:
        if salted := self._wrongly_salted(place, salts):
            self._report("entry", salted, "its salt is not of the chain's size")
            self._pass_over(place)
            return
        leaves = leaf_hashes(forms, payloads, salts)
        if not self.is_located:
            self._computed += leaves
            return
        start = HASH_BYTES * (place.start - self._seal.first)
        joined = b"".join(leaves)
        if joined == self._leaves[start : start + len(joined)]:
            return
        for index, leaf in zip(place, leaves, strict=True):
            at = HASH_BYTES * (index - self._seal.first)
            if leaf != self._leaves[at : at + HASH_BYTES]:
                self.bad.add(index)
                self._report("entry", range(index, index + 1), self._sealed_as(leaf))

    def _wrongly_salted(
        self, place: range, salts: Sequence[bytes] | None
    ) -> range | None:
        """Return the run when a byte could move between salt and payload."""
        if self._salt_bytes is None:
            return None
        sizes = {0} if salts is None else {len(salt) for salt in salts}
        return None if sizes == {self._salt_bytes} else place

    def _sealed_as(self, leaf: bytes) -> str:
        """Say where an entry belongs that stands in another's place."""
        at = self._leaves.find(leaf)
        if at < 0 or at % HASH_BYTES:
            return ""
        return f"it was sealed as entry {self._seal.first + at // HASH_BYTES}"

    def _check_forms(self, place: range, forms: bytes) -> None:
        if strange := forms.translate(None, self._forms):
            self._findings.add(
                FindingKind.FORGED,
                "form",
                seals=(self._seal.number, self._seal.number),
                entries=(place.start, place.stop - 1),
                detail=f"form {chr(strange[0])!a}",
            )

    def _exceed(self, first: int, stop: int) -> None:
        """Report entries behind this seal, which nothing covers so far."""
        if self._patience.is_growing and first < stop:
            place = (first, stop - 1)
            self._findings.add(FindingKind.PENDING, "unsealed", entries=place)
        else:
            self._foreign("entries", first, stop)

    def _foreign(self, reason: str, first: int, stop: int) -> None:
        if first < stop:
            self._findings.add(FindingKind.FOREIGN, reason, entries=(first, stop - 1))

    def _report(self, reason: str, place: range, detail: str = "") -> None:
        self._findings.add(
            FindingKind.MODIFIED,
            reason,
            seals=(self._seal.number, self._seal.number),
            entries=(place.start, place.stop - 1),
            detail=detail,
        )
