"""The other end of a connection: address and port."""

import asyncio
from ipaddress import IPv6Address, ip_address

from beats_signer.config import Address

__all__ = ["Peer", "network_of", "peer_of", "spell_peer"]

Peer = tuple[str, int]
"""Address, without brackets, and port."""


def peer_of(transport: asyncio.BaseTransport) -> Peer | None:
    """Return who is at the other end; nothing when it is gone already."""
    name = transport.get_extra_info("peername")
    return (str(name[0]), int(name[1])) if name else None


def spell_peer(peer: Peer) -> str:
    """Return both as one text; an IPv6 address stands in brackets."""
    return Address.spell(*peer[:2])


def network_of(address: str) -> str:
    """Return what an address counts as: one of IPv6 by its first 64 bits.

    A host has all the others of these, and may use another one each time.
    """
    host = ip_address(address.partition("%")[0])
    if not isinstance(host, IPv6Address):
        return str(host)
    return str(host.ipv4_mapped or f"{IPv6Address(int(host) >> 64 << 64)}/64")
