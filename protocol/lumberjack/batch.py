"""The events of one window, which are acknowledged together."""

from dataclasses import dataclass

from .builders import build_ack

__all__ = ["Batch"]


@dataclass(frozen=True, slots=True)
class Batch:
    """The events of one window, exactly as the peer sent them."""

    version: int
    """1 or 2, of the window frame; frames inside the window may differ."""

    size: int
    """Events that the window announced."""

    sequence: int
    """Sequence of the last data frame; 0 for an empty window."""

    forms: bytes
    """One ASCII byte for each event, `J`, `L` or `D`."""

    payloads: tuple[bytes, ...]
    """The exact bytes of each event. `J`: the frame's payload. `L`: the value of
    a `D` frame whose only key is ``line``. `D`: the pairs block of any other `D`
    frame, from its 4-byte pair count on."""

    payload_bytes: int
    """Sum of the payloads' sizes."""

    acknowledged: bool = True
    """False for what a version 1 peer of bare `D` frames left in an unfinished
    window when it closed: the events count, but no ack is owed."""

    def ack(self) -> bytes:
        """Build the one ack of this window, 6 bytes, to be sent in one write.

        It carries the sequence of the last data frame, not the count of events:
        some peers number on over windows and would wait for ever.

        Raises:
            RuntimeError: No ack is owed, because the window was never completed.
        """
        if not self.acknowledged:
            raise RuntimeError("no ack is owed for an unfinished window")
        return build_ack(self.version, self.sequence)
