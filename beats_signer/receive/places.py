"""How many connections there may be, in all and of one sender.

Every connection takes a place as soon as it is accepted, whatever becomes of it,
and another one under the name of its sender as soon as that is known. Whoever
finds none is turned away: it comes again, and nothing was taken from it.
"""

from collections import Counter
from dataclasses import dataclass

from beats_signer.receive.peer import network_of
from beats_signer.receive.refusal import Refusal, UnwelcomeError
from beats_signer.sign.window import Source

__all__ = ["Caps", "Places", "party_of"]


@dataclass(frozen=True, slots=True)
class Caps:
    """What an operator may choose."""

    connections: int = 8192
    """Connections in all, also those that have not said yet who they are."""

    connections_per_sender: int = 1024
    """Connections of one certificate's name; without certificate, of an address."""

    handshakes_per_second: int = 50
    """TLS handshakes that one address may begin, on average."""


class Places:
    """Counts connections. The event loop alone uses it."""

    def __init__(self, caps: Caps) -> None:
        self.caps = caps
        """It may be replaced at any time; nobody loses a place for that."""
        self.taken = 0
        self._by_sender: Counter[str] = Counter()

    @property
    def are_all_taken(self) -> bool:
        """Tell whether the next one who connects is turned away."""
        return self.taken >= self.caps.connections

    def take(self) -> None:
        """Give a place to a connection, until ``give_back``.

        Raises:
            UnwelcomeError: There is none.
        """
        if self.are_all_taken:
            raise UnwelcomeError(
                Refusal.CONNECTIONS,
                f"there are {self.taken} connections already, which is the limit: see "
                "limits.connections",
            )
        self.taken += 1

    def give_back(self) -> None:
        """Note that a connection is gone."""
        self.taken -= 1

    def take_for(self, sender: str) -> None:
        """Give a place under the name of its sender, until ``give_back_for``.

        Raises:
            UnwelcomeError: It has all that it may have.
        """
        if self._by_sender[sender] >= self.caps.connections_per_sender:
            raise UnwelcomeError(
                Refusal.SENDER_CONNECTIONS,
                f"it has {self._by_sender[sender]} connections already, which is the "
                "limit: see limits.connections_per_sender",
            )
        self._by_sender[sender] += 1

    def give_back_for(self, sender: str) -> None:
        """Note that a connection of this sender is gone."""
        self._by_sender[sender] -= 1
        if not self._by_sender[sender]:
            del self._by_sender[sender]


def party_of(source: Source) -> str:
    """Name whom a connection counts for: all that share a certificate's name.

    That name may look like an address, and is none.
    """
    if source.certificate is None:
        return f"address {network_of(source.address)}"
    return f"certificate {source.sender}"
