"""From the configuration to what the signing half is told."""

from dataclasses import replace

import msgspec

from beats_signer.config import Config
from beats_signer.sign.pace import Pace
from beats_signer.sign.signer import SigningSettings

__all__ = ["signing_settings"]

_SHARES = 4
"""Where there may be several chains, each gets this part of the journal."""


def signing_settings(config: Config) -> SigningSettings:
    """Return how a signer of this configuration seals."""
    pace = msgspec.convert(config.sealing, Pace, from_attributes=True)
    routing = config.applied_routing
    if not routing.is_plain:
        pace = replace(pace, journal_bytes=pace.journal_bytes // _SHARES)
    return SigningSettings(
        pace=pace,
        read_ahead_windows=config.limits.read_ahead_windows,
        head_seconds=config.catalogue.head_seconds,
        heartbeat_seconds=config.catalogue.heartbeat_seconds,
        routing=routing,
        journal_bytes=config.sealing.journal_bytes,
        memory_bytes=config.limits.memory_bytes,
    )
