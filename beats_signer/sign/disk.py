"""The few system calls that decide whether bytes survive a power cut.

They stand behind one object so that a test can let any single one of them
fail, or fail after it took effect.
"""

import os
from pathlib import Path

__all__ = ["Disk"]

_CHUNK_BYTES = 1 << 20


class Disk:
    """Write and sync files and folders of the state directory."""

    def create(self, path: Path, data: bytes) -> None:
        """Create *path* with mode 0600 and make it and its name durable.

        Raises:
            FileExistsError: Something has that name already.
            OSError: The disk is full or broken; the file may be there in part.
        """
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            self.write_at(descriptor, data, 0)
            self.sync(descriptor)
        finally:
            os.close(descriptor)
        self.sync_folder(path.parent)

    def open(self, path: Path) -> int:
        """Return a descriptor to read and write a file that is no link."""
        return os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)

    def write_at(self, descriptor: int, data: bytes, offset: int) -> None:
        """Write all of *data* at *offset*."""
        written = os.pwrite(descriptor, data, offset)
        if written != len(data):
            raise OSError(f"wrote {written} of {len(data)} bytes")

    def sync(self, descriptor: int) -> None:
        """Return once the file's data has reached the medium."""
        os.fsync(descriptor)

    def sync_folder(self, path: Path) -> None:
        """Return once the names in the folder *path* have reached the medium."""
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def rename(self, path: Path, target: Path) -> None:
        """Give a file its place in the same folder, durably."""
        path.rename(target)
        self.sync_folder(target.parent)

    def free_bytes(self, path: Path) -> int:
        """Return the space that this user may still fill where *path* is."""
        facts = os.statvfs(path)
        return facts.f_bavail * facts.f_frsize

    def rewrite(self, path: Path) -> None:
        """Make durable what whoever reads *path* is shown.

        After a failed sync the system may show bytes that the medium never got,
        and count them as written. Written once more, the next sync means them.
        The same holds, sync or not, for what a killed process wrote last.
        """
        descriptor = self.open(path)
        try:
            offset = 0
            while chunk := os.pread(descriptor, _CHUNK_BYTES, offset):
                self.write_at(descriptor, chunk, offset)
                offset += len(chunk)
            self.sync(descriptor)
        finally:
            os.close(descriptor)

    def erase(self, path: Path) -> None:
        """Overwrite a small file and remove it: the best that file systems offer."""
        descriptor = self.open(path)
        try:
            self.write_at(descriptor, bytes(os.fstat(descriptor).st_size), 0)
            self.sync(descriptor)
        finally:
            os.close(descriptor)
        path.unlink()
        self.sync_folder(path.parent)
