"""What a state directory holds: the identity key, the journal, the key files."""

import stat
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from beats_signer.chain.note import VerifierKey
from beats_signer.errors import StateError
from beats_signer.sign.disk import Disk

__all__ = ["Identity", "StateFolder"]


@dataclass(frozen=True, slots=True)
class StateFolder:
    """The places in a state directory."""

    path: Path

    @property
    def identity(self) -> Path:
        """Return the file of the identity key."""
        return self.path / "identity.pem"

    @property
    def next_identity(self) -> Path:
        """Return the file of an identity key that takes the place of the other."""
        return self.path / "identity-next.pem"

    @property
    def journal(self) -> Path:
        """Return the journal's file."""
        return self.path / "journal.db"

    @property
    def keys(self) -> Path:
        """Return the folder of key files, which no backup may hold."""
        return self.path / "keys"

    def key_file(self, chain: bytes) -> Path:
        """Return the key file of the chain with this id."""
        return self.keys / f"{chain.hex()}.key"

    def check_private(self) -> None:
        """Refuse a state directory that others may read.

        Raises:
            StateError: They may, or a part is missing.
        """
        keys = [self.identity]
        if self.next_identity.exists():  # then the other one may be gone already
            keys = [self.next_identity, *filter(Path.exists, keys)]
        for path in (self.path, self.keys, *keys, self.journal):
            try:
                mode = stat.S_IMODE(path.stat().st_mode)
            except OSError as error:
                raise StateError(
                    f"{path}: {error.strerror}",
                    hint="Name the state directory that 'beats-signer init' made; if "
                    "that is lost, make a new signer under a new name.",
                ) from error
            if mode & 0o077:
                raise StateError(
                    f"{path} has mode {mode:04o}, so that others may have read it",
                    hint="If that cannot be: chmod -R go= on the state directory. "
                    "A copy of it must never run.",
                )


@dataclass(frozen=True, slots=True)
class Identity:
    """The long-lived key that signs foundings and checkpoints."""

    signer: str
    key: Ed25519PrivateKey

    @classmethod
    def read(cls, state: StateFolder, signer: str) -> "Identity":
        """Read the identity key.

        Raises:
            StateError: There is none, or it is not an Ed25519 key.
        """
        return cls.read_from(state.identity, signer)

    @classmethod
    def read_from(cls, path: Path, signer: str) -> "Identity":
        """Read an identity key from one of its files; see ``read``."""
        try:
            key = load_pem_private_key(path.read_bytes(), None)
        except (OSError, ValueError, TypeError) as error:
            raise StateError(
                f"{path}: the identity key cannot be read: {error}",
                hint="Without it no chain can be founded: make a new signer with "
                "'beats-signer init' under a new name.",
            ) from error
        if not isinstance(key, Ed25519PrivateKey):
            raise StateError(f"{path}: not an Ed25519 key")
        return cls(signer, key)

    def write(self, path: Path, disk: Disk) -> None:
        """Write an identity key into a new file.

        Raises:
            OSError: It may be there in part.
        """
        pem = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        disk.create(path, pem)

    @property
    def public(self) -> VerifierKey:
        """Return the public half, with the signer's name."""
        return VerifierKey(self.signer, self.key.public_key().public_bytes_raw())
