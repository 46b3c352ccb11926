"""A store in RAM that keeps the whole contract except what a power cut takes."""

from collections.abc import Iterator, Sequence

from beats_signer.chain.origin import signer_of
from beats_signer.chain.seal import Seal, SealRecord
from beats_signer.errors import ForkError, Problem, SourceError
from beats_signer.store.block import build_blocks, open_block, split_blocks
from beats_signer.store.contract import Appended, Entries, EntryBlock, Sealed, Write

__all__ = ["MemorySource", "MemoryStore"]


class MemoryStore:
    """A ``Store``; what it holds outlives ``close`` and a later ``open``.

    It is a plain value to tests: ``writes`` may be read and tampered with.
    """

    def __init__(self) -> None:
        self.writes: dict[bytes, dict[int, Write]] = {}
        self.checkpoints: dict[str, str] = {}

    def encode(self, sealed: Sealed) -> bytes:
        return build_blocks(sealed.entries)

    async def open(self) -> None:
        pass

    async def close(self) -> None:
        pass

    async def append(self, write: Write) -> Appended:
        seal = write.seal
        for chain, writes in self.writes.items():
            if chain != write.chain and next(iter(writes.values())).seal.origin == (
                seal.origin
            ):
                raise ForkError(f"another chain stands under the name {seal.origin}")
        writes = self.writes.get(write.chain, {})
        stored = writes.get(seal.number)
        if stored is not None and stored.record != write.record:
            raise ForkError(
                f"another seal stands under number {seal.number} of {seal.origin}"
            )
        if any(_overlap(seal, other.seal) for other in writes.values()) or (
            stored is not None and stored.body != write.body
        ):
            raise ForkError(f"other entries stand at {seal.first} of {seal.origin}")
        self.writes.setdefault(write.chain, {})[seal.number] = write
        return Appended()

    def problems(self) -> Sequence[Problem]:
        return ()

    async def publish_checkpoint(self, signer: str, note: str) -> None:
        self.checkpoints[signer] = note

    async def seal(self, chain: bytes, number: int) -> SealRecord | None:
        write = self.writes.get(chain, {}).get(number)
        return None if write is None else write.record

    async def highest(self, chain: bytes) -> int | None:
        return max(self.writes.get(chain, {}), default=None)

    async def chains(self, signer: str) -> dict[str, bytes]:
        return {
            origin: chain
            for origin, chain in self.origins().items()
            if signer_of(origin) == signer
        }

    def origins(self) -> dict[str, bytes]:
        """Return the chain id of every origin, whoever signs it."""
        return {
            next(iter(writes.values())).seal.origin: chain
            for chain, writes in self.writes.items()
        }


class MemorySource:
    """A ``Source`` over a ``MemoryStore``."""

    def __init__(self, store: MemoryStore, signer: str | None = None) -> None:
        self._store = store
        self._signer = signer

    def catalogue(self) -> str:
        signers = {signer_of(origin) for origin in self._store.origins()}
        if self._signer is not None:
            return self._signer
        if len(signers) != 1:
            raise SourceError(f"the store holds the chains of {len(signers)} signers")
        return signers.pop()

    def origins(self) -> list[str]:
        signer = self.catalogue()
        return sorted(o for o in self._store.origins() if signer_of(o) == signer)

    def checkpoint(self) -> str | None:
        return self._store.checkpoints.get(self.catalogue())

    def highest(self, origin: str) -> int | None:
        return max(self._writes(origin), default=None)

    def seal(self, origin: str, number: int) -> SealRecord | None:
        write = self._writes(origin).get(number)
        return None if write is None else write.record

    def seal_of(self, origin: str, index: int) -> SealRecord | None:
        for write in self._writes(origin).values():
            if write.seal.first <= index < write.seal.first + write.seal.count:
                return write.record
        return None

    def read(
        self, origin: str, first_seal: int = 0
    ) -> Iterator[SealRecord | EntryBlock]:
        for number, write in sorted(self._writes(origin).items()):
            if number >= first_seal:
                yield write.record
                for block in split_blocks(write.body, write.seal.first):
                    yield EntryBlock(block.first, open_block(block.data), block.count)

    def entry(self, origin: str, index: int) -> EntryBlock | None:
        for block in self.read(origin):
            if (
                isinstance(block, EntryBlock)
                and block.first <= index < block.first + block.count
            ):
                at = slice(index - block.first, index - block.first + 1)
                salts = block.entries.salts
                return EntryBlock(
                    index,
                    Entries(
                        block.entries.forms[at],
                        block.entries.payloads[at],
                        None if salts is None else salts[at],
                    ),
                    1,
                )
        return None

    def _writes(self, origin: str) -> dict[int, Write]:
        chain = self._store.origins().get(origin, b"")
        return self._store.writes.get(chain, {})


def _overlap(one: Seal, other: Seal) -> bool:
    """Say whether two seals of different numbers claim the same entry."""
    return (
        one.number != other.number
        and one.first < other.first + other.count
        and other.first < one.first + one.count
    )
