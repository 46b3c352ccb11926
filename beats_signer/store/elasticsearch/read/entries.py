"""Find the entries of one chain among the documents that claim to be some.

Documents come in the order of their index, whatever else they are. Where several
claim one index, the one whose leaf the seal has is the entry, in whatever order
they come; an identical one is a copy, and any other is foreign. At most two of
them are held at a time.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from beats_signer.chain.encoding import HASH_BYTES
from beats_signer.chain.findings import Document, FindingKind
from beats_signer.chain.merkle import leaf_hash, split_hashes, tree_hash
from beats_signer.chain.seal import Seal, SealRecord
from beats_signer.store.contract import Flaw
from beats_signer.store.elasticsearch.places import ID_CHARACTERS, id_of
from beats_signer.store.elasticsearch.read.claims import Claim, number_of, read_claim
from beats_signer.store.elasticsearch.read.pages import Pages

__all__ = ["Candidates", "Claims", "Other"]

_OWN_ID, _OWN_LEAF = 1, 2
"""How well a document fits: its name has its leaf, or the seal has it."""


class Claims:
    """The documents of one chain, in order, as far as they were asked for."""

    def __init__(self, pages: Pages, chain: str) -> None:
        """Take the pages, which ``close`` closes, and half of the chain id in hex."""
        self._chain = chain
        self._source = pages
        self._pages = iter(pages)
        self._held: list[Claim] = []

    def until(self, stop: int | None) -> Iterator[list[Claim]]:
        """Yield those whose index is below ``stop``, or all; never an empty list."""
        while True:
            if not self._held and not self._fetch():
                return
            held = self._held
            if stop is None or held[-1].index < stop:
                self._held = []
                yield held
                continue
            end = bisect_left(held, stop, key=lambda claim: claim.index)
            self._held = held[end:]
            if end:
                yield held[:end]
            return

    @property
    def held_number(self) -> int | None:
        """Return by which number the first document was found that waits, if any."""
        return number_of(self._held[0].hit) if self._held else None

    def close(self) -> None:
        """Read no more. Idempotent."""
        self._source.close()

    def _fetch(self) -> bool:
        """Take the next page; tell whether there is one."""
        hits = next(self._pages, None)
        if hits is None:
            return False
        claims = [read_claim(hit, self._chain) for hit in hits]
        indexes = [claim.index for claim in claims]
        if indexes != sorted(indexes):
            claims = [_by_order(claim) for claim in claims]
        self._held = claims
        return True


def _by_order(claim: Claim) -> Claim:
    """Return the claim if it has the number that the server has found it by."""
    number = number_of(claim.hit)
    if number == claim.index:
        return claim
    return Claim(claim.hit, number, fault=f"it is entry {claim.index} as well")


@dataclass(frozen=True, slots=True)
class Other:
    """A document that claims the index of an entry, and is not the entry."""

    claim: Claim
    flaw: Flaw
    """What it is: ``duplicate`` or ``foreign``."""


class Candidates:
    """Choose the entries of one seal."""

    def __init__(self, chain: bytes, seal: Seal, record: SealRecord) -> None:
        """Take the seal that is open; its leaves are believed if they are its own."""
        self._chain = chain
        self._seal = seal
        self._leaves = record.leaves
        self._is_believed: bool | None = None  # nobody has asked yet

    def choose(self, parts: Iterable[list[Claim]]) -> Iterator[list[Claim] | Other]:
        """Yield the entries, one per index, in runs; and what the others are."""
        held: list[Claim] = []  # the last of them may be claimed once more
        for part in parts:
            claims = part
            if held and held[-1].index == part[0].index:
                claims = [held.pop(), *part]
            if held:
                yield held
            held = claims
            if not _is_ascending(claims):
                held = []
                for claim in claims:
                    if held and held[-1].index == claim.index:
                        held[-1], other = self._resolve(held[-1], claim)
                        yield other
                    else:
                        held.append(claim)
        if held:
            yield held

    def is_intact(self, claim: Claim) -> bool:
        """Tell whether a document is what was sealed, as far as can be told."""
        return self._fit(claim) >= (_OWN_LEAF if self._believe() else _OWN_ID)

    def name(self, index: int) -> Document | None:
        """Return the document that an entry should be, if its leaf is known."""
        at = HASH_BYTES * (index - self._seal.first)
        leaf = self._leaves[at : at + HASH_BYTES] if at >= 0 else b""
        if len(leaf) < HASH_BYTES:
            return None
        return Document("", id_of(self._chain, index, leaf))

    def _resolve(self, first: Claim, second: Claim) -> tuple[Claim, Other]:
        """Return which of two documents is the entry, and what the other is."""
        fits = self._fit(first), self._fit(second)
        entry, other = (second, first) if fits[1] > fits[0] else (first, second)
        is_copy = fits[0] > 0 and _leaf(first) == _leaf(second)
        kind = FindingKind.DUPLICATE if is_copy else FindingKind.FOREIGN
        reason = "copy" if is_copy else "second"
        place = other.index, other.index
        number = self._seal.number
        flaw = Flaw(kind, reason, "", (number, number), place, (other.document,))
        return entry, Other(other, flaw)

    def _fit(self, claim: Claim) -> int:
        leaf = _leaf(claim)
        if leaf is None:
            return 0
        at = HASH_BYTES * (claim.index - self._seal.first)
        if self._believe() and leaf == self._leaves[at : at + HASH_BYTES]:
            return _OWN_LEAF
        own = id_of(self._chain, claim.index, leaf)
        return _OWN_ID if claim.hit.id[:ID_CHARACTERS] == own else 0

    def _believe(self) -> bool:
        """Tell whether the stored leaves are those of the seal; asked for rarely."""
        if self._is_believed is None:
            leaves = self._leaves
            self._is_believed = (
                len(leaves) == HASH_BYTES * self._seal.count
                and tree_hash(split_hashes(leaves)) == self._seal.root
            )
        return self._is_believed


def _leaf(claim: Claim) -> bytes | None:
    if claim.fault:
        return None
    return leaf_hash(bytes((claim.form,)), claim.payload, claim.salt or b"")


def _is_ascending(claims: Sequence[Claim]) -> bool:
    """Tell whether no two documents claim one index."""
    first = claims[0].index
    return claims[-1].index - first == len(claims) - 1 and [
        claim.index for claim in claims
    ] == list(range(first, first + len(claims)))
