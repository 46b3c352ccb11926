"""What has to be true before a signer goes on, and the refusal when it is not.

The journal says how far each chain has come; the store and the key file must
not contradict it. A state directory restored from a backup, a clone of it, or
an empty one beside a store full of this signer's chains would sign numbers a
second time, and that is never repaired by itself: the start is refused.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from beats_signer.chain.founding import Predecessor
from beats_signer.chain.origin import Origin
from beats_signer.chain.seal import SealRecord, parse_seal_note
from beats_signer.errors import DurabilityError, StateError
from beats_signer.sign.closing import is_closed
from beats_signer.sign.disk import Disk
from beats_signer.sign.journal import Journal
from beats_signer.sign.journal_rows import JournaledChain, JournaledSeal
from beats_signer.sign.keyfile import Entropy, KeyFile
from beats_signer.sign.sealer import OpenChain
from beats_signer.sign.state import StateFolder
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

    old: JournaledChain
    tenant: str
    stream: str
    predecessor: Predecessor

    def ends(self, chain: JournaledChain) -> bool:
        """Tell whether the successor takes the place of *chain*."""
        return (chain.tenant, chain.stream) == (self.tenant, self.stream)


@dataclass(frozen=True, slots=True)
class Opening:
    """Compare journal, store and key files of one signer."""

    state: StateFolder
    signer: str
    journal: Journal
    store: Store
    disk: Disk
    entropy: Entropy

    def check_known(
        self,
        chains: Collection[JournaledChain],
        stored: Mapping[str, bytes],
        found: str | None,
    ) -> None:
        """Refuse when the store has chains of this signer that the journal lacks.

        Of a chain that has ended, or is about to be replaced, nothing is asked.

        Raises:
            StateError: It has; most likely the state directory is new or old.
        """
        known = {chain.origin: chain.chain for chain in chains}
        ended = {found, *(chain.origin for chain in chains if not chain.active)}
        for origin, chain in sorted(stored.items()):
            if known.get(origin) != chain and origin not in ended:
                raise StateError(
                    f"the store has the chain {origin}, the journal in "
                    f"{self.state.path} does not",
                    hint=self._hint(origin),
                )

    async def open(self, chain: JournaledChain) -> OpenChain:
        """Compare one chain with the store, then open its key file.

        Raises:
            StateError: They contradict each other.
            StoreError: The store did not answer.
            DurabilityError: The key file could not be written.
        """
        last = self._last(chain)
        hint = self._hint(chain.origin)
        await self._compare(chain, last, hint)
        path = self.state.key_file(chain.chain)
        try:
            keys = KeyFile.open(path, chain.chain, last.head, self.disk, self.entropy)
        except StateError as error:
            raise StateError(str(error), hint=hint) from error
        return OpenChain(chain.origin, chain.chain, last.head, chain.salt_bytes, keys)

    def open_ended(self, chain: JournaledChain) -> OpenChain:
        """Return a chain that has ended: only its stored prefix grows."""
        head = self._last(chain).head
        return OpenChain(chain.origin, chain.chain, head, chain.salt_bytes, None)

    async def replace(
        self,
        origin: str,
        chains: Collection[JournaledChain],
        stored: Mapping[str, bytes],
    ) -> Replacement:
        """Return what a successor of the chain *origin* has to name.

        Raises:
            StateError: There is no such chain, or it is the catalogue.
            StoreError: The store did not answer.
        """
        if origin == self.signer:
            raise StateError(f"{origin} is the catalogue", hint=_CATALOGUE)
        known = {chain.origin: chain for chain in chains}
        if origin in known and is_closed(self.journal, known[origin]):
            raise StateError(
                f"{origin} is closed, and not damaged",
                hint="Start without --found: the next event founds a new chain.",
            )
        if origin in known and not known[origin].active:
            raise StateError(
                f"{origin} has a successor already", hint="Start without --found."
            )
        if origin not in known and origin not in stored:
            active = ", ".join(one.origin for one in chains if one.active)
            raise StateError(
                f"there is no chain {origin}",
                hint=f"The chains of this signer are: {active}.",
            )
        parsed = Origin.parse(origin)
        # What only the store knows is remembered as replaced from here on.
        old = known.get(origin) or JournaledChain(
            stored[origin],
            origin,
            parsed.tenant,
            parsed.stream,
            active=False,
            catalogued=True,
        )
        number, record = await self._last_known(old.chain, origin)
        last = parse_seal_note(record.note)[0].hash()
        predecessor = Predecessor(origin, old.chain, number, last)
        return Replacement(old, parsed.tenant, parsed.stream, predecessor)

    def remove_orphans(self, kept: Collection[bytes]) -> None:
        """Erase the key files of all chains but those *kept*.

        They are of foundings that a crash ended before their seal 0 existed,
        and of chains that have ended.

        Raises:
            DurabilityError: A file could not be overwritten.
        """
        known = {self.state.key_file(chain) for chain in kept}
        for path in sorted(self.state.keys.glob("*.key")):
            if path not in known:
                self._erase(path)

    def remove_keys(self, chain: bytes) -> None:
        """Erase the keys of a replaced chain, if there are any.

        Raises:
            DurabilityError: The file could not be overwritten.
        """
        path = self.state.key_file(chain)
        if path.exists():
            self._erase(path)

    def _erase(self, path: Path) -> None:
        try:
            self.disk.erase(path)
        except OSError as error:
            raise DurabilityError(
                f"{path}: the keys could not be erased: {error}",
                hint="Let the user that runs the signer write the state directory.",
            ) from error

    async def _compare(
        self, chain: JournaledChain, last: JournaledSeal, hint: str
    ) -> None:
        highest = await self.store.highest(chain.chain)
        beyond = await self.store.seal(chain.chain, last.number + 1)
        if beyond is not None or (highest or 0) > last.number:
            raise StateError(
                f"the store has seals of {chain.origin} beyond number {last.number}, "
                "the last one in the journal",
                hint=hint,
            )
        confirmed = self.journal.last_stored(chain.chain)
        numbers = {confirmed.number} if confirmed is not None else set()
        if highest is not None:
            numbers.add(highest)
        for number in sorted(numbers):
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

    async def _last_known(self, chain: bytes, origin: str) -> tuple[int, SealRecord]:
        highest = await self.store.highest(chain)
        last = self.journal.last(chain)
        if last is not None and last.number >= (highest or 0):
            return last.number, last.record
        record = await self.store.seal(chain, highest) if highest is not None else None
        if highest is None or record is None:
            raise StateError(f"the store has no seal of {origin} that it names")
        return highest, record

    def _last(self, chain: JournaledChain) -> JournaledSeal:
        last = self.journal.last(chain.chain)
        assert last is not None, "the journal has seals of each chain it can open"
        return last

    def _hint(self, origin: str) -> str:
        is_catalogue = origin == self.signer
        return _CATALOGUE if is_catalogue else _COPY.format(origin=origin)
