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
        for path in (self.path, self.keys, self.identity, self.journal):
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
        try:
            key = load_pem_private_key(state.identity.read_bytes(), None)
        except (OSError, ValueError, TypeError) as error:
            raise StateError(
                f"{state.identity}: the identity key cannot be read: {error}",
                hint="Without it no chain can be founded: make a new signer with "
                "'beats-signer init' under a new name.",
            ) from error
        if not isinstance(key, Ed25519PrivateKey):
            raise StateError(f"{state.identity}: not an Ed25519 key")
        return cls(signer, key)

    def write(self, state: StateFolder, disk: Disk) -> None:
        """Write the identity key of a new signer.

        Raises:
            OSError: It may be there in part.
        """
        pem = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        disk.create(state.identity, pem)

    @property
    def public(self) -> VerifierKey:
        """Return the public half, with the signer's name."""
        return VerifierKey(self.signer, self.key.public_key().public_bytes_raw())
