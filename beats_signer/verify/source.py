"""Open what is to be read: an archive, or the folder of an export."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from beats_signer.chain.seal import SealRecord
from beats_signer.errors import SourceError
from beats_signer.store.archive_source import ArchiveSource
from beats_signer.verify.folder import ExportFolder
from beats_signer.verify.lines import Flaw, Item

__all__ = ["ArchiveReading", "Readable", "open_source"]


class Readable(Protocol):
    """What a verification, an export or an inspection reads.

    Every method raises ``SourceError`` when the answer is undecided.
    """

    is_growing: bool
    """Whether a signer may be writing while it is read."""
    ignored: list[str]
    """What stands there and cannot be said to be a chain."""

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

    def close(self) -> None:
        """Let go of the source; nothing can be read any more."""


class ArchiveReading:
    """An archive, and how much of it was read."""

    def __init__(self, source: ArchiveSource) -> None:
        """Take the open archive; ``close`` closes it."""
        self._source = source
        self._read_seals = 0
        self._total_seals: int | None = None
        self.is_growing = True
        self.ignored: list[str] = []
        """Nothing: whatever an archive holds belongs to a chain."""

    def catalogue(self) -> str:
        """See ``Readable.catalogue``."""
        return self._source.catalogue()

    def origins(self) -> list[str]:
        """See ``Readable.origins``."""
        return self._source.origins()

    def checkpoint(self) -> str | None:
        """See ``Readable.checkpoint``."""
        return self._source.checkpoint()

    def flaws(self) -> list[Flaw]:
        """See ``Readable.flaws``."""
        return []

    def done(self) -> float:
        """See ``Readable.done``; counted in seals."""
        if self._total_seals is None:
            highest = [self._source.highest(origin) for origin in self.origins()]
            self._total_seals = sum(n + 1 for n in highest if n is not None)
        return min(1.0, self._read_seals / max(1, self._total_seals))

    def last(self, origin: str) -> SealRecord | None:
        """See ``Readable.last``."""
        highest = self._source.highest(origin)
        return None if highest is None else self._source.seal(origin, highest)

    def read(self, origin: str, first_seal: int = 0) -> Iterator[Item]:
        """See ``Readable.read``."""
        for item in self._source.read(origin, first_seal):
            self._read_seals += isinstance(item, SealRecord)
            yield item

    def close(self) -> None:
        """See ``Readable.close``."""
        self._source.close()


def open_source(path: Path, signer: str | None = None) -> Readable:
    """Open a folder or an archive; of an archive the chains of ``signer``.

    Raises:
        SourceError: There is nothing, or nothing that can be read so.
    """
    if path.is_dir():
        return ExportFolder(path)
    if not path.exists():
        raise SourceError(
            f"{path} does not exist",
            hint="Give the archive of a signer, or a folder that export has made.",
        )
    if path.name.endswith((".ndjson", ".ndjson.gz", ".checkpoint")):
        raise SourceError(
            f"{path} alone proves nothing without its signer's catalogue",
            hint=f"Give the folder: {path.parent}",
        )
    return ArchiveReading(ArchiveSource(path, signer))
