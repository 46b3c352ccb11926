"""Read the header in which a proxy says for whom it has connected.

Both versions of the PROXY protocol: a line of text, and a block of bytes that may
go on with fields which are passed over. Sizes are judged as soon as they are known.

Source: "The PROXY protocol, versions 1 & 2", sections 2.1 and 2.2, by HAProxy.
"""

import re
import struct
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

from beats_signer.receive.peer import Peer

__all__ = ["ProxyHeader", "ProxyHeaderError", "read_header"]

_TEXT = b"PROXY "
_TEXT_BYTES = 107
"""Longest line there can be, with its end."""
_LINE = re.compile(r"PROXY TCP([46]) ([0-9a-fA-F.:]+) [0-9a-fA-F.:]+ (\d{1,5}) \d{1,5}")

_SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
_HEAD = struct.Struct(">12sBBH")
_MOST_BYTES = 4096
"""Most that may follow the head. Addresses take 36; a certificate's name and what
cloud providers add take some hundred."""
_LOCAL, _PROXY = 0x20, 0x21
_ADDRESSES = {0x11: struct.Struct(">4s4sHH"), 0x21: struct.Struct(">16s16sHH")}
"""TCP over IPv4 and over IPv6."""
_HIGHEST_PORT = 65_535


class ProxyHeaderError(Exception):
    """What came first is no header, or none that can be used: close."""


@dataclass(frozen=True, slots=True)
class ProxyHeader:
    """What a proxy has said, and how many bytes that took."""

    size: int
    client: Peer | None
    """For whom it has connected; ``None``: for itself, as health checks do."""


def read_header(data: bytes) -> ProxyHeader | None:
    """Return the header at the start of the data, or ``None`` when more is needed.

    Raises:
        ProxyHeaderError: More would not help.
    """
    if _SIGNATURE.startswith(data[: len(_SIGNATURE)]):
        return _read_block(data) if len(data) >= _HEAD.size else None
    if _TEXT.startswith(data[: len(_TEXT)]):
        return _read_line(data)
    raise ProxyHeaderError(
        "the first bytes are no PROXY header: does the proxy send one?"
    )


def _read_line(data: bytes) -> ProxyHeader | None:
    end = data.find(b"\r\n", 0, _TEXT_BYTES)
    if end < 0:
        if len(data) >= _TEXT_BYTES:
            raise ProxyHeaderError(f"the first {_TEXT_BYTES} bytes are not one line")
        return None
    line = data[:end].decode("latin-1")
    if line == "PROXY UNKNOWN" or line.startswith("PROXY UNKNOWN "):
        return ProxyHeader(end + 2, None)
    match = _LINE.fullmatch(line)
    if match is None:
        raise ProxyHeaderError(f"{line!r} is not like PROXY TCP4 from to port port")
    try:
        address = ip_address(match[2])
    except ValueError as error:
        raise ProxyHeaderError(f"{line!r} names no address") from error
    if str(address.version) != match[1]:
        raise ProxyHeaderError(f"{line!r} names an address of IPv{address.version}")
    if int(match[3]) > _HIGHEST_PORT:
        raise ProxyHeaderError(f"{line!r} names a port above {_HIGHEST_PORT}")
    return ProxyHeader(end + 2, (_spell(address.packed), int(match[3])))


def _read_block(data: bytes) -> ProxyHeader | None:
    _, command, family, length = _HEAD.unpack_from(data)
    if command not in (_LOCAL, _PROXY):
        raise ProxyHeaderError(f"version and command are 0x{command:02x}")
    if length > _MOST_BYTES:
        raise ProxyHeaderError(f"{length} bytes exceed the limit of {_MOST_BYTES}")
    size = _HEAD.size + length
    addresses = _ADDRESSES.get(family)
    if command == _LOCAL or family == 0:
        return ProxyHeader(size, None) if len(data) >= size else None
    if addresses is None:
        raise ProxyHeaderError(
            f"family and transport 0x{family:02x} are not TCP over IP"
        )
    if length < addresses.size:
        raise ProxyHeaderError(f"{length} bytes are too few for the addresses")
    if len(data) < size:
        return None
    source, _, port, _ = addresses.unpack_from(data, _HEAD.size)
    return ProxyHeader(size, (_spell(source), port))


def _spell(packed: bytes) -> str:
    """Return an address as text; one of IPv4 is spelled so wherever it comes from."""
    address = ip_address(packed)
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(address)
