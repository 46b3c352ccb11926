"""The few system calls that decide whether bytes survive a power cut.

They stand behind one object so that a test can let any single one of them
fail, or fail after it took effect.
"""

import os
from pathlib import Path

__all__ = ["Disk"]


class Disk:
    """Write and sync files and folders of the state directory."""

    def create(self, path: Path, data: bytes) -> None:
        """Create *path* with mode 0600 and make it and its name durable.

        Raises:
            FileExistsError: Something has that name already.
            OSError: The disk is full or broken; the file may be there in part.
        """
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            self.write_at(descriptor, data, 0)
            self.sync(descriptor)
        finally:
            os.close(descriptor)
        self.sync_folder(path.parent)

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
