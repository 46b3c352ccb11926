"""Open what is to be read: an archive, or the folder of an export."""

from collections.abc import Iterator
from pathlib import Path

from beats_signer.chain.seal import SealRecord
from beats_signer.errors import SourceError
from beats_signer.store.archive_source import ArchiveSource
from beats_signer.store.contract import Flaw, Known
from beats_signer.verify.folder import ExportFolder
from beats_signer.verify.lines import Item
from beats_signer.verify.readable import Readable

__all__ = ["ArchiveReading", "open_source"]


class ArchiveReading(Readable):
    """An archive, and how much of it was read."""

    def __init__(self, source: ArchiveSource) -> None:
        """Take the open archive; ``close`` closes it."""
        self._source = source
        self._read_seals = 0
        self._total_seals: int | None = None
        self.is_growing = True
        self.is_divisible = True
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
        yield from self._count(self._source.read(origin, first_seal))

    def read_knowing(self, origin: str, known: Known) -> Iterator[Item]:
        """See ``Readable.read_knowing``."""
        yield from self._count(self._source.read(origin, 0, known))

    def read_range(
        self, origin: str, first_seal: int, stop_seal: int
    ) -> Iterator[Item]:
        """See ``Readable.read_range``."""
        yield from self._source.read_range(origin, first_seal, stop_seal)

    def close(self) -> None:
        """See ``Readable.close``."""
        self._source.close()

    def _count(self, items: Iterator[Item]) -> Iterator[Item]:
        for item in items:
            self._read_seals += isinstance(item, SealRecord)
            yield item


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
