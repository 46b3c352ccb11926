"""Say what a verification, an export or an inspection can read."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from beats_signer.chain.findings import Document, Range
from beats_signer.chain.seal import SealRecord
from beats_signer.store.contract import Flaw, Known
from beats_signer.verify.lines import Item

__all__ = ["Readable"]


class Readable(Protocol):
    """What a verification, an export or an inspection reads.

    Every method raises ``SourceError`` when the answer is undecided.
    """

    is_growing: bool
    """Whether a signer may be writing while it is read."""
    ignored: list[str]
    """What stands there and cannot be said to be a chain."""
    settled: int | None = None
    """The time up to which everything that was stored can be read; ``None``: all."""
    is_shown: bool = False
    """Whether what people see of the events is held against them while reading."""
    is_divisible: bool = False
    """Whether several processes may each read a range of a chain."""

    def catalogue(self) -> str:
        """Return the origin of the catalogue, which is the signer's name."""

    def origins(self) -> list[str]:
        """Return the origins of all chains there, the catalogue among them."""

    def checkpoint(self) -> str | None:
        """Return the newest checkpoint of the catalogue, or ``None``."""

    def flaws(self) -> list[Flaw]:
        """Return what is wrong with the source as such."""

    def done(self) -> float:
        """Return how much of the whole was read, from 0 to 1."""

    def last(self, origin: str) -> SealRecord | None:
        """Return the seal with the highest number, or ``None``."""

    def read(self, origin: str, first_seal: int = 0) -> Iterator[Item]:
        """Yield the seals of a chain from a number on, each with its entries."""

    def read_knowing(self, origin: str, known: Known) -> Iterator[Item]:
        """Yield all seals of a chain, each with those entries that are not known."""
        return self.read(origin)

    def read_range(
        self, origin: str, first_seal: int, stop_seal: int
    ) -> Iterator[Item]:
        """Yield the seals of a range of numbers, each with its entries.

        What no seal covers is not there; a source that cannot begin anywhere yields
        nothing, and has ``is_divisible`` false.
        """
        return iter(())

    def pin(self, origin: str, chain: bytes) -> None:
        """Say which chain id an origin is trusted to have, where several claim it."""
        return None

    def locate(self, seals: Range | None, entries: Range | None) -> Sequence[Document]:
        """Return documents of the chain that is read, of the last seals of it."""
        return ()

    def leftovers(self) -> Iterator[Flaw]:
        """Yield what belongs to no chain; call it when all chains were read."""
        return iter(())

    def left(self) -> Sequence[str]:
        """Return what was there and not looked at."""
        return ()

    def close(self) -> None:
        """Let go of the source; nothing can be read any more."""
