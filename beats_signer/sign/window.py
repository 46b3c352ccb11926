"""What waits to be sealed: windows of senders, and records of the catalogue."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from beats_signer.chain.seal import Kind
from beats_signer.store.contract import Destination

__all__ = [
    "Acknowledged",
    "Control",
    "Item",
    "Lost",
    "Notice",
    "Receipt",
    "Records",
    "Source",
    "Window",
]

Receipt = asyncio.Future[None]
"""Done when the store has confirmed everything; failed when it never will, and
cancelled when nothing was done with the item at all."""

_RECORD_BYTES = 480
"""Most that a window's record in a body takes, without its three names."""


@dataclass(frozen=True, slots=True)
class Source:
    """One connection: who sends, as far as a seal is concerned."""

    sender: str
    """Name from the certificate, or the address when there is none."""
    certificate: str | None
    """SHA-256 of the certificate's DER, hex."""
    address: str
    """Without the port: that changes with every connection."""
    peer: str
    """Address and port."""
    connection: str
    """Name of the connection, unique over restarts of the signer."""
    opened: int
    """Orders connections and windows of this process."""
    tenant: str | None = None
    """What its certificate or its place in a list says; ``None``: ask the rules."""


@dataclass(frozen=True, slots=True)
class Window:
    """The events that one window holds for one chain."""

    source: Source
    number: int
    """The window's number within its connection, from 1."""
    arrival: int
    """Orders connections and windows of this process."""
    received: int
    """When it was complete, in nanoseconds since 1970."""
    version: int
    size: int
    """Events of the whole window."""
    forms: bytes
    payloads: tuple[bytes, ...]
    payload_bytes: int
    destinations: Sequence[Destination | None] | None = None
    """One per event; ``None``: the default place of the chain."""

    @property
    def entries(self) -> int:
        """Return the number of events here."""
        return len(self.payloads)

    @property
    def record_bytes(self) -> int:
        """Return the most that its record takes in the body of a seal."""
        source = self.source
        names = len(source.sender) + len(source.peer) + len(source.connection)
        return _RECORD_BYTES + 4 * names  # UTF-8, or two escaped characters


@dataclass(frozen=True, slots=True)
class Records:
    """Records for the catalogue, with what becomes true when they are journaled."""

    payloads: tuple[bytes, ...]
    catalogued: tuple[bytes, ...] = ()
    """Chains whose ``found`` record is among them."""
    reported: Mapping[bytes, int] = field(default_factory=dict)
    """Sizes in the ``head`` records among them, by chain."""
    listed: Mapping[bytes, Sequence[int]] = field(default_factory=dict)
    """Indexes in the ``bare`` records among them, by chain."""

    @property
    def entries(self) -> int:
        """Return the number of records."""
        return len(self.payloads)

    @property
    def payload_bytes(self) -> int:
        """Return the size of all records."""
        return sum(map(len, self.payloads))

    @property
    def record_bytes(self) -> int:
        """Return nothing: in the catalogue a body does not list its entries."""
        return 0


@dataclass(frozen=True, slots=True)
class Control:
    """A seal without entries: ``heartbeat``, ``config``, ``erase`` or ``close``."""

    kind: Kind
    body: str
    entries: int = 0
    payload_bytes: int = 0
    record_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """News that the ack of a window was handed to the network."""

    connection: str
    number: int


@dataclass(frozen=True, slots=True)
class Lost:
    """News that a connection has ended."""

    connection: str
    at: int
    """In nanoseconds since 1970."""


Item = Window | Records | Control
Notice = Acknowledged | Lost
"""What happened between two windows, for those that may come again."""
