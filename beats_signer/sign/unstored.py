"""The seals of one chain that are journaled and not confirmed by the store."""

from dataclasses import dataclass, field

from beats_signer.chain.head import Head
from beats_signer.chain.merkle import EMPTY_ROOT
from beats_signer.chain.seal import Seal
from beats_signer.sign.window import Receipt

__all__ = ["NOTHING_STORED", "Prefix", "UnstoredSeals"]


@dataclass(frozen=True, slots=True)
class Prefix:
    """The seals of a chain that are stored, without a gap: their number and tree."""

    size: int
    root: bytes


NOTHING_STORED = Prefix(0, EMPTY_ROOT)


@dataclass(slots=True)
class _Unstored:
    log: bytes
    """Log tree hash over the seals before this one."""
    write_bytes: int
    receipts: list[Receipt] = field(default_factory=list)


class UnstoredSeals:
    """Who waits for which seal, and how far the store has all of them."""

    def __init__(self) -> None:
        """Start with a chain that is not open yet."""
        self.waiting_bytes = 0
        """What the journal holds for the store."""
        self._head: Head | None = None
        # In the order of their numbers, as they are made.
        self._by_number: dict[int, _Unstored] = {}

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._by_number)

    @property
    def prefix(self) -> Prefix:
        """Return what is stored without a gap: all before the first one here."""
        for number, seal in self._by_number.items():
            return Prefix(number, seal.log)
        if self._head is None:
            return NOTHING_STORED
        return Prefix(self._head.seals, self._head.log.root())

    def open(self, head: Head) -> None:
        """Take the head that the journal has; seals are added afterwards."""
        self._head = head

    def add(self, seal: Seal, write_bytes: int) -> None:
        """Add a journaled seal that the store has not confirmed."""
        self._by_number[seal.number] = _Unstored(seal.log, write_bytes)
        self.waiting_bytes += write_bytes

    def add_newest(self, seal: Seal, write_bytes: int, head: Head) -> None:
        """Add a seal that was journaled just now; *head* is the one after it."""
        self.add(seal, write_bytes)
        self._head = head

    def wait(self, number: int, receipt: Receipt) -> None:
        """Resolve *receipt* once that seal is stored: at once, if it is already."""
        if number in self._by_number:
            self._by_number[number].receipts.append(receipt)
        else:
            _confirm(receipt)

    def stored(self, number: int) -> None:
        """Note that a seal is stored, and resolve the receipts that wait for it."""
        seal = self._by_number.pop(number)
        self.waiting_bytes -= seal.write_bytes
        for receipt in seal.receipts:
            _confirm(receipt)

    def receipts(self) -> list[Receipt]:
        """Return all receipts that wait."""
        return [one for seal in self._by_number.values() for one in seal.receipts]


def _confirm(receipt: Receipt) -> None:
    """Resolve a receipt, unless the one who waited for it has gone."""
    if not receipt.done():
        receipt.set_result(None)
