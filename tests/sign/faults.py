"""One fault at one durable step of a signer, and what survives it.

The steps are named by what they do: ``chain key 2 write``. A crash copies the
state directory as the disk has it, then ends the process: whatever of it is
still running gets no further.
"""

import errno
import os
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from enum import Enum
from pathlib import Path

from beats_signer.chain.head import Head
from beats_signer.errors import DurabilityError, StoreError
from beats_signer.operate.logging import build_logger
from beats_signer.sign.disk import Disk
from beats_signer.sign.journal import Journal
from beats_signer.sign.journal_rows import JournaledChain, SideEffects
from beats_signer.sign.rotation import Rotation
from beats_signer.sign.signer import Signer
from beats_signer.sign.state import StateFolder
from beats_signer.store.contract import Appended, Store, Write
from tests.fakes.passing import PassingStore
from tests.sign.world import SIGNER, World

__all__ = ["Crashed", "Fault", "Faults", "mortal"]


class Fault(Enum):
    """What happens at the step."""

    CRASH_BEFORE = "crash before"
    CRASH_AFTER = "crash after"
    TORN = "torn in the middle"
    LOST = "failed, and what was written is gone"
    FAILED = "failed and not done"
    FAILED_BUT_DONE = "failed but done"


class Crashed(Exception):
    """The process has ended here."""


class Faults:
    """Counts the steps, and lets one of them go wrong: by its name or number."""

    def __init__(
        self, world: World, step: str | int = "", fault: Fault = Fault.CRASH_BEFORE
    ) -> None:
        self.steps: list[str] = []
        self.survivor: Path | None = None
        """The state directory after the crash; ``None`` when there was none."""
        self.has_happened = False
        self._world = world
        self._lock = threading.RLock()
        self._step = step
        self._fault = fault

    @contextmanager
    def at(self, step: str, error: Exception) -> Iterator[None]:
        """Do one step in this block; a fault raises *error* or ``Crashed``."""
        if self.survivor is not None:
            raise Crashed(step)
        self.steps.append(step)
        is_named = self._step in (step, len(self.steps))
        is_due = is_named and not self.has_happened
        if is_due and self._fault in (Fault.CRASH_BEFORE, Fault.FAILED):
            self._strike(error)
        yield
        if is_due and self._fault in (Fault.CRASH_AFTER, Fault.FAILED_BUT_DONE):
            self._strike(error)

    @contextmanager
    def at_disk(self, step: str, error: Exception) -> Iterator[None]:
        """Do one step that changes the state directory, and no other meanwhile.

        So what a crash leaves is what some moment has seen.
        """
        with self._lock, self.at(step, error):
            yield

    def tears(self, step: str) -> bool:
        """Tell whether the write of this step stops half way."""
        return step == self._step and self._fault is Fault.TORN

    def loses(self, step: str) -> bool:
        """Tell whether the sync of this step fails and writes nothing."""
        return step == self._step and self._fault is Fault.LOST

    def crash(self) -> None:
        self.has_happened = True
        self._die()
        raise Crashed

    def _strike(self, error: Exception) -> None:
        self.has_happened = True
        if self._fault in (Fault.CRASH_BEFORE, Fault.CRASH_AFTER):
            self.crash()
        if not isinstance(error, StoreError):
            self._die()
        raise error

    def _die(self) -> None:
        with self._lock:
            self.survivor = self._world.copy_state("survivor")


