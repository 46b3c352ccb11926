"""The other end of a connection: address and port."""

import asyncio

from beats_signer.config import Address

__all__ = ["Peer", "peer_of", "spell_peer"]

Peer = tuple[str, int]
"""Address, without brackets, and port."""


def peer_of(transport: asyncio.BaseTransport) -> Peer | None:
    """Return who is at the other end; nothing when it is gone already."""
    name = transport.get_extra_info("peername")
    return (str(name[0]), int(name[1])) if name else None


def spell_peer(peer: Peer) -> str:
    """Return both as one text; an IPv6 address stands in brackets."""
    return Address.spell(*peer[:2])
