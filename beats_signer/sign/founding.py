"""Begin a chain, and begin a signer.

| step                                  | crash after it leaves      | at restart  |
|---------------------------------------|----------------------------|-------------|
| 1 key file with the keys of 0 and 1   | keys without a chain       | removed     |
| 2 seal 0 journaled                    | a journaled seal           | 3           |
| 3 key advanced                        | the same, not catalogued   | 4           |
| 4 ``found`` record stored (catalogue) | the same, catalogued       | 5           |
| 5 seal 0, then the events, stored     | a chain like any other     |             |

This file does the first three; ``sign.chains`` sees to the other two. For the
catalogue, which no other chain lists, ``initialise`` does the first three and
the first ``serve`` stores the seal.
"""

import os
import sqlite3
import tempfile
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from beats_signer.chain.founding import Found, Predecessor
from beats_signer.chain.head import Head, found
from beats_signer.chain.origin import Origin
from beats_signer.chain.seal import Seal, SealRecord
from beats_signer.chain.trust import TrustLine
from beats_signer.errors import StateError
from beats_signer.sign.disk import Disk
from beats_signer.sign.journal import Journal
from beats_signer.sign.journal_rows import JournaledChain
from beats_signer.sign.keyfile import Entropy, KeyFile
from beats_signer.sign.sealer import Clock, OpenChain
from beats_signer.sign.state import Identity, StateFolder
from beats_signer.store.contract import Entries, Sealed, Write

__all__ = ["Founded", "Founder", "Terms", "initialise"]


@dataclass(frozen=True, slots=True)
class Terms:
    """What a founding lays down for its chain."""

    predecessor: Predecessor | None = None
    retention_days: int | None = None
    salt_bytes: int = 0
    heartbeat_seconds: int | None = None
    """Of the catalogue, and only there."""


@dataclass(frozen=True, slots=True)
class Founded:
    """A new chain: seal 0 is journaled, its key is erased."""

    opened: OpenChain
    note: str


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
        tenant: str,
        stream: str,
        terms: Terms,
        *,
        replaces: JournaledChain | None = None,
        taken: Collection[str] = (),
    ) -> Founded:
        """Do the steps 1 to 3 for a new chain.

        Its origin is none of those *taken*, nor any that the journal knows.

        Raises:
            DurabilityError: A write failed. End the process; the next start
                goes on from what the disk holds.
        """
        known = {*taken, *(chain.origin for chain in self.journal.chains())}
        second = self.clock() // 10**9
        while (origin := self._origin(tenant, stream, second)) in known:
            second += 1
        return self._begin(origin, tenant, stream, terms, replaces)

    def found_catalogue(self, heartbeat_seconds: int) -> Founded:
        """Do the steps 1 to 3 for the catalogue.

        Raises:
            DurabilityError: As for ``found``.
        """
        terms = Terms(heartbeat_seconds=heartbeat_seconds)
        return self._begin(self.identity.signer, None, None, terms, None)

    def _origin(self, tenant: str, stream: str, second: int) -> str:
        return str(Origin(self.identity.signer, tenant, stream, second))

    def _begin(
        self,
        origin: str,
        tenant: str | None,
        stream: str | None,
        terms: Terms,
        replaces: JournaledChain | None,
    ) -> Founded:
        seeds = self.entropy(32), self.entropy(32)
        seal, record = self._sign(origin, terms, seeds)
        chain = seal.hash()
        sealed = Sealed(chain, seal, record, Entries(b"", (), None), ())
        write = Write(chain, seal, record, self.encode(sealed))
        head = Head.founded(seal, chain)
        row = JournaledChain(
            chain,
            origin,
            tenant,
            stream,
            terms.salt_bytes,
            retention_days=terms.retention_days,
            heartbeat_seconds=terms.heartbeat_seconds,
        )
        path = self.state.key_file(chain)
        keys = KeyFile.create(path, chain, seeds, self.disk, self.entropy)
        self.journal.add_chain(row, write, head, replaces)
        keys.advance(0)
        opened = OpenChain(origin, chain, head, terms.salt_bytes, keys)
        return Founded(opened, record.note)

    def _sign(
        self, origin: str, terms: Terms, seeds: tuple[bytes, bytes]
    ) -> tuple[Seal, SealRecord]:
        first, second = map(Ed25519PrivateKey.from_private_bytes, seeds)
        body = Found(
            identity=self.identity.public,
            key=first.public_key().public_bytes_raw(),
            salt_bytes=terms.salt_bytes,
            predecessor=terms.predecessor,
            retention_days=terms.retention_days,
            heartbeat_seconds=terms.heartbeat_seconds,
        )
        return found(
            origin=origin,
            body=body,
            time=self.clock(),
            next_public=second.public_key().public_bytes_raw(),
            key=first,
            identity=self.identity.key,
        )


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

    It comes to its name whole or not at all. The identity key and the
    catalogue's seal 0 are durable when it returns; the first ``serve`` stores
    that seal.

    Raises:
        StateError: Something is at *path* already, or it cannot be written.
        DurabilityError: The disk is full or broken; nothing is at *path*.
    """
    disk = disk or Disk()
    if path.exists():
        raise StateError(
            f"{path}: a state directory is there already",
            hint="Choose another folder. Never delete the state of a signer that "
            "has signed: its name could then not be used again.",
        )
    identity = Identity(signer, Ed25519PrivateKey.from_private_bytes(entropy(32)))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        prefix = f".{path.name}-"
        with tempfile.TemporaryDirectory(prefix=prefix, dir=path.parent) as folder:
            draft = Path(folder, path.name)
            draft.mkdir(mode=0o700)
            chain = _fill(
                draft, identity, heartbeat_seconds, encode, clock, entropy, disk
            )
            _publish(draft, path, disk)
    except (OSError, sqlite3.Error) as error:
        raise StateError(
            f"{path}: the state directory cannot be written: {error}",
            hint="Choose a folder that you may write to, on a disk that has space.",
        ) from error
    return TrustLine(identity.public, chain)


def _fill(
    path: Path,
    identity: Identity,
    heartbeat_seconds: int,
    encode: Callable[[Sealed], bytes],
    clock: Clock,
    entropy: Entropy,
    disk: Disk,
) -> bytes:
    """Write all parts of a state directory and return the catalogue's id."""
    state = StateFolder(path)
    state.keys.mkdir(mode=0o700)
    identity.write(state.identity, disk)
    journal = Journal.create(state.journal)
    try:
        founder = Founder(state, identity, journal, encode, clock, entropy, disk)
        opened = founder.found_catalogue(heartbeat_seconds).opened
    finally:
        journal.close()
    assert opened.keys is not None, "a chain that was founded now has its keys"
    opened.keys.close()
    disk.sync_folder(path)
    return opened.chain


def _publish(draft: Path, path: Path, disk: Disk) -> None:
    """Give a folder its name, for good or not at all."""
    draft.rename(path)
    try:
        disk.sync_folder(path.parent)
    except OSError:
        path.rename(draft)
        raise