class FaultyDisk(Disk):
    """A disk whose writes and syncs are steps, named by the file's content."""

    def __init__(self, faults: Faults, catalogue: bytes) -> None:
        self._faults = faults
        self._catalogue = catalogue
        self._written = ""
        # What a write has overwritten, for a sync that loses it.
        self._size, self._before, self._offset = 0, b"", 0

    def write_at(self, descriptor: int, data: bytes, offset: int) -> None:
        self._written = self._describe(data)
        step = f"{self._written} write"
        with self._faults.at_disk(
            step, OSError(errno.ENOSPC, "No space left on device")
        ):
            size = len(data) // 2 if self._faults.tears(step) else len(data)
            self._size = os.fstat(descriptor).st_size
            self._before, self._offset = os.pread(descriptor, len(data), offset), offset
            super().write_at(descriptor, data[:size], offset)
            if size < len(data):
                self._faults.crash()

    def sync(self, descriptor: int) -> None:
        step = f"{self._written} sync"
        with self._faults.at_disk(step, OSError(errno.EIO, "Input/output error")):
            if self._faults.loses(step):
                os.ftruncate(descriptor, self._size)
                os.pwrite(descriptor, self._before, self._offset)
                self._faults.crash()
            super().sync(descriptor)

    def sync_folder(self, path: Path) -> None:
        error = OSError(errno.EIO, "Input/output error")
        with self._faults.at_disk(f"folder {path.name} sync", error):
            super().sync_folder(path)

    def rename(self, path: Path, target: Path) -> None:
        error = OSError(errno.EIO, "Input/output error")
        with self._faults.at_disk(f"{target.name} rename", error):
            super().rename(path, target)

    def _describe(self, data: bytes) -> str:
        owner = "catalogue" if data[8:40] == self._catalogue else "chain"
        if not any(data):
            return "erased file"
        if data.startswith(b"-----BEGIN PRIVATE KEY"):
            return "identity"
        if not data.startswith(b"bs-key"):
            return "log"
        number = int.from_bytes(data[40:48], "big")
        return f"{owner} key {number}" if len(data) < 4096 else f"{owner} key file"


class FaultyJournal(Journal):
    """A journal whose transactions are steps."""

    faults: Faults

    def add_chain(
        self,
        chain: JournaledChain,
        write: Write,
        head: Head,
        replaces: JournaledChain | None = None,
    ) -> None:
        with self._step(f"{_owner(write)} founding"):
            super().add_chain(chain, write, head, replaces)

    def commit(self, write: Write, head: Head, effects: SideEffects) -> None:
        with self._step(f"{_owner(write)} seal {write.seal.number}"):
            super().commit(write, head, effects)

    def mark_stored(self, chain: bytes, number: int, bare: Sequence[int] = ()) -> None:
        owner = next(one.origin for one in self.chains() if one.chain == chain)
        name = "catalogue" if owner == SIGNER else "chain"
        with self._step(f"{name} mark {number}"):
            super().mark_stored(chain, number, bare)

    @contextmanager
    def _step(self, what: str) -> Iterator[None]:
        with self.faults.at_disk(f"{what} journal", DurabilityError("disk I/O error")):
            yield


class FaultySteps(PassingStore):
    """A store whose writes are steps; it fails once at most."""

    def __init__(self, store: Store, faults: Faults) -> None:
        super().__init__(store)
        self._faults = faults

    async def append(self, write: Write) -> Appended:
        step = f"{_owner(write)} seal {write.seal.number} store"
        with self._faults.at(step, StoreError("no answer")):
            return await super().append(write)

    async def publish_checkpoint(self, signer: str, note: str) -> None:
        size = note.split("\n")[1]
        with self._faults.at(f"checkpoint {size}", StoreError("no answer")):
            await super().publish_checkpoint(signer, note)


@asynccontextmanager
async def mortal(world: World, faults: Faults) -> AsyncIterator[Signer]:
    """Run a signer whose every durable step is seen by *faults*."""
    disk = FaultyDisk(faults, world.trust.catalogue)
    state = StateFolder(world.state)
    journal = FaultyJournal.open(state.journal, disk)
    assert isinstance(journal, FaultyJournal)
    journal.faults = faults
    signer = Signer(
        state,
        Rotation(state, SIGNER, journal, disk).settle(),
        journal,
        FaultySteps(world.store, faults),
        world.settings,
        build_logger(world.log),
        clock=world.clock,
        disk=disk,
        timer=world.timer,
    )
    async with signer.running():
        yield signer


def _owner(write: Write) -> str:
    return "catalogue" if write.seal.origin == SIGNER else "chain"
