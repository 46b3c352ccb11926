"""Write what is for everybody, and certificates with keys that are not."""

from pathlib import Path

from beats_signer.receive.authority import Issued
from beats_signer.sign.disk import Disk

__all__ = ["create_pair", "create_public"]


def create_pair(disk: Disk, folder: Path, name: str, issued: Issued) -> None:
    """Create the files of a certificate and of its key, which is its owner's alone.

    Raises:
        OSError: One of them is there already, or cannot be written.
    """
    disk.create(folder / f"{name}.key", issued.key)
    create_public(disk, folder / f"{name}.crt", issued.certificate)


def create_public(disk: Disk, path: Path, data: bytes) -> None:
    """Create a file that everybody may read; see ``create_pair``."""
    disk.create(path, data)
    path.chmod(0o644)
