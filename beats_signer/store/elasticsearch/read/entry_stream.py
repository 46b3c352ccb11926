"""Read the documents of one chain in order, and leave out what need not be read.

Nothing is left out unseen: what is passed over begins where reading has come to, so
that every document stands either in what was passed or in what is read.
"""

from collections.abc import Iterator

from beats_signer.store.elasticsearch.read.claims import Claim
from beats_signer.store.elasticsearch.read.entries import Claims
from beats_signer.store.elasticsearch.read.entry_search import EntrySearch

__all__ = ["EntryStream"]


class EntryStream:
    """The documents of one chain, from an index on."""

    def __init__(self, search: EntrySearch, first: int, stop: int | None) -> None:
        """Take where to begin and to end; nothing is asked yet."""
        self._search = search
        self._place = first  # all that is found by a lower number is behind us
        self._stop = stop
        self._claims: Claims | None = None

    def open(self) -> Claims:
        """Take the view of what is there now, unless there is one; return it."""
        if self._claims is None:
            self._claims = self._search.open(self._place, self._stop)
        return self._claims

    def until(self, stop: int | None) -> Iterator[list[Claim]]:
        """Yield the documents below an index, or all that are left."""
        if not self._is_over():
            yield from self.open().until(stop)
        self._advance(stop)

    def drop(self, stop: int) -> None:
        """Leave the documents below an index out: nobody can judge them."""
        if self._claims is not None:
            for _ in self._claims.until(stop):
                pass
        self._advance(stop)

    @property
    def is_clean(self) -> bool:
        """Tell whether no document waits that was found by a lower number already."""
        held = None if self._claims is None else self._claims.held_number
        return held is None or held >= self._place

    def pass_over(self, first: int, stop: int) -> bool:
        """Leave out a range that is known to have nothing but its entries.

        Tell whether that was done: not unless all in front of it was read.
        """
        if first != self._place or not self.is_clean:
            return False
        self.close()
        self._advance(stop)
        return True

    def close(self) -> None:
        """Read no more. Idempotent."""
        claims, self._claims = self._claims, None
        if claims is not None:
            claims.close()

    def _is_over(self) -> bool:
        return (
            self._claims is None
            and self._stop is not None
            and self._place >= self._stop
        )

    def _advance(self, stop: int | None) -> None:
        if stop is not None:
            self._place = max(self._place, stop)
