"""What has to be true before a signer goes on, and the refusal when it is not.

The journal says how far each chain has come; the store and the key file must
not contradict it. A state directory restored from a backup, a clone of it, or
an empty one beside a store full of this signer's chains would sign numbers a
second time, and that is never repaired by itself: the start is refused.
"""

from dataclasses import dataclass
from pathlib import Path

from beats_signer.chain.founding import Predecessor
from beats_signer.chain.seal import SealRecord, parse_seal_note
from beats_signer.errors import StateError
from beats_signer.sign.disk import Disk
from beats_signer.sign.founding import StateFolder
from beats_signer.sign.journal import Journal, JournaledChain, JournaledSeal
from beats_signer.sign.keyfile import Entropy, KeyFile
from beats_signer.sign.sealer import OpenChain
from beats_signer.store.contract import Store

__all__ = ["Opening", "Replacement"]

_COPY = (
    "This state directory is a copy, or was restored from a backup, and must not "
    "sign. Go back to the original; if that is lost, replace the chain with "
    "'beats-signer serve --found {origin}'."
)
_CATALOGUE = (
    "The catalogue cannot be replaced. Go back to the original state directory; if "
    "that is lost, make a new signer with 'beats-signer init' under a new name."
)


@dataclass(frozen=True, slots=True)
class Replacement:
    """A damaged chain that gets a successor: what is known of it, for good."""

    chain: bytes
    tenant: str
    stream: str
    predecessor: Predecessor


@dataclass(frozen=True, slots=True)
class Opening:
    """Compare journal, store and key files of one signer."""

    state: StateFolder
    signer: str
    journal: Journal
    store: Store
    disk: Disk
    entropy: Entropy

    async def check_known(
        self, chains: list[JournaledChain], found: str | None
    ) -> None:
        """Refuse when the store has chains of this signer that the journal lacks.

        Raises:
            StateError: It has; most likely the state directory is new or old.
            StoreError: The store did not answer.
        """
        known = {chain.origin: chain.chain for chain in chains}
        stored = await self.store.chains(self.signer)
        for origin, chain in sorted(stored.items()):
            if known.get(origin) != chain and origin != found:
                raise StateError(
                    f"the store has the chain {origin}, the journal in "
                    f"{self.state.path} does not",
                    hint=_CATALOGUE if origin == self.signer else _hint(origin),
                )

    def remove_orphans(self, chains: list[JournaledChain]) -> None:
        """Remove key files that a crash left behind before their seal 0 existed.

        Call it after ``check_known``: these chains are not in the store either.
        """
        known = {self.state.key_file(chain.chain) for chain in chains}
        for path in self._key_files():
            if path not in known:
                path.unlink()

    async def open(self, chain: JournaledChain) -> OpenChain:
        """Compare one chain with the store, then open its key file.

        Raises:
            StateError: They contradict each other.
            StoreError: The store did not answer.
        """
        last = self.journal.last(chain.chain)
        await self._compare(chain, last)
        path = self.state.key_file(chain.chain)
        keys = KeyFile.open(path, chain.chain, last.number + 1, self.disk, self.entropy)
        return OpenChain(chain.origin, chain.chain, last.head, keys, chain.salt_bytes)

    async def replace(self, origin: str, chains: list[JournaledChain]) -> Replacement:
        """Return what a successor of the chain *origin* has to name.

        Raises:
            StateError: There is no such chain, or it is the catalogue.
            StoreError: The store did not answer.
        """
        if origin == self.signer:
            raise StateError(f"{origin} is the catalogue", hint=_CATALOGUE)
        if origin in {chain.origin for chain in chains if not chain.active}:
            raise StateError(
                f"{origin} has a successor already", hint="Start without --found."
            )
        known = {chain.origin: chain.chain for chain in chains}
        stored = await self.store.chains(self.signer)
        chain = known.get(origin) or stored.get(origin)
        if chain is None:
            active = ", ".join(one.origin for one in chains if one.active)
            raise StateError(
                f"there is no chain {origin}",
                hint=f"The chains of this signer are: {active}.",
            )
        number, record = await self._last_known(chain, origin in known)
        _, tenant, stream, _ = origin.rsplit("/", 3)
        predecessor = Predecessor(
            origin, chain, number, parse_seal_note(record.note)[0].hash()
        )
        return Replacement(chain, tenant, stream, predecessor)

    def lost_keys(self, chain: bytes) -> KeyFile:
        """Return what stands for the keys of a replaced chain."""
        return KeyFile.lost(self.state.key_file(chain), chain)

    def remove_keys(self, chain: bytes) -> None:
        """Remove the keys of a replaced chain, if there are any."""
        self.state.key_file(chain).unlink(missing_ok=True)

    async def _compare(self, chain: JournaledChain, last: JournaledSeal) -> None:
        hint = _hint(chain.origin) if chain.origin != self.signer else _CATALOGUE
        highest = await self.store.highest(chain.chain)
        beyond = await self.store.seal(chain.chain, last.number + 1)
        if beyond is not None or (highest or 0) > last.number:
            raise StateError(
                f"the store has seals of {chain.origin} beyond number {last.number}, "
                "the last one in the journal",
                hint=hint,
            )
        confirmed = self.journal.last_stored(chain.chain)
        numbers = {highest, confirmed.number if confirmed else None}
        for number in (number for number in numbers if number is not None):
            ours = self.journal.seal(chain.chain, number)
            theirs = await self.store.seal(chain.chain, number)
            if theirs is None:
                raise StateError(
                    f"the store has lost seal {number} of {chain.origin}, which it "
                    "had confirmed",
                    hint="Somebody changed the store, or it is not the one that this "
                    f"state directory belongs to. {hint}",
                )
            if ours is not None and ours.record != theirs:
                raise StateError(
                    f"seal {number} of {chain.origin} in the store is not the one in "
                    "the journal",
                    hint=hint,
                )

    async def _last_known(
        self, chain: bytes, is_journaled: bool
    ) -> tuple[int, SealRecord]:
        highest = await self.store.highest(chain)
        if is_journaled:
            last = self.journal.last(chain)
            if highest is None or last.number >= highest:
                return last.number, last.record
        assert highest is not None, "a chain is in the journal or in the store"
        record = await self.store.seal(chain, highest)
        assert record is not None, "the store has named this seal itself"
        return highest, record

    def _key_files(self) -> list[Path]:
        return sorted(self.state.keys.glob("*.key"))


def _hint(origin: str) -> str:
    return _COPY.format(origin=origin)
