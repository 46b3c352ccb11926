"""Name what a store promises to the one who writes and to the one who reads.

``Store`` is the writing side: asynchronous, one per running signer. ``Source``
is the reading side: synchronous, flat in memory, and it never writes. What a
source hands out is claims, not truth: the verifier judges every part of it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from beats_signer.chain.body import WindowRecord
from beats_signer.chain.findings import Document, FindingKind, Range
from beats_signer.chain.seal import Seal, SealRecord
from beats_signer.errors import Problem

__all__ = [
    "Appended",
    "Destination",
    "Entries",
    "EntryBlock",
    "Flaw",
    "Known",
    "Sealed",
    "Source",
    "Store",
    "Write",
]


@dataclass(frozen=True, slots=True)
class Entries:
    """Entries that stand one after the other, as three columns."""

    forms: bytes
    """One ASCII byte per entry."""
    payloads: Sequence[bytes]
    salts: Sequence[bytes] | None
    """One salt per entry in an erasable chain, else ``None``."""


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a store that has several places puts an entry."""

    target: str
    """Data stream or index."""
    pipeline: str | None = None
    """Ingest pipeline; ``None``: the target's own."""
    is_chosen_by_sender: bool = False
    """Whether the event itself named the target or the pipeline: then a refusal
    of it must not stop the chain, and the entry goes to the default place."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A seal with all that a store may want to render beside it."""

    chain: bytes
    """The chain id, 32 bytes."""
    seal: Seal
    record: SealRecord
    entries: Entries
    windows: tuple[WindowRecord, ...]
    destinations: Sequence[Destination | None] | None = None
    """One per entry; ``None``: the store's default place for the origin."""


@dataclass(frozen=True, slots=True)
class Write:
    """One seal on its way to the store, as the journal keeps it."""

    chain: bytes
    """The chain id, 32 bytes."""
    seal: Seal
    record: SealRecord
    body: bytes
    """What ``Store.encode`` made of the entries; sent again as it stands."""


@dataclass(frozen=True, slots=True)
class Appended:
    """What a store did to entries that it could not take as they are."""

    bare: tuple[int, ...] = ()
    """Indexes of the entries that are stored without their visible fields,
    ascending. The catalogue has to list them before a head that covers them."""


class Store(Protocol):
    """Where entries and seals live and are confirmed."""

    def encode(self, sealed: Sealed) -> bytes:
        """Return the bytes that ``append`` takes for the entries.

        Pure and safe in any thread: it runs where seals are made, before
        ``open`` too. Durability: none; the caller journals the bytes.
        """

    async def open(self) -> None:
        """Make the store ready; call it before every other coroutine here.

        Raises:
            StateError: What is there is not a store of this program and
                version. It was not touched; refuse to start.
            StoreError: The store cannot be reached or is in use; try again.
        """

    async def close(self) -> None:
        """Wait for what is under way and let go of the store. Idempotent."""

    async def append(self, write: Write) -> Appended:
        """Store the entries and the seal of one write; say how it went.

        Durability: when this returns, every entry and the seal survive a power
        cut. Several appends may be under way and may arrive out of order.
        Idempotent: what stands there with the same bytes counts as stored.

        Raises:
            StoreError: Nothing is known: stored in whole, in part or not at
                all. Append the same write again.
            RefusedError: The same, and it will stay so until somebody mends the
                store: append the same write again, slowly, and say so.
            ForkError: Another seal, or entries of another seal, stand in this
                place. Stop the chain.
        """

    def problems(self) -> Sequence[Problem]:
        """Return what is wrong and does not show as an error of ``append``."""

    async def publish_checkpoint(self, signer: str, note: str) -> None:
        """Replace the signer's newest signed checkpoint, for all to read.

        Durability: when this returns, the note survives a power cut. A lost one
        does no harm: the next replaces it.

        Raises:
            StoreError: Nothing is known; publish the newest again.
        """

    async def seal(self, chain: bytes, number: int) -> SealRecord | None:
        """Return one stored seal, or ``None`` when none has this number.

        It sees every append that has returned.

        Raises:
            StoreError: The answer is unknown; ask again.
        """

    async def highest(self, chain: bytes) -> int | None:
        """Return the highest seal number of a chain, ``None`` when it has none.

        It sees every append that has returned.

        Raises:
            StoreError: The answer is unknown; ask again.
        """

    async def chains(self, signer: str) -> dict[str, bytes]:
        """Return the chain id of every origin of this signer in the store.

        The catalogue is among them. It sees every append that has returned.

        Raises:
            StoreError: The answer is unknown; ask again.
        """


