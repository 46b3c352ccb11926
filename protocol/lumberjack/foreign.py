"""Names another protocol by its first bytes, for the log of a misdirected port."""

from .errors import ProtocolError, Reason

__all__ = ["FOREIGN", "LONGEST_GREETING", "check_greeting", "is_undecided"]

_METHODS = (
    *(b"GET", b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE"),
    *(b"CONNECT", b"OPTIONS", b"TRACE", b"PRI"),
)

FOREIGN: tuple[tuple[bytes, Reason, str], ...] = (
    (b"\x16\x03", Reason.TLS_ON_PLAIN, "TLS on a plain listener"),
    *((method + b" ", Reason.HTTP, "HTTP") for method in _METHODS),
    (b"HTTP", Reason.HTTP, "HTTP"),
    (b"{", Reason.JSON_TEXT, "JSON text without frames"),
    (b"<", Reason.SYSLOG, "syslog"),
)
"""First bytes, reason and name of what is often sent to the wrong port."""

LONGEST_GREETING = max(len(prefix) for prefix, _, _ in FOREIGN)
"""So many bytes are always enough to tell."""


def check_greeting(first: bytes) -> None:
    """Raise when the first bytes of a connection name another protocol.

    Raises:
        ProtocolError: The peer speaks a protocol that ``FOREIGN`` lists.
    """
    for prefix, reason, name in FOREIGN:
        if first.startswith(prefix):
            raise ProtocolError(
                reason, f"the peer speaks {name}: it began with {prefix!r}"
            )


def is_undecided(first: bytes) -> bool:
    """Tell whether ``first`` may still become what ``FOREIGN`` lists."""
    return any(prefix.startswith(first) for prefix, _, _ in FOREIGN)
