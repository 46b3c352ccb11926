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
"""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from beats_signer.errors import StateError
from beats_signer.sign.disk import Disk

__all__ = ["SLOT_BYTES", "Entropy", "KeyFile"]

_MARK = b"bs-key\x00\x01"
SLOT_BYTES = 4096
"""Distance of the two slots: the largest block that common disks write whole."""

Entropy = Callable[[int], bytes]
"""Returns that many unpredictable bytes, as ``os.urandom`` does."""


class KeyFile:
    """The key file of one chain, open for its one writer.

    Keys are held in memory for as long as their seals are unsigned; CPython
    cannot wipe them, so the process must not leave core dumps.
    """

    def __init__(
        self,
        path: Path,
        chain: bytes,
        keys: dict[int, Ed25519PrivateKey],
        disk: Disk,
        entropy: Entropy,
    ) -> None:
        self.path = path
        self._chain = chain
        self._keys = keys
        self._disk = disk
        self._entropy = entropy

    @classmethod
    def create(
        cls,
        path: Path,
        chain: bytes,
        seeds: tuple[bytes, bytes],
        disk: Disk,
        entropy: Entropy,
    ) -> "KeyFile":
        """Write the file of a new chain: the keys of its seals 0 and 1."""
        blocks = b"".join(
            _slot(chain, number, seed).ljust(SLOT_BYTES, b"\0")
            for number, seed in enumerate(seeds)
        )
        disk.create(path, blocks)
        keys = {
            number: Ed25519PrivateKey.from_private_bytes(seed)
            for number, seed in enumerate(seeds)
        }
        return cls(path, chain, keys, disk, entropy)

    @classmethod
    def open(
        cls, path: Path, chain: bytes, next_seal: int, disk: Disk, entropy: Entropy
    ) -> "KeyFile":
        """Open the file and bring it to the state that seal *next_seal* needs.

        Raises:
            StateError: The keys do not fit the journal; the table above says
                which states do.
        """
        try:
            data = path.read_bytes()
        except OSError as error:
            raise StateError(
                f"{path}: the key file cannot be read: {error.strerror}",
                hint=_HINT,
            ) from error
        seeds = dict(_readable(data, chain))
        keys = {n: Ed25519PrivateKey.from_private_bytes(s) for n, s in seeds.items()}
        self = cls(path, chain, keys, disk, entropy)
        if set(keys) == {next_seal, next_seal + 1}:
            return self
        if set(keys) == {next_seal - 1, next_seal}:
            self.advance(next_seal - 1)
            return self
        if set(keys) == {next_seal}:
            self._renew(next_seal + 1)
            return self
        found = ", ".join(str(number) for number in sorted(keys)) or "none"
        raise StateError(
            f"{path}: the keys do not fit the journal: seal {next_seal} is next, "
            f"and the readable keys are for seal: {found}",
            hint=_HINT,
        )

    @classmethod
    def lost(cls, path: Path, chain: bytes) -> "KeyFile":
        """Stand in for the keys of a replaced chain: nothing is signed with it."""
        return cls(path, chain, {}, Disk(), os.urandom)

    def key(self, number: int) -> Ed25519PrivateKey:
        """Return the key that signs seal *number*, the next one only."""
        return self._keys[number]

    def public(self, number: int) -> bytes:
        """Return the public half, 32 bytes, of the key of seal *number*."""
        return self._keys[number].public_key().public_bytes_raw()

    def advance(self, number: int) -> None:
        """Erase the key of seal *number*, which the journal now holds.

        Raises:
            OSError: What the file holds now is unknown. End the process; the
                next start reads it from the disk.
        """
        self._renew(number + 2)
        del self._keys[number]

    def _renew(self, number: int) -> None:
        seed = self._entropy(32)
        descriptor = os.open(self.path, os.O_WRONLY)
        try:
            slot = _slot(self._chain, number, seed)
            self._disk.write_at(descriptor, slot, number % 2 * SLOT_BYTES)
            self._disk.sync(descriptor)
        finally:
            os.close(descriptor)
        self._keys[number] = Ed25519PrivateKey.from_private_bytes(seed)


_HINT = (
    "A copy of the state directory must never run: if this is one, go back to the "
    "original. If the file was damaged, replace this chain with "
    "'beats-signer serve --found ORIGIN'."
)


def _slot(chain: bytes, number: int, seed: bytes) -> bytes:
    content = _MARK + chain + number.to_bytes(8, "big") + seed
    return content + hashlib.sha256(content).digest()


def _readable(data: bytes, chain: bytes) -> list[tuple[int, bytes]]:
    """Return (number, private key) of each slot that is whole and of *chain*."""
    keys = []
    for position in range(2):
        slot = data[position * SLOT_BYTES : position * SLOT_BYTES + 112]
        content, checksum = slot[:80], slot[80:]
        number = int.from_bytes(content[40:48], "big")
        whole = hashlib.sha256(content).digest() == checksum
        ours = content[:40] == _MARK + chain and number % 2 == position
        if whole and ours:
            keys.append((number, content[48:80]))
    return keys