@dataclass(frozen=True, slots=True)
class EntryBlock:
    """Some entries of a chain, in order: at most 1024, or about 1 MiB.

    Exactly one of these holds: the entries are here; they are rightly gone
    (``absent``); they are there and cannot be read (``damaged``); they were read
    elsewhere (``is_whole``). A source does not invent blocks for what it does not
    find: a jump in ``first`` says so.
    """

    first: int
    """Index of the first entry, as the source claims it."""
    entries: Entries
    """Empty when the block is absent or damaged."""
    count: int
    """Number of entries; of a damaged block, only what the source claims."""
    absent: str | None = None
    """``expired`` or ``erased``: why all entries of this block are gone."""
    damaged: str | None = None
    """What is wrong with the bytes: the verifier reports it as ``modified``."""
    compared: int = 0
    """How many of the entries are shown as what they are: what people see of them
    was held against the payload."""
    is_whole: bool = False
    """Whether these are all entries of a seal, not here because they were read
    elsewhere and are what was sealed; only where ``Known`` says so."""


Known = Callable[[int, SealRecord], EntryBlock | None]
"""Asked about each seal, by the number that it was found under, once the verifier
has it: what is returned stands for all entries of it, which are not read then."""


@dataclass(frozen=True, slots=True)
class Flaw:
    """Something that is wrong with the source itself, at this place of it."""

    kind: FindingKind
    reason: str
    detail: str = ""
    seals: Range | None = None
    entries: Range | None = None
    documents: tuple[Document, ...] = ()
    count: int | None = None
    """How many there are, where no range says so."""


class Source(Protocol):
    """Where a verifier, an export or an inspection reads one signer's chains.

    A chain that is not there reads as a chain without seals. Every method
    raises ``SourceError`` when the answer is undecided.
    """

    def catalogue(self) -> str:
        """Return the origin of the catalogue, which is the signer's name.

        Raises:
            SourceError: The source is empty, cannot be read, or holds several
                signers and none was named.
        """

    def origins(self) -> list[str]:
        """Return the origins of all chains there, the catalogue among them.

        Whether the catalogue lists them is the verifier's question.
        """

    def checkpoint(self) -> str | None:
        """Return the newest checkpoint of the catalogue, or ``None``."""

    def highest(self, origin: str) -> int | None:
        """Return the highest seal number of a chain, ``None`` when it has none."""

    def read(
        self, origin: str, first_seal: int = 0
    ) -> Iterator[SealRecord | EntryBlock]:
        """Yield the seals from a number on, each followed by its entries.

        Seals ascend up to the highest at the time of the call; read on from
        the number after it to follow a chain that grows. Blocks that no seal
        read here covers come last, after the last seal's own. Memory does not
        grow with the chain.

        Raises:
            SourceError: The source cannot be read on from here.
        """

    def seal(self, origin: str, number: int) -> SealRecord | None:
        """Return one seal, or ``None`` when none has this number."""

    def seal_of(self, origin: str, index: int) -> SealRecord | None:
        """Return the seal that claims the entry of this index, or ``None``."""

    def entry(self, origin: str, index: int) -> EntryBlock | None:
        """Return one entry as a block of one, or ``None`` when it is not there."""
