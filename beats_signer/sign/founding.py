"""Begin a chain, and begin a signer.

| step                                  | crash after it leaves      | at restart  |
|---------------------------------------|----------------------------|-------------|
| 1 key file with the keys of 0 and 1   | keys without a chain       | removed     |
| 2 seal 0 journaled                    | a journaled seal           | 3           |
| 3 key advanced                        | the same, not catalogued   | 4           |
| 4 ``found`` record stored (catalogue) | the same, catalogued       | 5           |
| 5 seal 0, then the events, stored     | a chain like any other     |             |

This file does the first three; ``sign.signer`` sees to the other two. For the
catalogue, which no other chain lists, ``initialise`` does the first three and
the first ``serve`` stores the seal.
"""

import os
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from beats_signer.chain.founding import Found, Predecessor
from beats_signer.chain.head import Head, found
from beats_signer.chain.note import VerifierKey
from beats_signer.chain.trust import TrustLine
from beats_signer.errors import DurabilityError, StateError
from beats_signer.sign.disk import Disk
from beats_signer.sign.journal import Journal, JournaledChain
from beats_signer.sign.keyfile import Entropy, KeyFile
from beats_signer.sign.sealer import Clock, OpenChain
from beats_signer.store.contract import Entries, Sealed, Write

__all__ = ["Founder", "Identity", "StateFolder", "initialise"]


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

    @property
    def public(self) -> VerifierKey:
        """Return the public half, with the signer's name."""
        return VerifierKey(self.signer, self.key.public_key().public_bytes_raw())


@dataclass(frozen=True, slots=True)
class Founder:
    """What it takes to begin a chain."""

    state: StateFolder
    identity: Identity
    journal: Journal
    encode: Callable[[Sealed], bytes]
    clock: Clock
    entropy: Entropy
    disk: Disk

    def found(
        self,
        origin: str,
        *,
        tenant: str | None,
        stream: str | None,
        salt_bytes: int = 0,
        predecessor: Predecessor | None = None,
        replaces: bytes | None = None,
        retention_days: int | None = None,
        heartbeat_seconds: int | None = None,
    ) -> OpenChain:
        """Do the steps 1 to 3 for a new chain and return it, open.

        Raises:
            DurabilityError: A write failed. End the process; the next start
                goes on from what the disk holds.
        """
        seeds = self.entropy(32), self.entropy(32)
        keys = tuple(map(Ed25519PrivateKey.from_private_bytes, seeds))
        body = Found(
            identity=self.identity.public,
            key=keys[0].public_key().public_bytes_raw(),
            salt_bytes=salt_bytes,
            predecessor=predecessor,
            retention_days=retention_days,
            heartbeat_seconds=heartbeat_seconds,
        )
        seal, record = found(
            origin=origin,
            body=body,
            time=self.clock(),
            next_public=keys[1].public_key().public_bytes_raw(),
            key=keys[0],
            identity=self.identity.key,
        )
        chain = seal.hash()
        sealed = Sealed(chain, seal, record, Entries(b"", (), None), ())
        write = Write(chain, seal, record, self.encode(sealed))
        head = Head.founded(seal, chain)
        row = JournaledChain(
            chain,
            origin,
            tenant,
            stream,
            salt_bytes,
            active=True,
            catalogued=False,
            reported=0,
        )
        try:
            key_file = KeyFile.create(
                self.state.key_file(chain), chain, seeds, self.disk, self.entropy
            )
            self.journal.add_chain(row, write, head, replaces)
            key_file.advance(0)
        except (OSError, sqlite3.Error) as error:
            raise DurabilityError(
                f"the founding of {origin} could not be made durable: {error}",
                hint=f"See that {self.state.path} has space and its disk is sound, "
                "then start again.",
            ) from error
        return OpenChain(origin, chain, head, key_file, salt_bytes)


def initialise(
    path: Path,
    *,
    signer: str,
    heartbeat_seconds: int,
    encode: Callable[[Sealed], bytes],
    clock: Clock,
    entropy: Entropy = os.urandom,
    disk: Disk | None = None,
) -> TrustLine:
    """Make the state directory of a new signer and return its trust line.

    The identity key and the catalogue's seal 0 are durable when it returns;
    the first ``serve`` stores that seal.

    Raises:
        StateError: Something is at *path* already, or it cannot be written.
    """
    disk = disk or Disk()
    state = StateFolder(path)
    try:
        path.mkdir(mode=0o700, parents=True)
        state.keys.mkdir(mode=0o700)
        key = Ed25519PrivateKey.from_private_bytes(entropy(32))
        disk.create(
            state.identity,
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        )
        journal = Journal.create(state.journal)
    except FileExistsError as error:
        raise StateError(
            f"{path}: a state directory is there already",
            hint="Choose another folder. Never delete the state of a signer that "
            "has signed: its name could then not be used again.",
        ) from error
    except OSError as error:
        raise StateError(
            f"{path}: the state directory cannot be written: {error.strerror}",
            hint="Choose a folder that you may write to.",
        ) from error
    identity = Identity(signer, key)
    founder = Founder(state, identity, journal, encode, clock, entropy, disk)
    try:
        catalogue = founder.found(
            signer, tenant=None, stream=None, heartbeat_seconds=heartbeat_seconds
        )
    finally:
        journal.close()
    disk.sync_folder(path)
    return TrustLine(identity.public, catalogue.chain)
