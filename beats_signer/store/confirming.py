"""Confirm every write at once and keep nothing: a benchmark's store.

It measures the signer without a store behind it, at the same cost of encoding
as with the archive. It breaks the promise of durability by intent, so that no
configuration can name it.
"""

from collections.abc import Sequence

from beats_signer.chain.origin import signer_of
from beats_signer.chain.seal import SealRecord
from beats_signer.errors import Problem
from beats_signer.store.block import build_blocks
from beats_signer.store.contract import Appended, Sealed, Write

__all__ = ["ConfirmingStore"]


class ConfirmingStore:
    """A ``Store`` that remembers the newest seal of each chain and no more."""

    def __init__(self) -> None:
        self._newest: dict[bytes, Write] = {}

    def encode(self, sealed: Sealed) -> bytes:
        """See ``Store.encode``: the same bytes as for the archive."""
        return build_blocks(sealed.entries)

    async def open(self) -> None:
        """See ``Store.open``."""

    async def close(self) -> None:
        """See ``Store.close``."""

    async def append(self, write: Write) -> Appended:
        """Return at once; nothing becomes durable."""
        newest = self._newest.get(write.chain)
        if newest is None or newest.seal.number < write.seal.number:
            self._newest[write.chain] = Write(
                write.chain, write.seal, write.record, b""
            )
        return Appended()

    def problems(self) -> Sequence[Problem]:
        """See ``Store.problems``: none, an append fails or is whole."""
        return ()

    async def publish_checkpoint(self, signer: str, note: str) -> None:
        """Return at once; nothing becomes durable."""

    async def seal(self, chain: bytes, number: int) -> SealRecord | None:
        """Return the newest seal of the chain, if that is its number."""
        newest = self._newest.get(chain)
        if newest is None or newest.seal.number != number:
            return None
        return newest.record

    async def highest(self, chain: bytes) -> int | None:
        """See ``Store.highest``."""
        newest = self._newest.get(chain)
        return None if newest is None else newest.seal.number

    async def chains(self, signer: str) -> dict[str, bytes]:
        """See ``Store.chains``."""
        return {
            write.seal.origin: chain
            for chain, write in self._newest.items()
            if signer_of(write.seal.origin) == signer
        }
