"""The window that a connection is receiving."""

from .batch import Batch

__all__ = ["Window"]


class Window:
    """Collects the events of one announced window."""

    def __init__(self, version: int, size: int) -> None:
        self.version = version
        self.size = size
        self.events = 0
        self.payload_bytes = 0
        self._sequence = 0
        self._forms = bytearray()
        self._payloads: list[bytes] = []

    @property
    def missing(self) -> int:
        """Events announced and not received yet."""
        return self.size - self.events

    def add(self, form: bytes, payloads: list[bytes], sequence: int) -> None:
        """Append events of one form; ``sequence`` is that of the last of them."""
        self.events += len(payloads)
        self.payload_bytes += sum(map(len, payloads))
        self._sequence = sequence
        self._forms += form * len(payloads)
        self._payloads += payloads

    def drop(self) -> None:
        """Let the payloads go; ``events`` still says how many there were."""
        self.payload_bytes = 0
        self._forms.clear()
        self._payloads.clear()

    def to_batch(self, *, acknowledged: bool = True) -> Batch:
        """Return what was received so far."""
        return Batch(
            version=self.version,
            size=self.size,
            sequence=self._sequence,
            forms=bytes(self._forms),
            payloads=tuple(self._payloads),
            payload_bytes=self.payload_bytes,
            acknowledged=acknowledged,
        )
