"""The header of a proxy: what is read, and what is refused before it is complete."""

import socket
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beats_signer.receive.proxy_header import (
    ProxyHeader,
    ProxyHeaderError,
    read_header,
)

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
LINE = b"PROXY TCP4 203.0.113.7 192.0.2.1 40000 5044\r\n"


def block(
    client: str = "203.0.113.7", port: int = 40_000, *, more: bytes = b""
) -> bytes:
    """Return a header of version 2."""
    kind = socket.AF_INET6 if ":" in client else socket.AF_INET
    family = 0x21 if ":" in client else 0x11
    here = "::1" if ":" in client else "127.0.0.1"
    addresses = socket.inet_pton(kind, client) + socket.inet_pton(kind, here)
    body = addresses + struct.pack(">HH", port, 5044) + more
    return SIGNATURE + struct.pack(">BBH", 0x21, family, len(body)) + body


@pytest.mark.parametrize(
    ("data", "client"),
    [
        (LINE, ("203.0.113.7", 40_000)),
        (b"PROXY TCP6 2001:db8::7 ::1 40000 5044\r\n", ("2001:db8::7", 40_000)),
        (b"PROXY TCP6 ::ffff:203.0.113.7 ::1 1 2\r\n", ("203.0.113.7", 1)),
        (b"PROXY UNKNOWN\r\n", None),
        (b"PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n", None),
        (block(), ("203.0.113.7", 40_000)),
        (block("2001:db8::7"), ("2001:db8::7", 40_000)),
        (block("::ffff:203.0.113.7"), ("203.0.113.7", 40_000)),
        (block(more=b"\3\0\4abcd"), ("203.0.113.7", 40_000)),
        (block(more=bytes(4096 - 12)), ("203.0.113.7", 40_000)),
        (SIGNATURE + b"\x20\x00\0\0", None),
        (SIGNATURE + b"\x20\x11\0\x0c" + bytes(12), None),
        (SIGNATURE + b"\x21\x00\0\3abc", None),
    ],
)
def test_a_header_says_who_is_behind_the_proxy(
    data: bytes, client: tuple[str, int] | None
) -> None:
    assert read_header(data) == ProxyHeader(len(data), client)
    assert read_header(data + b"what follows") == ProxyHeader(len(data), client)


@pytest.mark.parametrize(
    "data", [LINE, b"PROXY UNKNOWN\r\n", block(), block(more=bytes(9))]
)
def test_a_part_of_a_header_asks_for_more(data: bytes) -> None:
    assert {read_header(data[:size]) for size in range(len(data))} == {None}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\x16\3\1\2", "the first bytes are no PROXY header"),
        (b"2W\0\0\0\1", "the first bytes are no PROXY header"),
        (b"PROXX", "the first bytes are no PROXY header"),
        (b"\r\n\r\n\0\r\nQUIT\r", "the first bytes are no PROXY header"),
        (b"PROXY " + b"x" * 101, "the first 107 bytes are not one line"),
        (b"PROXY TCP4\r\n", "is not like PROXY TCP4 from to port port"),
        (b"PROXY UDP4 10.0.0.1 10.0.0.2 1 2\r\n", "is not like PROXY TCP4"),
        (b"PROXY TCP4  10.0.0.1 10.0.0.2 1 2\r\n", "is not like PROXY TCP4"),
        (b"PROXY TCP4 10.0.0.1 10.0.0.2 1 2 3\r\n", "is not like PROXY TCP4"),
        (b"PROXY TCP4 10.0.0.1 10.0.0.2 -1 2\r\n", "is not like PROXY TCP4"),
        (b"PROXY TCP4 10.0.0.1 10.0.0.2 1\n2\r\n", "is not like PROXY TCP4"),
        (b"PROXY UNKNOWNS\r\n", "is not like PROXY TCP4"),
        (b"PROXY TCP4 10.0.0.256 10.0.0.2 1 2\r\n", "names no address"),
        (b"PROXY TCP4 010.0.0.1 10.0.0.2 1 2\r\n", "names no address"),
        (b"PROXY TCP4 ::1 ::2 1 2\r\n", "names an address of IPv6"),
        (b"PROXY TCP6 10.0.0.1 10.0.0.2 1 2\r\n", "names an address of IPv4"),
        (b"PROXY TCP4 10.0.0.1 10.0.0.2 65536 2\r\n", "names a port above 65535"),
        (SIGNATURE + b"\x11\x11\0\x0c", "version and command are 0x11"),
        (SIGNATURE + b"\x22\x11\0\x0c", "version and command are 0x22"),
        (SIGNATURE + b"\x21\x11\xff\xff", "65535 bytes exceed the limit of 4096"),
        (SIGNATURE + b"\x20\x00\xff\xff", "65535 bytes exceed the limit of 4096"),
        (SIGNATURE + b"\x21\x11\0\x0b", "11 bytes are too few for the addresses"),
        (SIGNATURE + b"\x21\x21\0\x0c", "12 bytes are too few for the addresses"),
        (SIGNATURE + b"\x21\x12\0\x0c", "0x12 are not TCP over IP"),
        (SIGNATURE + b"\x21\x31\0\xd8", "0x31 are not TCP over IP"),
    ],
)
def test_what_cannot_become_a_header_is_refused_at_once(
    data: bytes, message: str
) -> None:
    with pytest.raises(ProxyHeaderError, match=message):
        read_header(data)


@given(
    st.one_of(
        st.binary(max_size=200),
        st.binary(max_size=120).map(lambda rest: b"PROXY " + rest),
        st.binary(max_size=120).map(lambda rest: b"PROXY TCP4 " + rest + b"\r\n"),
        st.binary(max_size=120).map(lambda rest: SIGNATURE + b"\x21" + rest),
    )
)
def test_no_bytes_are_too_strange(data: bytes) -> None:
    """Return or refuse: nothing else, and never ask for more than the limit."""
    try:
        header = read_header(data)
    except ProxyHeaderError:
        return
    assert header is not None or len(data) < 16 + 4096
