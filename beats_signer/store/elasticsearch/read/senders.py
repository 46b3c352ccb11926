"""Read from a seal who has sent its entries."""

from bisect import bisect_right
from dataclasses import dataclass

from beats_signer.chain.body import EventsBody, parse_body
from beats_signer.chain.errors import ChainError
from beats_signer.chain.origin import is_catalogue
from beats_signer.chain.seal import Kind, Seal, SealRecord

__all__ = ["Senders", "read_senders"]


@dataclass(frozen=True, slots=True)
class Senders:
    """Who has sent the entries of one seal, by the end of each window."""

    ends: list[int]
    names: list[str]
    peers: list[str | None]

    def of(self, index: int) -> tuple[str, str | None] | None:
        """Return name and address of who has sent an entry, if it is known."""
        at = bisect_right(self.ends, index)
        return (self.names[at], self.peers[at]) if at < len(self.ends) else None


def read_senders(seal: Seal, record: SealRecord) -> Senders:
    """Return who has sent what, by the body that is signed."""
    if is_catalogue(seal.origin):
        return Senders([seal.first + seal.count], [seal.origin], [None])
    senders = Senders([], [], [])
    try:
        body = parse_body(seal, record.body) if seal.kind is Kind.EVENTS else None
    except ChainError:
        return senders  # the verifier reports it
    if isinstance(body, EventsBody):
        end = seal.first
        for window in body.windows:
            end += window.events
            senders.ends.append(end)
            senders.names.append(window.sender)
            senders.peers.append(window.peer)
    return senders
