"""Write a source into the folder of an export, file by file.

A file comes to its name only when it is whole and on the disk. The order of
reading makes the folder of a growing archive verify: the origins before the
catalogue, so that each is listed; the checkpoint before the catalogue, so that
the catalogue goes at least as far; the catalogue before the chains, so that each
goes at least to its recorded head. Nothing is judged here: damage that can be
written down goes along, for the verifier to find.
"""

import os
import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from isal import igzip

from beats_signer.chain.errors import ChainError
from beats_signer.chain.export import (
    Absence,
    build_absent_line,
    build_entry_lines,
    build_seal_line,
)
from beats_signer.chain.origin import Origin
from beats_signer.chain.seal import SealRecord, parse_seal_note
from beats_signer.errors import SourceError, UsageError
from beats_signer.store.contract import EntryBlock
from beats_signer.verify.folder import CATALOGUE, CHECKPOINT, SUFFIXES, origin_of_file
from beats_signer.verify.lines import Item
from beats_signer.verify.readable import Readable

__all__ = ["ExportWriter"]

_FORMS = b"JLDR"
_ABSENCES: dict[str, Absence] = {"expired": "expired", "erased": "erased"}
_OPEN_GZIP: Callable[[BinaryIO, str], BinaryIO] = igzip.open
_UNSAFE = re.compile(r"[^a-zA-Z0-9._-]")


class ExportWriter:
    """One export into one folder."""

    def __init__(
        self,
        source: Readable,
        folder: Path,
        *,
        is_compressed: bool,
        on_entries: Callable[[int], None],
    ) -> None:
        """Prepare an export.

        Args:
            source: What is exported.
            folder: Made when it does not exist; its parent must.
            is_compressed: Whether chains are written as ``.ndjson.gz``.
            on_entries: Called with a number of entries that were written.
        """
        self._source = source
        self._folder = folder
        self._suffix = SUFFIXES[is_compressed]
        self._on_entries = on_entries
        self.lost_entries = 0
        """Entries whose bytes cannot be read, and so are not in the export."""

    def write(self, only: Sequence[str] = ()) -> list[Path]:
        """Write the catalogue, its checkpoint and the chains; return the files.

        Args:
            only: Origins of the chains to write; all when empty.

        Raises:
            UsageError: The folder holds something else; nothing was touched.
            SourceError: The source cannot be read, or the folder not written.
        """
        signer = self._source.catalogue()
        origins = [origin for origin in self._source.origins() if origin != signer]
        chosen = [origin for origin in origins if not only or origin in only]
        if unknown := set(only) - set(chosen):
            raise UsageError(
                f"there is no chain {sorted(unknown)[0]}",
                hint="`beats-signer inspect` lists the chains.",
            )
        names = self._name_files(signer, chosen)
        with _writing(self._folder):
            self._folder.mkdir(exist_ok=True)
            self._check_foreign(names, signer)
        checkpoint = self._source.checkpoint()
        for name, origin in names.items():
            self._write_chain(self._folder / name, origin)
        files = [self._folder / name for name in names]
        if checkpoint is not None:
            files.append(self._folder / CHECKPOINT)
            with _replacing(files[-1]) as file:
                file.write(checkpoint.encode("utf-8", "replace"))
        return files

    def _name_files(self, signer: str, origins: Sequence[str]) -> dict[str, str]:
        """Return the origin by file name, the catalogue first."""
        names = {f"{CATALOGUE.removesuffix('.ndjson')}{self._suffix}": signer}
        for at, origin in enumerate(origins):
            try:
                Origin.parse(origin)
                stem = origin.removeprefix(f"{signer}/").replace("/", "~")
            except ChainError:  # somebody has made it up
                stem = f"unnamed-{at}-{_UNSAFE.sub('_', origin)[:60]}"
            names[f"{stem}{self._suffix}"] = origin
        return names

    def _check_foreign(self, names: dict[str, str], signer: str) -> None:
        """Refuse a folder in which files stand that this export does not replace.

        Beside them, the new files would not verify.
        """
        for file in sorted(self._folder.iterdir()):
            if file.name == CHECKPOINT:
                with file.open("rb") as stream:
                    is_ours = stream.readline().rstrip(b"\n") == signer.encode()
            elif file.name.endswith(SUFFIXES):
                origin = names.get(file.name)
                is_ours = origin is not None and origin_of_file(file) == origin
            else:
                continue
            if not is_ours:
                raise UsageError(
                    f"{file} is not of this export",
                    hint="Name a folder that is empty, or that holds an earlier "
                    "export of the same chains.",
                )

    def _write_chain(self, path: Path, origin: str) -> None:
        with _replacing(path) as raw:
            if path.suffix != ".gz":
                self._write_lines(raw, self._source.read(origin))
                return
            with _OPEN_GZIP(raw, "wb") as file:
                self._write_lines(file, self._source.read(origin))

    def _write_lines(self, file: BinaryIO, items: Iterator[Item]) -> None:
        number = 0
        for item in items:
            if isinstance(item, SealRecord):
                number = _number_of(item, number)
                file.write(build_seal_line(number, item))
                number += 1
            elif isinstance(item, EntryBlock):
                file.write(self._build_entries(item))
                self._on_entries(item.count)

    def _build_entries(self, block: EntryBlock) -> bytes:
        entries = block.entries
        if (why := _ABSENCES.get(block.absent or "")) is not None:
            indexes = range(block.first, block.first + block.count)
            return b"".join(build_absent_line(at, why) for at in indexes)
        if block.damaged is not None or entries.forms.translate(None, _FORMS):
            self.lost_entries += block.count
            return b""
        return build_entry_lines(
            block.first, entries.forms, entries.payloads, entries.salts
        )


def _number_of(record: SealRecord, due: int) -> int:
    """Return the number in a seal's text, or the one that is due."""
    try:
        return parse_seal_note(record.note)[0].number
    except ChainError:
        return due


@contextmanager
def _replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a file that takes the place of ``path`` when all went well."""
    with _writing(path):
        handle, draft = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with open(handle, "wb") as file:
                yield file
                file.flush()
                os.fchmod(file.fileno(), 0o644)
                os.fsync(file.fileno())
            os.replace(draft, path)
        except BaseException:
            os.unlink(draft)
            raise


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Turn what the file system raises into a SourceError."""
    try:
        yield
    except OSError as error:
        raise SourceError(
            f"{path} cannot be written: {error.strerror or error}",
            hint="Make room, or name a folder that this user may write.",
        ) from error
