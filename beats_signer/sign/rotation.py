"""Put another identity key in the place of the one in force.

| step                                 | crash after it leaves          | at restart |
|--------------------------------------|--------------------------------|------------|
| 1 new key in a second file           | two keys, the old one in force | new erased |
| 2 ``config`` seal of the catalogue   | the same                       | new erased |
| 3 seal journaled                     | two keys, the new one in force | 5, 6, 4    |
| 4 seal stored, then a checkpoint     | the same                       | 5, 6       |
| 5 old key overwritten, removed       | the new key, in the second file| 6          |
| 6 new key gets the first file's name | one key                        |            |

The journal decides which key is in force: it names the new one from the moment on
when the seal that says so cannot be taken back. The old key signs no checkpoint
over that seal, and nothing is founded meanwhile: whoever verifies would refuse it.
The seal itself is signed by the catalogue's own key, as every seal. The old key is
erased, for it has no use any more but to a thief: what it signed verifies without it.
"""

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from beats_signer.chain.founding import Found
from beats_signer.chain.note import VerifierKey
from beats_signer.errors import DurabilityError, StateError
from beats_signer.sign.disk import Disk
from beats_signer.sign.journal import Journal
from beats_signer.sign.keyfile import Entropy
from beats_signer.sign.state import Identity, StateFolder

__all__ = ["Rotation"]


class Rotation:
    """The identity key of one signer, and the one that may follow it."""

    def __init__(
        self, state: StateFolder, signer: str, journal: Journal, disk: Disk
    ) -> None:
        self._state = state
        self._signer = signer
        self._journal = journal
        self._disk = disk

    def prepare(self, entropy: Entropy) -> Identity:
        """Do step 1 and return the new identity, which is not in force yet.

        Raises:
            DurabilityError: The file may be there in part. End the process.
        """
        key = Ed25519PrivateKey.from_private_bytes(entropy(32))
        identity = Identity(self._signer, key)
        try:
            identity.write(self._state.next_identity, self._disk)
        except OSError as error:
            raise self._failure(error) from error
        return identity

    def settle(self) -> Identity:
        """Return the identity in force, the only one that is left afterwards.

        Raises:
            StateError: The key in force is not there.
            DurabilityError: The keys could not be put in their places.
        """
        due = self._in_force()
        if self._state.next_identity.exists():
            try:
                self._settle_files(due)
            except OSError as error:
                raise self._failure(error) from error
        identity = Identity.read(self._state, self._signer)
        if identity.public != due:
            raise StateError(
                f"{self._state.identity}: it is not the identity key that the "
                "catalogue names",
                hint="Put the right file back: what this key signs nobody accepts.",
            )
        return identity

    def _in_force(self) -> VerifierKey:
        """Return the public half that the catalogue named last.

        Raises:
            StateError: This is the state directory of another signer.
        """
        catalogue = next(
            (one for one in self._journal.chains() if one.origin == self._signer), None
        )
        founding = None
        if catalogue is not None:
            founding = self._journal.seal(catalogue.chain, 0)
        if catalogue is None or founding is None:
            raise StateError(
                f"{self._state.path} is not the state directory of the signer "
                f"{self._signer}",
                hint="The name of a signer cannot be changed: correct 'signer' in "
                "the configuration, or name another state directory.",
            )
        if catalogue.identity is not None:
            return VerifierKey.parse(catalogue.identity)
        return Found.parse(founding.record.body).identity

    def _settle_files(self, due: VerifierKey) -> None:
        """Do the steps 5 and 6, or erase a key that was never named."""
        state, disk = self._state, self._disk
        if self._has(state.next_identity, due):
            if state.identity.exists():
                disk.erase(state.identity)
            disk.rename(state.next_identity, state.identity)
        elif self._has(state.identity, due):
            disk.erase(state.next_identity)

    def _has(self, path: Path, due: VerifierKey) -> bool:
        try:
            return Identity.read_from(path, self._signer).public == due
        except StateError:
            return False  # torn by a crash, or half erased

    def _failure(self, error: OSError) -> DurabilityError:
        return DurabilityError(
            f"{self._state.path}: the identity key could not be written: {error}",
            hint="See that there is space and the disk is sound, then start again.",
        )
