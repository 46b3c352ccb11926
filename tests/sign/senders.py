"""Senders as the signing half sees them: connections, windows, acks."""

from dataclasses import dataclass, replace

from beats_signer.sign.signer import Signer
from beats_signer.sign.window import Receipt, Source, Window
from tests.sign.world import World

__all__ = ["Sender", "build_window"]


def build_window(
    source: Source, number: int, payloads: tuple[bytes, ...], at: int, arrival: int
) -> Window:
    return Window(
        source=source,
        number=number,
        arrival=arrival,
        received=at,
        version=2,
        size=len(payloads),
        forms=b"J" * len(payloads),
        payloads=payloads,
        payload_bytes=sum(map(len, payloads)),
    )


@dataclass
class _Sent:
    payloads: tuple[bytes, ...]
    receipt: Receipt
    number: int


class Sender:
    """Sends windows; on a new connection it first sends again what got no ack."""

    def __init__(
        self, world: World, address: str = "10.0.0.1", certificate: str | None = None
    ) -> None:
        self._world = world
        self.open: list[_Sent] = []
        """Windows without an ack, in their order."""
        self.sent: list[bytes] = []
        """All events, in their order, each once."""
        self._source = Source(address, certificate, address, f"{address}:1", "", 0)
        self._windows = 0

    @property
    def source(self) -> Source:
        return self._source

    def connect(self, signer: Signer) -> None:
        """Open a connection and send again what got no ack."""
        opened = next(self._world.arrivals)
        self._signer = signer
        self._source = replace(
            self._source,
            peer=f"{self._source.address}:{opened}",
            connection=f"{self._source.address}-{opened}",
            opened=opened,
        )
        self._windows = 0
        again, self.open = self.open, []
        for sent in again:
            self._send(sent.payloads)

    def send(self, *payloads: bytes) -> Receipt:
        """Send one window: of two events that nobody has sent, unless given."""
        if not payloads:
            first = len(self.sent)
            name = self._source.address
            payloads = tuple(f"{name}/{first + n}".encode() for n in range(2))
        self.sent += payloads
        return self._send(payloads)

    def _send(self, payloads: tuple[bytes, ...]) -> Receipt:
        self._windows += 1
        window = build_window(
            self._source,
            self._windows,
            payloads,
            self._world.clock(),
            next(self._world.arrivals),
        )
        receipt = self._signer.append(window)
        self.open.append(_Sent(payloads, receipt, self._windows))
        return receipt

    async def take_acks(self) -> None:
        """Wait for the receipts of all open windows; each ack is written."""
        while self.open:
            await self.open[0].receipt
            sent = self.open.pop(0)
            self._signer.acknowledged(self._source.connection, sent.number)

    def lose(self) -> None:
        """End the connection; what has no ack will be sent again."""
        self._signer.lost(self._source.connection)
