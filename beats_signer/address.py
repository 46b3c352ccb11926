"""Addresses and networks as one text each."""

import re
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

__all__ = ["Address", "Network"]

_ADDRESS = re.compile(r"(\[[^\[\]\s]+\]|[^\[\]:\s]+):(?P<port>[0-9]{1,5})")
_HIGHEST_PORT = 65_535


class Address(str):
    """A host and a port, as host:port; an IPv6 address stands in brackets."""

    __slots__ = ()

    def __new__(cls, text: str) -> "Address":
        """Check the text and return it as an address.

        Raises:
            ValueError: The text has another form, or the port is above 65535.
        """
        match = _ADDRESS.fullmatch(text)
        if match is None:
            raise ValueError(
                f"{text!r} is not an address\n"
                "Write host:port, such as 0.0.0.0:5044 or '[::]:5044'."
            )
        if int(match["port"]) > _HIGHEST_PORT:
            raise ValueError(
                f"port {match['port']} is above {_HIGHEST_PORT}\n"
                "Beats expect a receiver on port 5044."
            )
        return super().__new__(cls, text)

    @staticmethod
    def spell(host: str, port: int) -> str:
        """Return both as one text; nothing is checked."""
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    @property
    def host(self) -> str:
        """Return the host name or address, without brackets."""
        return self.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        """Return the port."""
        return int(self.rpartition(":")[2])


class Network(str):
    """An address or a network, such as 10.0.0.5 or 10.0.0.0/8."""

    __slots__ = ()

    def __new__(cls, text: str) -> "Network":
        """Check the text and return it as a network.

        Raises:
            ValueError: It is none, or has bits beyond its own mask.
        """
        try:
            ip_network(text)
        except ValueError as error:
            raise ValueError(
                f"{text!r} is not a network: {error}\n"
                "Write an address such as 10.0.0.5, or a network such as 10.0.0.0/8."
            ) from error
        return super().__new__(cls, text)

    def holds(self, host: str) -> bool:
        """Tell whether an address is part of it.

        An IPv4 address may come in the spelling of an IPv6 socket.
        """
        address = ip_address(host.partition("%")[0])
        if isinstance(address, IPv6Address) and address.ipv4_mapped:
            address = address.ipv4_mapped
        return address in _parsed(self)


@lru_cache(maxsize=4096)
def _parsed(text: str) -> IPv4Network | IPv6Network:
    return ip_network(text)
