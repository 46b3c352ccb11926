"""Read the folder of an export: the catalogue, its checkpoint, one file per chain.

The catalogue's file has its fixed name. Any other file of lines is that of the
chain whose seals it holds; everything else in the folder is passed over.
"""

import gzip
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from isal import igzip, isal_zlib

from beats_signer.chain.findings import FindingKind
from beats_signer.chain.note import NOTE_BYTES
from beats_signer.chain.seal import SealRecord
from beats_signer.errors import SourceError
from beats_signer.store.contract import Flaw
from beats_signer.verify.lines import Item, read_lines
from beats_signer.verify.readable import Readable

__all__ = ["CATALOGUE", "CHECKPOINT", "SUFFIXES", "ExportFolder", "origin_of_file"]

CATALOGUE = "catalogue.ndjson"
"""The catalogue's file; ``.gz`` behind it when it is compressed."""
CHECKPOINT = "catalogue.checkpoint"
SUFFIXES = (".ndjson", ".ndjson.gz")
"""Of files of lines: plain, and compressed."""

# What the library declares too loosely: an exception, and an untyped function.
_INFLATE_ERROR = cast(type[Exception], isal_zlib.error)
_OPEN_GZIP: Callable[[BinaryIO], BinaryIO] = igzip.open
_SEARCH_ITEMS = 1000
"""Seals and runs of entries among which a file must say whose it is."""


class ExportFolder(Readable):
    """An exported folder; it is expected to stay as it is while it is read."""

    def __init__(self, path: Path) -> None:
        """Find out which file is whose.

        Raises:
            SourceError: The folder or a file of it cannot be read, or there is
                no catalogue.
        """
        self._path = path
        self._files: dict[str, list[Path]] = {}
        self._done_bytes = 0
        self._open_bytes = 0  # of the file that is being read
        self.is_growing = False
        self.ignored: list[str] = []
        """Names of files of lines in which nothing says whose they are."""
        with _reading(path):
            names = sorted(name for name in path.iterdir() if name.is_file())
        files = [name for name in names if name.name.endswith(SUFFIXES)]
        for file in files:
            self._assign(file)
        self._total_bytes = sum(file.stat().st_size for file in files)
        self._signer = self._find_catalogue(files)

    def close(self) -> None:
        """See ``Readable.close``: files are open only while they are read."""

    def catalogue(self) -> str:
        """Return the origin that the catalogue's file claims."""
        return self._signer

    def origins(self) -> list[str]:
        """Return the origins that files claim, well-formed or not."""
        return [self._signer, *sorted(set(self._files) - {self._signer})]

    def checkpoint(self) -> str | None:
        """Return the checkpoint beside the catalogue, or ``None``."""
        file = self._path / CHECKPOINT
        with _reading(file):
            if not file.exists():
                return None
            with file.open("rb") as stream:
                return stream.read(NOTE_BYTES + 1).decode("utf-8", "replace")

    def flaws(self) -> list[Flaw]:
        """Return what is wrong with the folder as such."""
        if (self._path / CHECKPOINT).exists():
            return []
        return [Flaw(FindingKind.MISSING, "checkpoint", "")]

    def done(self) -> float:
        """Return how much of all files was read, from 0 to 1."""
        done = self._done_bytes + self._open_bytes
        return min(1.0, done / self._total_bytes) if self._total_bytes else 1.0

    def last(self, origin: str) -> SealRecord | None:
        """Return the last seal of a chain's file, which is read for it."""
        last = None
        for item in self.read(origin):
            if isinstance(item, SealRecord):
                last = item
        return last

    def read(self, origin: str, first_seal: int = 0) -> Iterator[Item]:
        """Yield the seals of a chain from a number on, each with its entries.

        Of several files that claim to be the chain the first one is read, and
        a flaw says so.
        """
        files = self._files.get(origin, [])
        if not files:
            return
        if len(files) > 1:
            names = ", ".join(file.name for file in files)
            yield Flaw(FindingKind.FORGED, "file", names)
        if first_seal == 0:
            yield from self._read(files[0])
            return
        is_wanted = False
        for item in self._read(files[0]):
            if isinstance(item, SealRecord):
                is_wanted = _number_of(item) >= first_seal
            if is_wanted:
                yield item

    def _read(self, file: Path) -> Iterator[Item]:
        with _reading(file), file.open("rb") as raw:
            try:
                for item in read_lines(_inflated(file, raw)):
                    self._open_bytes = raw.tell()
                    yield item
            finally:
                self._open_bytes = 0
        self._done_bytes += file.stat().st_size

    def _assign(self, file: Path) -> None:
        """Note whose a file is."""
        if (origin := origin_of_file(file)) is None:
            self.ignored.append(file.name)
        else:
            self._files.setdefault(origin, []).append(file)

    def _find_catalogue(self, files: list[Path]) -> str:
        names = {CATALOGUE, f"{CATALOGUE}.gz"}
        for origin, claimed in self._files.items():
            for file in claimed:
                if file.name in names:
                    claimed.sort(key=lambda other: other.name not in names)
                    return origin
        if any(file.name in names for file in files):
            raise SourceError(f"{self._path / CATALOGUE} holds no seal")
        raise SourceError(
            f"{self._path} holds no {CATALOGUE}",
            hint="A chain is verified by its signer's catalogue: give the whole "
            "folder that `beats-signer export` has made.",
        )


def origin_of_file(file: Path) -> str | None:
    """Return the origin of the first seal in a file, if there is one.

    Raises:
        SourceError: This user may not read the file.
    """
    try:
        with _reading(file), file.open("rb") as raw:
            items = read_lines(_inflated(file, raw))
            for item, _ in zip(items, range(_SEARCH_ITEMS), strict=False):
                if (origin := _origin_of(item)) is not None:
                    return origin
    except SourceError:
        if _is_unreadable(file):
            raise
    return None


def _origin_of(item: Item) -> str | None:
    if not isinstance(item, SealRecord):
        return None
    lines = item.note.split("\n", 2)
    return lines[1] if len(lines) > 2 else None


def _number_of(record: SealRecord) -> int:
    """Return the number that a seal claims, or -1."""
    lines = record.note.split("\n", 3)
    word, _, number = lines[2].partition(" ") if len(lines) > 3 else ("", "", "")
    return int(number) if word == "seal" and number.isdecimal() else -1


def _inflated(file: Path, raw: BinaryIO) -> BinaryIO:
    if file.suffix != ".gz":
        return raw
    return _OPEN_GZIP(raw)


def _is_unreadable(file: Path) -> bool:
    """Tell a file that this user may not read from one that holds nonsense."""
    try:
        with file.open("rb") as raw:
            raw.read(1)
    except OSError:
        return True
    return False


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Turn what the file system and inflating raise into a SourceError."""
    try:
        yield
    except (EOFError, _INFLATE_ERROR, gzip.BadGzipFile) as error:
        raise SourceError(
            f"{path} is not whole: {error}",
            hint="Copy it again from where it was exported.",
        ) from error
    except OSError as error:
        raise SourceError(
            f"{path} cannot be read: {error.strerror or error}",
            hint="Check its name, and that this user may read it.",
        ) from error
