"""How much a sender may send ahead, and how long it may take."""

from dataclasses import dataclass

__all__ = [
    "LINGER_SECONDS",
    "PARTING_SECONDS",
    "PROGRESS_BYTES",
    "SILENCE_SECONDS",
    "Patience",
]

SILENCE_SECONDS = 3.0
"""How long a sender may go on with its window by less than ``PROGRESS_BYTES`` while
unfinished windows take up all memory and everybody else waits."""

PROGRESS_BYTES = 64 << 10

LINGER_SECONDS = 1.0
"""How long a connection that we end is still read, and what comes thrown away:
closing a socket with unread bytes resets it, and a reset can destroy acks that
are on their way."""

PARTING_SECONDS = 15.0
"""How long a sender that may not send any longer waits for acks of what was taken."""


@dataclass(frozen=True, slots=True)
class Patience:
    """What an operator may choose; times in seconds."""

    read_ahead_windows: int = 4
    """Complete windows without an ack; above it nothing is read."""

    handshake_seconds: float = 10.0
    """From the connection to the end of the TLS handshake."""

    first_byte_seconds: float = 60.0
    """From there to the first byte."""

    window_seconds: float = 60.0
    """From the first byte of a window to its last, as far as we read."""

    write_seconds: float = 30.0
    """From the first ack that the sender does not take."""

    keepalive_seconds: float = 5.0
    """Between two signs of life to a sender that waits."""
