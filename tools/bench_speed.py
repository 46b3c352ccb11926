"""What ``make bench`` says of a real Elasticsearch."""

from dataclasses import dataclass

__all__ = ["Row", "Speed"]


@dataclass(frozen=True)
class Row:
    """What was measured of one way to write or to read; medians of its turns."""

    name: str
    events: int
    events_per_second: int
    server_us_per_event: float
    cpu_us_per_event: float
    """Of the process that the row is about: signer, verifier, or who reads."""
    senders_us_per_event: float | None = None
    loop_lag_p99_ms: float | None = None

    def __str__(self) -> str:
        return (
            f"{self.name}: {self.cpu_us_per_event} µs and the server's "
            f"{self.server_us_per_event}, {self.events_per_second:,} events/s"
        )


@dataclass(frozen=True)
class Speed:
    """All that was measured with Elasticsearch."""

    server: str
    document_bytes: int
    signed: Row
    """Senders, a signer and the server."""
    ready_made: Row
    """The server, given the same requests at once."""
    verified: Row
    """What is stored then, verified from the server."""
    read: Row
    """Plain reading of the same."""
