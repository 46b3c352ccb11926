"""Walk one chain of an archive, whatever somebody has done to the file.

No transaction outlives one statement: a verifier that takes hours neither
holds up the signer's checkpoints of its WAL nor reads a stale view. That needs
no snapshot, because a stored seal and its blocks never change.
"""

import sqlite3
from collections.abc import Iterator

from beats_signer.chain.seal import SealRecord
from beats_signer.store.archive_rows import (
    SealRow,
    select_block,
    select_block_key,
    select_block_keys,
    select_covering_seal,
    select_highest,
    select_last_block,
    select_next_seal,
)
from beats_signer.store.block import BlockError, open_block
from beats_signer.store.contract import Entries, EntryBlock, Known
from beats_signer.store.covered import Covered

__all__ = ["ArchiveChain"]

_NONE = Entries(b"", (), None)
_LOWEST, _HIGHEST = -(1 << 63), (1 << 63) - 1
"""Of the numbers that the file can hold, not only of those that a chain uses."""
_KEYS = 1024
"""Places of blocks that are looked at together."""
_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_TOOBIG})


class ArchiveChain:
    """One chain of an open archive; every method may raise ``sqlite3.Error``."""

    def __init__(self, connection: sqlite3.Connection, chain: bytes) -> None:
        self._connection = connection
        self._chain = chain

    def read(
        self, first_seal: int, known: Known | None = None
    ) -> Iterator[SealRecord | EntryBlock]:
        """See ``Source.read``; what is known is not read."""
        covered = Covered()
        start = _LOWEST if first_seal == 0 else None
        for seal in self._seals(first_seal, _HIGHEST):
            start = seal.first if start is None else start
            covered.add(seal.first, seal.end)
            yield seal.record
            if known is not None and (block := known(seal.number, seal.record)):
                yield block
            else:
                yield from self._blocks(seal.first, seal.end)
        if start is not None:
            yield from self._uncovered(start, covered)

    def read_range(
        self, first_seal: int, stop_seal: int
    ) -> Iterator[SealRecord | EntryBlock]:
        """Yield the seals of a range of numbers, each followed by its entries."""
        for seal in self._seals(first_seal, stop_seal - 1):
            yield seal.record
            yield from self._blocks(seal.first, seal.end)

    def entry(self, index: int) -> EntryBlock | None:
        """See ``Source.entry``."""
        first = select_last_block(self._connection, self._chain, index)
        block = None if first is None else self._block(first, first + 1)
        if block is None or index >= block.first + block.count:
            return None
        if block.damaged is not None:
            return _damaged(index, 1, block.damaged)
        at = slice(index - block.first, index - block.first + 1)
        forms, payloads, salts = (
            block.entries.forms,
            block.entries.payloads,
            block.entries.salts,
        )
        entries = Entries(forms[at], payloads[at], None if salts is None else salts[at])
        return EntryBlock(index, entries, 1)

    def _seals(self, number: int, most: int) -> Iterator[SealRow]:
        last = select_highest(self._connection, self._chain)
        while last is not None:
            last = min(last, most)
            seal = select_next_seal(self._connection, self._chain, number, last)
            if seal is None:
                return
            yield seal
            number = seal.number + 1

    def _blocks(self, start: int, end: int) -> Iterator[EntryBlock]:
        """Yield the blocks that start in a range, also when they overlap."""
        while start < end and (block := self._block(start, end)):
            yield block
            start = block.first + (block.count if block.damaged else 1)

    def _block(self, start: int, end: int) -> EntryBlock | None:
        """Return the first block that starts in a range, in whatever state."""
        try:
            row = select_block(self._connection, self._chain, start, end)
        except sqlite3.Error as error:
            return self._unreadable(start, end, error)
        if row is None:
            return None
        first, count, data = row
        try:
            entries = open_block(data)
        except BlockError as error:
            return _damaged(first, count, str(error))
        return EntryBlock(first, entries, len(entries.payloads))

    def _unreadable(self, start: int, end: int, error: sqlite3.Error) -> EntryBlock:
        """Name a block whose row is past reading, or else the whole range."""
        _check_damage(error)
        try:
            key = select_block_key(self._connection, self._chain, start, end)
        except sqlite3.Error as worse:
            _check_damage(worse)
            key = None
        first, count = key or (start, end - start)
        return _damaged(first, count, str(error))

    def _uncovered(self, start: int, covered: Covered) -> Iterator[EntryBlock]:
        """Yield the blocks that start where no seal claims an entry.

        Seals that were stored since their numbers were passed claim theirs.
        """
        last = select_last_block(self._connection, self._chain, _HIGHEST)
        while last is not None and start <= last:
            firsts = select_block_keys(
                self._connection, self._chain, start, last, _KEYS
            )
            if not firsts:
                return
            for first in firsts:
                if first not in covered and not self._claimed(first):
                    yield from self._blocks(first, first + 1)
            start = firsts[-1] + 1

    def _claimed(self, index: int) -> bool:
        seal = select_covering_seal(self._connection, self._chain, index)
        return seal is not None


def _damaged(first: int, count: int, damage: str) -> EntryBlock:
    return EntryBlock(first, _NONE, max(count, 1), damaged=damage)


def _check_damage(error: sqlite3.Error) -> None:
    """Raise again what is wrong with the reading and not with the file."""
    if getattr(error, "sqlite_errorcode", 0) & 0xFF not in _DAMAGE:
        raise error
