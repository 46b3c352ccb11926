"""Put the worlds of these tests into an archive, as a signer does."""

import asyncio
import base64
from collections.abc import Callable, Iterator
from pathlib import Path

from beats_signer.chain.seal import Seal, SealRecord
from beats_signer.store.archive import Archive
from beats_signer.store.archive_source import ArchiveSource
from beats_signer.store.block import build_blocks
from beats_signer.store.contract import Entries, Write
from beats_signer.verify.lines import Item
from beats_signer.verify.source import ArchiveReading
from tests.verify.signer import SIGNER, SignedChain, World


def to_writes(chain: SignedChain) -> list[Write]:
    """Return all seals of a chain as a signer hands them to its store."""
    writes: list[tuple[Seal, SealRecord, list[dict[str, str]]]] = []
    for line in chain.lines:
        if "seal" in line:
            seal = Seal.parse(chain.texts[line["seal"]["number"]])
            leaves = base64.b64decode(line["seal"]["leaves"])
            record = SealRecord(line["seal"]["note"], line["seal"]["body"], leaves)
            writes.append((seal, record, []))
        else:
            writes[-1][2].append(line["entry"])
    return [
        Write(chain.hashes[0], seal, record, build_blocks(to_entries(entries)))
        for seal, record, entries in writes
    ]


def to_entries(entries: list[dict[str, str]]) -> Entries:
    """Return the entries of one seal as columns."""
    salts = [base64.b64decode(entry["salt"]) for entry in entries if "salt" in entry]
    forms = "".join(entry["form"] for entry in entries).encode()
    payloads = tuple(entry["payload"].encode() for entry in entries)
    return Entries(forms, payloads, tuple(salts) or None)


def store(world: World, path: Path) -> Path:
    """Store what a world has by now; what is there already is left as it is."""
    asyncio.run(_store(world, path))
    return path


async def _store(world: World, path: Path) -> None:
    archive = Archive(path)
    await archive.open()
    try:
        for chain in (world.catalogue, *world.chains):
            for write in to_writes(chain):
                await archive.append(write)
        if world.checkpoint is not None:
            note = world.checkpoint or world.sign_checkpoint()
            await archive.publish_checkpoint(SIGNER, note)
    finally:
        await archive.close()


class Interrupted(ArchiveReading):
    """An archive in which something happens after each chain was read."""

    def __init__(self, path: Path, after: Callable[[str], None]) -> None:
        super().__init__(ArchiveSource(path))
        self._after = after

    def read(self, origin: str, first_seal: int = 0) -> Iterator[Item]:
        """Yield what the archive has now; then let something happen."""
        yield from super().read(origin, first_seal)
        self._after(origin)
