"""Read one signer's chains from an archive, also while the signer writes it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from beats_signer.chain.origin import signer_of
from beats_signer.chain.seal import SealRecord
from beats_signer.errors import SourceError
from beats_signer.store.archive_chain import ArchiveChain
from beats_signer.store.archive_file import (
    FILE_ERRORS,
    open_for_reading,
    why_not_archive,
)
from beats_signer.store.archive_rows import (
    select_chain,
    select_checkpoint,
    select_covering_seal,
    select_highest,
    select_origins,
    select_seal,
)
from beats_signer.store.contract import EntryBlock, Known

__all__ = ["ArchiveSource"]


class ArchiveSource:
    """The archive as a ``Source``; open from the start, for one thread at a time.

    It writes nothing. SQLite itself may leave an empty ``-wal`` and a ``-shm``
    beside an archive that no signer has open.
    """

    def __init__(self, path: Path, signer: str | None = None) -> None:
        """Open an archive to read the chains of ``signer``.

        Without a name it must hold the chains of one signer only.

        Raises:
            SourceError: The file cannot be read as an archive.
        """
        self._path = path
        self._signer = signer
        with self._reading():
            reason = why_not_archive(path)
            if reason is not None:
                raise SourceError(f"{path} is not an archive: {reason}")
            self._connection = open_for_reading(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file. Idempotent."""
        self._connection.close()

    def catalogue(self) -> str:
        """See ``Source.catalogue``."""
        if self._signer is None:
            self._signer = self._only_signer()
        return self._signer

    def origins(self) -> list[str]:
        """See ``Source.origins``."""
        signer = self.catalogue()
        with self._reading():
            origins = select_origins(self._connection)
        return [origin for origin in origins if signer_of(origin) == signer]

    def checkpoint(self) -> str | None:
        """See ``Source.checkpoint``."""
        signer = self.catalogue()
        with self._reading():
            return select_checkpoint(self._connection, signer)

    def highest(self, origin: str) -> int | None:
        """See ``Source.highest``."""
        with self._reading():
            return select_highest(self._connection, self._chain(origin))

    def seal(self, origin: str, number: int) -> SealRecord | None:
        """See ``Source.seal``."""
        with self._reading():
            return select_seal(self._connection, self._chain(origin), number)

    def seal_of(self, origin: str, index: int) -> SealRecord | None:
        """See ``Source.seal_of``."""
        with self._reading():
            chain = self._chain(origin)
            seal = select_covering_seal(self._connection, chain, index)
        return None if seal is None else seal.record

    def entry(self, origin: str, index: int) -> EntryBlock | None:
        """See ``Source.entry``."""
        with self._reading():
            return ArchiveChain(self._connection, self._chain(origin)).entry(index)

    def read(
        self, origin: str, first_seal: int = 0, known: Known | None = None
    ) -> Iterator[SealRecord | EntryBlock]:
        """See ``Source.read``; what is known is not read."""
        with self._reading():
            chain = ArchiveChain(self._connection, self._chain(origin))
            yield from chain.read(first_seal, known)

    def read_range(
        self, origin: str, first_seal: int, stop_seal: int
    ) -> Iterator[SealRecord | EntryBlock]:
        """Yield the seals of a range of numbers, each followed by its entries."""
        with self._reading():
            chain = ArchiveChain(self._connection, self._chain(origin))
            yield from chain.read_range(first_seal, stop_seal)

    def _chain(self, origin: str) -> bytes:
        """Return the chain id of an origin; one of no chain if it has none."""
        return select_chain(self._connection, origin) or b""

    def _only_signer(self) -> str:
        with self._reading():
            origins = select_origins(self._connection)
        signers = sorted({signer_of(origin) for origin in origins})
        if not signers:
            raise SourceError(f"archive {self._path} holds no chain")
        if len(signers) > 1:
            raise SourceError(
                f"archive {self._path} holds the chains of {len(signers)} signers:"
                f" {', '.join(signers)}",
                hint="Name the one to read.",
            )
        return signers[0]

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Turn what the file system and SQLite raise into a SourceError."""
        try:
            yield
        except FileNotFoundError as error:
            raise SourceError(f"archive {self._path} does not exist") from error
        except FILE_ERRORS as error:
            raise SourceError(
                f"archive {self._path} cannot be read: {error}",
                hint="Check that this user may read it and write to its folder.",
            ) from error
