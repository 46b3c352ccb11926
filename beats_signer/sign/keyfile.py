r"""The private keys of one chain's next two seals, and their erasure.

Two slots, each at the start of its own 4 KiB block, so that a torn write
damages one key at most:

| offset | size | field                                         |
|-------:|-----:|-----------------------------------------------|
|      0 |    8 | mark, ``b"bs-key\x00\x01"``                   |
|      8 |   32 | chain id                                      |
|     40 |    8 | seal number, big-endian                       |
|     48 |   32 | Ed25519 private key                           |
|     80 |   32 | SHA-256 over the 80 bytes before              |

Key *n* lives in slot ``n % 2``. Advancing past seal *n* writes key *n+2* over
key *n*: that is the erasure which the forward security rests on. With *m* the
next seal by the journal:

| readable  | means                                     | done at start  |
|-----------|-------------------------------------------|----------------|
| m, m+1    | normal                                    | nothing        |
| m-1, m    | crash after the journal, before advancing | advance        |
| only m    | crash while advancing tore the slot       | make key m+1   |
| otherwise | restored copy, foreign or damaged file    | refuse         |

Key *m* has to be the one that seal *m-1* names, too. After a ``close`` no key is left
to need: the file is erased.
"""

import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from beats_signer.chain.head import Head
from beats_signer.errors import DurabilityError, StateError
from beats_signer.sign.disk import Disk

__all__ = ["SLOT_BYTES", "Entropy", "KeyFile"]

_MARK = b"bs-key\x00\x01"
_KEY_BYTES = 112
SLOT_BYTES = 4096
"""Distance of the two slots: the largest block that common disks write whole."""

Entropy = Callable[[int], bytes]
"""Returns that many unpredictable bytes, as ``os.urandom`` does."""


class KeyFile:
    """The key file of one chain, open for its one writer.

    Keys are held in memory for as long as their seals are unsigned; CPython
    cannot wipe them, so ``protect_memory`` has to come first. The file stays
    open: a process that is out of descriptors can still advance.
    """

    def __init__(
        self, path: Path, chain: bytes, descriptor: int, disk: Disk, entropy: Entropy
    ) -> None:
        self.path = path
        self._chain = chain
        self._descriptor = descriptor
        self._disk = disk
        self._entropy = entropy
        self._keys: dict[int, Ed25519PrivateKey] = {}

    @classmethod
    def create(
        cls,
        path: Path,
        chain: bytes,
        seeds: tuple[bytes, bytes],
        disk: Disk,
        entropy: Entropy,
    ) -> "KeyFile":
        """Write the file of a new chain: the keys of its seals 0 and 1.

        Raises:
            DurabilityError: The file may be there in part, and nothing of the
                chain exists yet. End the process; the next start removes it.
        """
        blocks = b"".join(
            _slot(chain, number, seed).ljust(SLOT_BYTES, b"\0")
            for number, seed in enumerate(seeds)
        )
        try:
            disk.create(path, blocks)
            self = cls(path, chain, disk.open(path), disk, entropy)
        except OSError as error:
            raise _durability_error(path, error) from error
        self._take(enumerate(seeds))
        return self

    @classmethod
    def open(
        cls, path: Path, chain: bytes, head: Head, disk: Disk, entropy: Entropy
    ) -> "KeyFile":
        """Open the file and bring it to the state that the next seal needs.

        Raises:
            StateError: The keys do not fit the journal's *head*; the table
                above says which states do.
            DurabilityError: Bringing it there failed.
        """
        try:
            self = cls(path, chain, disk.open(path), disk, entropy)
        except OSError as error:
            raise StateError(
                f"{path}: the key file cannot be read: {error.strerror}"
            ) from error
        try:
            self._check_private()
            self._rewrite()
            self._fit(head)
        except BaseException:
            self.close()
            raise
        return self

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)

    def key(self, number: int) -> Ed25519PrivateKey:
        """Return the key that signs seal *number*, the next one only."""
        return self._keys[number]

    def public(self, number: int) -> bytes:
        """Return the public half, 32 bytes, of the key of seal *number*."""
        return self._keys[number].public_key().public_bytes_raw()

    def advance(self, number: int) -> None:
        """Erase the key of seal *number*, which the journal now holds.

        Raises:
            DurabilityError: What the file holds now is unknown. End the
                process; the next start reads it from the disk.
        """
        self._renew(number + 2)
        del self._keys[number]

    def erase(self) -> None:
        """Erase both keys and the file: the journal holds the chain's ``close``.

        Raises:
            DurabilityError: The keys may be there still. End the process; the
                next start erases them.
        """
        try:
            self._disk.erase(self.path)
        except OSError as error:
            raise _durability_error(self.path, error) from error
        self._keys.clear()

    def _check_private(self) -> None:
        mode = stat.S_IMODE(os.fstat(self._descriptor).st_mode)
        if mode & 0o077:
            raise StateError(
                f"{self.path}: the key file has mode {mode:04o}, so that others may "
                "have read its keys",
            )

    def _rewrite(self) -> None:
        """See that what is read here is on the medium, then take its keys."""
        try:
            self._disk.rewrite(self.path)
            data = os.pread(self._descriptor, 2 * SLOT_BYTES, 0)
        except OSError as error:
            raise _durability_error(self.path, error) from error
        self._take(_readable(data, self._chain))

    def _fit(self, head: Head) -> None:
        """Compare with the journal, and do what the table above says."""
        following, readable = head.seals, set(self._keys)
        if following in readable and self.public(following) != head.next:
            raise StateError(
                f"{self.path}: the key of seal {following} is not the one that seal "
                f"{following - 1} names"
            )
        if readable == {following, following + 1}:
            return
        if readable == {following - 1, following}:
            self.advance(following - 1)
        elif readable == {following}:
            self._renew(following + 1)
        else:
            found = ", ".join(map(str, sorted(readable))) or "none"
            raise StateError(
                f"{self.path}: the keys do not fit the journal: seal {following} is "
                f"next, and the readable keys are for seal: {found}"
            )

    def _renew(self, number: int) -> None:
        seed = self._entropy(32)
        slot = _slot(self._chain, number, seed)
        try:
            self._disk.write_at(self._descriptor, slot, number % 2 * SLOT_BYTES)
            self._disk.sync(self._descriptor)
        except OSError as error:
            raise _durability_error(self.path, error) from error
        self._take([(number, seed)])

    def _take(
        self, seeds: Iterator[tuple[int, bytes]] | list[tuple[int, bytes]]
    ) -> None:
        for number, seed in seeds:
            self._keys[number] = Ed25519PrivateKey.from_private_bytes(seed)


def _durability_error(path: Path, error: OSError) -> DurabilityError:
    return DurabilityError(
        f"{path}: the key file could not be written: {error}",
        hint=f"See that {path.parent} has space and its disk is sound, then start "
        "again: nothing that was acknowledged is lost.",
    )


def _slot(chain: bytes, number: int, seed: bytes) -> bytes:
    content = _MARK + chain + number.to_bytes(8, "big") + seed
    return content + hashlib.sha256(content).digest()


def _readable(data: bytes, chain: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield (number, private key) of each slot that is whole and of *chain*."""
    for position in range(2):
        slot = data[position * SLOT_BYTES :][:_KEY_BYTES]
        content, checksum = slot[:80], slot[80:]
        number = int.from_bytes(content[40:48], "big")
        is_whole = hashlib.sha256(content).digest() == checksum
        is_ours = content[:40] == _MARK + chain and number % 2 == position
        if is_whole and is_ours:
            yield number, content[48:80]
