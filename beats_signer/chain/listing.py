"""Hold the records of a catalogue against each other: which chains there are."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from beats_signer.chain.errors import ChainError, SignatureError
from beats_signer.chain.findings import FindingKind, Findings
from beats_signer.chain.note import VerifierKey
from beats_signer.chain.records import (
    BareRecord,
    CatalogueRecord,
    FoundRecord,
    HeadRecord,
    parse_record,
)
from beats_signer.chain.seal import Seal, parse_seal_note

__all__ = ["ListedChain", "Listing"]


@dataclass(frozen=True, slots=True)
class ListedChain:
    """A chain that the catalogue lists."""

    origin: str
    founding: Seal
    identity: VerifierKey
    """The key in force when it was founded."""
    seal: int | None
    """The catalogue's seal that lists it; ``None`` when that is lost."""


class Listing:
    """The chains that a catalogue lists, and how far each is known to go."""

    def __init__(
        self,
        identity: VerifierKey,
        findings: Findings,
        on_record: Callable[[CatalogueRecord, int], None],
    ) -> None:
        """Take the identity in force, and who hears of each good record.

        ``on_record`` is called with the record and the number of its seal.
        """
        self.identity = identity
        self.has_holes = False
        """Whether records were lost before; a founding may be among them."""
        self._findings = findings
        self._on_record = on_record
        self._chains: dict[str, ListedChain] = {}
        self._heads: dict[str, tuple[int, bytes]] = {}

    @property
    def chains(self) -> Mapping[str, ListedChain]:
        """Return the chains by their origin, in the order of their founding."""
        return MappingProxyType(self._chains)

    def add(self, payload: bytes, index: int, seal: int) -> None:
        """Take the record of one entry, in the catalogue's order."""
        try:
            record = parse_record(payload)
        except ChainError as error:
            self.has_holes = True
            self._report(FindingKind.FORGED, index, seal, str(error))
            return
        match record:
            case FoundRecord():
                is_good = self._add_founding(record, index, seal)
            case HeadRecord():
                is_good = self._add_head(record, index, seal)
            case BareRecord():
                is_good = self._check_listed(record.origin, index, seal)
            case _:
                is_good = True
        if is_good:
            self._on_record(record, seal)

    def _add_founding(self, record: FoundRecord, index: int, seal: int) -> bool:
        founding, note = parse_seal_note(record.note)
        try:
            self.identity.verify(note.text, note.signatures[1])
        except SignatureError as error:
            return self._report(FindingKind.FORGED, index, seal, str(error))
        if (known := self._chains.get(record.origin)) is not None:
            same = known.founding == founding
            kind = FindingKind.FORGED if same else FindingKind.FORK
            detail = f"{record.origin} is founded again"
            return self._report(kind, index, seal, detail)
        self._chains[record.origin] = ListedChain(
            record.origin, founding, self.identity, seal
        )
        return True

    def _add_head(self, record: HeadRecord, index: int, seal: int) -> bool:
        origin = record.origin
        if not self._check_listed(origin, index, seal):
            return False
        size, root = self._heads.get(origin, (0, b""))
        if record.size < size:
            detail = f"{record.size} seals of {origin} after {size}"
            return self._report(FindingKind.TRUNCATED, index, seal, detail)
        if record.size == size and record.root != root:
            detail = f"two roots of {size} seals of {origin}"
            return self._report(FindingKind.FORK, index, seal, detail)
        self._heads[origin] = (record.size, record.root)
        return True

    def _check_listed(self, origin: str, index: int, seal: int) -> bool:
        """Refuse a record about a chain that cannot have been founded."""
        if origin in self._chains or self.has_holes:
            return True
        detail = f"{origin} was not founded"
        return self._report(FindingKind.FORGED, index, seal, detail)

    def _report(self, kind: FindingKind, index: int, seal: int, detail: str) -> bool:
        """Report a record that is no good, which is what is returned."""
        place = (index, index)
        self._findings.add(
            kind, "record", seals=(seal, seal), entries=place, detail=detail
        )
        return False
