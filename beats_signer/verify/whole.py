"""Find the seals of which all entries are there and are what was sealed.

That is most of the work of a verification, and can be done anywhere and in any
order: it needs neither keys nor what stands before. A seal is whole, or nothing is
said about it: whatever is not as it should be is looked at again by who judges.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256

from beats_signer.chain.comparison import EntryComparison, forms_of
from beats_signer.chain.errors import FormatError
from beats_signer.chain.findings import Findings
from beats_signer.chain.patience import Patience
from beats_signer.chain.seal import Seal, SealRecord, parse_seal_note
from beats_signer.store.contract import EntryBlock
from beats_signer.verify.lines import Item

__all__ = ["Whole", "digest_record", "find_whole"]


@dataclass(frozen=True, slots=True)
class Whole:
    """The entries of one seal, all of them compared with its leaves and its root."""

    first: int
    count: int
    salt_bytes: int
    """Size of the salt that each of them has."""
    compared: int
    """How many of them are shown as what they are."""


def find_whole(items: Iterable[Item]) -> dict[bytes, Whole]:
    """Return what is whole among seals that are each followed by their entries.

    It is found by the digest of the seal's record: said of no other.
    """
    found: dict[bytes, Whole] = {}
    examined: _Examined | None = None
    for item in items:
        if isinstance(item, SealRecord):
            _close(examined, found)
            examined = _begin(item)
        elif examined is None:
            continue
        elif isinstance(item, EntryBlock):
            examined.add(item)
        else:
            examined.is_flawed = True
    _close(examined, found)
    return found


def digest_record(record: SealRecord) -> bytes:
    """Return a digest over note, body and leaves of a seal as they are stored."""
    texts = (record.note.encode(), record.body.encode())
    return sha256(b"".join([*map(_digest, texts), record.leaves])).digest()


def _digest(text: bytes) -> bytes:
    return sha256(text).digest()


@dataclass(slots=True)
class _Examined:
    """A seal and its entries, as far as they came."""

    seal: Seal
    record: SealRecord
    comparison: EntryComparison
    findings: Findings
    salt_bytes: set[int] = field(default_factory=set)
    compared: int = 0
    is_flawed: bool = False

    def add(self, block: EntryBlock) -> None:
        """Take the next entries."""
        if block.absent is not None or block.damaged is not None or block.is_whole:
            self.is_flawed = True
        if self.is_flawed:
            return
        entries = block.entries
        salts = [b""] if entries.salts is None else entries.salts
        self.salt_bytes.update(map(len, salts))
        self.compared += block.compared
        self.comparison.add(block.first, entries.forms, entries.payloads, entries.salts)

    def whole(self) -> Whole | None:
        """Return what can be said, now that all entries came."""
        if self.is_flawed or len(self.salt_bytes) != 1:
            return None
        self.comparison.finish()
        if self.comparison.bad or any(True for _ in self.findings):
            return None
        seal, (salt_bytes,) = self.seal, self.salt_bytes
        return Whole(seal.first, seal.count, salt_bytes, self.compared)


def _begin(record: SealRecord) -> _Examined | None:
    """Prepare to look at the entries of a seal, if there are any."""
    try:
        seal, _ = parse_seal_note(record.note)
    except FormatError:
        return None
    if seal.count == 0:
        return None
    findings = Findings(seal.origin)
    forms = forms_of(seal.origin)
    comparison = EntryComparison(seal, record.leaves, None, forms, findings, Patience())
    return _Examined(seal, record, comparison, findings)


def _close(examined: _Examined | None, found: dict[bytes, Whole]) -> None:
    if examined is not None and (whole := examined.whole()) is not None:
        found[digest_record(examined.record)] = whole
