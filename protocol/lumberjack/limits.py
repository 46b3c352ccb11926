"""What a peer may make a receiver hold.

Every number that a peer sends is compared with one of these before memory is
spent on it. What other receivers chose is read in their sources; see
protocol/README.md.
"""

from dataclasses import dataclass, fields

__all__ = ["RATIO_FLOOR_BYTES", "Limits"]

RATIO_FLOOR_BYTES = 8 << 20
"""A compressed frame that inflates to no more than this, in bytes, is not judged
by its ratio: a few identical lines compress a thousandfold and are harmless."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one connection; one above a limit closes it."""

    window_events: int = 65_536
    """Most events one window may announce, which is also the most one seal holds.
    go-lumber: 10,000; logstash-input-beats, Vector, Graylog: none."""

    window_bytes: int = 128 << 20
    """Most payload bytes of one window. The others: none."""

    compressed_bytes: int = 64 << 20
    """Largest compressed stream of one `C` frame, in bytes. Graylog: 16 MiB;
    Vector: 100 MiB; logstash-input-beats, go-lumber: none."""

    compressed_frames: int = 131_072
    """Most frames inside one `C` frame: its windows are delivered together, so
    they are in memory together. The others: none."""

    inflated_bytes: int = 100 << 20
    """Most bytes that one `C` frame may inflate to. Vector: 100 MiB; Graylog:
    64 MiB; logstash-input-beats, go-lumber: none."""

    inflate_ratio: int = 500
    """Most bytes of output for each byte of a `C` frame's stream, once the output
    exceeds ``RATIO_FLOOR_BYTES``; zlib itself ends near 1,030. The others: none."""

    json_bytes: int = 32 << 20
    """Largest payload of a `J` frame, in bytes. Graylog: 16 MiB; Vector: 100 MiB;
    logstash-input-beats: 2 GiB; go-lumber: none."""

    pairs: int = 1024
    """Most pairs of a `D` frame. Graylog: 1024; the others: none."""

    item_bytes: int = 32 << 20
    """Largest key or value of a `D` frame, in bytes: the Logstash output puts a
    whole event into one value. Graylog: 1 MiB; the others: none."""

    pairs_bytes: int = 32 << 20
    """Largest pairs block of a `D` frame, in bytes. Vector: 100 MiB for the whole
    frame; the others: none."""

    def __post_init__(self) -> None:
        for field in fields(self):
            if (value := getattr(self, field.name)) < 1:
                raise ValueError(f"limit {field.name} is {value}, must be at least 1")
