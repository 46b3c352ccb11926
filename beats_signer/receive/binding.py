"""Take an address: bound sockets, to which nobody can connect yet."""

import errno
import socket

from beats_signer.config import Address

__all__ = ["bind"]

_NOT_HERE = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
"""A name may have a meaning that this host does not know, most often IPv6."""


def bind(address: Address) -> list[socket.socket]:
    """Return a socket for each meaning of the host's name, all with one port.

    Raises:
        OSError: The name is unknown, or the port is taken.
    """
    servers: list[socket.socket] = []
    port = address.port
    meanings = socket.getaddrinfo(address.host, port, type=socket.SOCK_STREAM)
    for family, _, _, _, name in dict.fromkeys(meanings):
        try:
            server = _bind_one(family, (name[0], port, *name[2:]))
        except OSError as error:
            if error.errno in _NOT_HERE and len(meanings) > 1:
                continue
            for other in servers:
                other.close()
            raise
        servers.append(server)
        port = server.getsockname()[1]
    return servers


def _bind_one(
    family: socket.AddressFamily, name: tuple[str | int, ...]
) -> socket.socket:
    server = socket.socket(family, socket.SOCK_STREAM)
    try:
        server.setblocking(False)
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            # Whoever writes [::] means everybody, as with Beats and Logstash.
            server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        server.bind(name)
    except OSError:
        server.close()
        raise
    return server
