"""Make blocks of entries out of the documents that were chosen; all pure."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

from beats_signer.store.contract import Entries, EntryBlock
from beats_signer.store.elasticsearch.read.claims import Claim

__all__ = ["build_absence", "build_entry_blocks"]

_NONE: Final = Entries(b"", (), None)
_BLOCK_ENTRIES: Final = 1024


def build_entry_blocks(
    claims: Sequence[Claim], *, is_erasable: bool, is_compared: bool
) -> Iterator[EntryBlock]:
    """Yield blocks of entries that stand one after the other and are alike.

    ``is_erasable``: what has neither payload nor salt may have been erased.
    ``is_compared``: what people see of the entries is held against them.
    """
    for alike in _alike(claims):
        for at in range(0, len(alike), _BLOCK_ENTRIES):
            part = alike[at : at + _BLOCK_ENTRIES]
            yield _block(part, is_erasable=is_erasable, is_compared=is_compared)


def build_absence(first: int, count: int, why: str) -> EntryBlock:
    """Return the block of entries that are said to be gone."""
    return EntryBlock(first, _NONE, count, absent=why)


def _alike(claims: Sequence[Claim]) -> Iterator[Sequence[Claim]]:
    """Cut claims where one is not like the one before; nearly always all are."""
    first = claims[0]
    if (
        claims[-1].index - first.index == len(claims) - 1
        and not any([claim.fault for claim in claims])
        and first.salt is None
        and {claim.salt for claim in claims} == {None}
    ):
        yield claims
        return
    for _, group in groupby(enumerate(claims), _kind):
        yield [claim for _, claim in group]


def _kind(numbered: tuple[int, Claim]) -> tuple[int, str, bool, bool]:
    """Return what is the same for entries of one block."""
    at, claim = numbered
    return claim.index - at, claim.fault, claim.salt is None, claim.has_payload


def _block(
    claims: Sequence[Claim], *, is_erasable: bool, is_compared: bool
) -> EntryBlock:
    first, one, count = claims[0].index, claims[0], len(claims)
    if one.fault:
        if is_erasable and not one.has_payload:
            return build_absence(first, count, "erased")
        return EntryBlock(first, _NONE, count, damaged=one.fault)
    salts = None if one.salt is None else [claim.salt or b"" for claim in claims]
    entries = Entries(
        bytes([claim.form for claim in claims]),
        [claim.payload for claim in claims],
        salts,
    )
    return EntryBlock(first, entries, count, compared=count if is_compared else 0)
