"""Learn from the seals of a chain what may be gone of it; the verifier judges it."""

from typing import Final

from msgspec import UNSET

from beats_signer.chain.body import ConfigBody, Found, parse_body
from beats_signer.chain.errors import ChainError
from beats_signer.chain.origin import is_catalogue
from beats_signer.chain.seal import Kind, Seal, SealRecord
from beats_signer.chain.times import SECOND

__all__ = ["Terms"]

_DAY: Final = 86_400 * SECOND


class Terms:
    """What seals have said so far of the entries of one chain."""

    def __init__(self) -> None:
        """Start before the first seal."""
        self.is_erasable = False
        self.is_catalogue = False
        self._retention_days: int | None = None

    def obey(self, seal: Seal, record: SealRecord) -> None:
        """Take the next seal."""
        self.is_catalogue = is_catalogue(seal.origin)
        if seal.kind not in (Kind.FOUND, Kind.CONFIG):
            return
        try:
            body = parse_body(seal, record.body)
        except ChainError:
            return
        if isinstance(body, Found):
            self._retention_days = body.retention_days
            self.is_erasable = body.salt_bytes > 0
        elif isinstance(body, ConfigBody) and body.retention_days is not UNSET:
            self._retention_days = body.retention_days

    def is_over(self, seal: Seal, now: int) -> bool:
        """Tell whether the retention of a seal's entries is over at a time."""
        days = self._retention_days
        return days is not None and seal.time + days * _DAY <= now
