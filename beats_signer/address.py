"""Write the address of a listener as one text."""

import re

__all__ = ["Address"]

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
