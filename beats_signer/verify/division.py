"""Divide chains into ranges of seals, and use what others have found in them.

Others may only say that a seal is whole, so nothing that they say, or do not say,
changes what is found: who judges takes every seal in its place, as without them,
and reads itself all entries that are not known to be whole.

They may look at a range before who judges comes to it, or a while after it was
planned. Both are safe in a chain that grows: what is stored never changes by right,
so a seal that was whole at any moment after the catalogue was read is whole; and of
one whose entries were not to be seen yet nothing is said.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from beats_signer.chain.errors import FormatError
from beats_signer.chain.listing import ListedChain
from beats_signer.chain.seal import SealRecord, parse_seal_note
from beats_signer.chain.verify import ChainVerifier
from beats_signer.errors import SourceError
from beats_signer.store.contract import Entries, EntryBlock
from beats_signer.verify.lines import Item
from beats_signer.verify.readable import Readable
from beats_signer.verify.whole import Whole, digest_record
from beats_signer.verify.workers import SealRange

__all__ = ["Division", "Others"]

_RANGE_ENTRIES = 32_768
"""About how many entries a range has: half a second of work."""
_FEW = 8
"""A chain with less than this part of a range is not worth asking others."""
_NONE = Entries(b"", (), None)


class Others(Protocol):
    """Who looks at ranges of chains, at several of them at once."""

    def start(self, part: SealRange) -> Future[dict[bytes, Whole]] | None:
        """Let a range be looked at; ``None``: there is nobody who could."""

    def wait(self, answer: Future[dict[bytes, Whole]]) -> dict[bytes, Whole]:
        """Return what is whole in a range; nothing when nobody can say it."""

    def close(self) -> None:
        """Let all of them stop. Idempotent."""


@dataclass(slots=True)
class _Asked:
    """A range that others look at."""

    part: SealRange
    answer: Future[dict[bytes, Whole]]
    found: dict[bytes, Whole] | None = None


class Division:
    """What others look at, ahead of the one who judges."""

    def __init__(
        self,
        source: Readable,
        others: Others,
        ahead: int,
        range_entries: int = _RANGE_ENTRIES,
    ) -> None:
        """Take the source of who judges, and at how many ranges others may be."""
        self._source = source
        self._others = others
        self._ahead = ahead
        self._range_entries = range_entries
        self._asked: deque[_Asked] = deque()
        self._plan: Iterator[SealRange] = iter(())
        self._planned: list[str] = []
        self._at = 0  # which of them is read now,
        self._number = 0  # and up to which seal

    def expect(self, chains: Iterable[ListedChain]) -> None:
        """Say which chains will be read, in this order."""
        known = {listed.origin: listed.founding.hash() for listed in chains}
        self._planned, self._at, self._number = list(known), 0, 0
        self._plan = self._divide(known)
        self._ask()

    def read(self, origin: str, verifier: ChainVerifier) -> Iterator[Item]:
        """Yield all seals of a chain, each with the entries that others leave."""
        if origin in self._planned:
            self._at, self._number = self._planned.index(origin), 0
            while self._asked and self._asked[0].part.origin != origin:
                self._drop()
        yield from self._source.read_knowing(
            origin, partial(self._known, origin, verifier)
        )

    def close(self) -> None:
        """Let others stop. Idempotent."""
        self._others.close()

    def _divide(self, chains: dict[str, bytes]) -> Iterator[SealRange]:
        """Yield the ranges of all chains, up to the seals that there are now.

        How many these are is the word of a seal that may be forged: what would lie
        behind who judges, or in a chain that was read, is given up.
        """
        for at, (origin, chain) in enumerate(chains.items()):
            self._source.pin(origin, chain)
            seals, entries = self._measure(origin)
            if entries * _FEW < self._range_entries:
                continue
            step = max(1, seals * self._range_entries // entries)
            first = 0
            while first < seals and at >= self._at:
                stop = min(seals, first + step)
                yield SealRange(origin, chain, first, stop)
                first = max(stop, self._number if at == self._at else 0)

    def _measure(self, origin: str) -> tuple[int, int]:
        """Return how many seals and entries a chain has, by what its last one says."""
        try:
            last = self._source.last(origin)
            if last is None:
                return 0, 0
            seal, _ = parse_seal_note(last.note)
        except (SourceError, FormatError):
            return 0, 0  # who judges will meet it
        return seal.number + 1, seal.first + seal.count

    def _ask(self) -> None:
        """Let others look at as much as they may."""
        while len(self._asked) < self._ahead:
            part = next(self._plan, None)
            if part is None:
                return
            answer = self._others.start(part)
            if answer is None:
                self._plan = iter(())
                return
            self._asked.append(_Asked(part, answer))

    def _drop(self) -> None:
        self._asked.popleft().answer.cancel()
        self._ask()

    def _known(
        self, origin: str, verifier: ChainVerifier, number: int, record: SealRecord
    ) -> EntryBlock | None:
        """Return what stands for the entries of a seal, if they are known."""
        whole = self._find(origin, number, record)
        if whole is None:
            return None
        if not verifier.may_add_whole(whole.first, whole.count, whole.salt_bytes):
            return None
        return EntryBlock(
            whole.first, _NONE, whole.count, compared=whole.compared, is_whole=True
        )

    def _find(self, origin: str, number: int, record: SealRecord) -> Whole | None:
        """Return what others say of a seal; wait for it if they are at it."""
        while self._asked:
            asked = self._asked[0]
            if asked.part.origin != origin or number < asked.part.first:
                return None
            if number < asked.part.stop:
                if asked.found is None:
                    asked.found = self._others.wait(asked.answer)
                return asked.found.get(digest_record(record))
            self._number = number
            self._drop()
        return None
