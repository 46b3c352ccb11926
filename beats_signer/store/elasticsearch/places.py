"""Name the places in Elasticsearch: where entries, seals and checkpoints go."""

from typing import Final

from beats_signer.chain.origin import Origin, is_catalogue
from beats_signer.chain.times import format_time

__all__ = [
    "CATALOGUE_INDEX",
    "CHECKPOINTS_INDEX",
    "SEALS_INDEX",
    "default_target",
    "seals_index",
]

SEALS_INDEX: Final = "beats-signer-seals-*"
"""All indices of seals, one per month."""
CATALOGUE_INDEX: Final = "beats-signer-catalogue"
"""The entries of catalogues."""
CHECKPOINTS_INDEX: Final = "beats-signer-checkpoints"
"""The newest checkpoint of each signer; its ``_id`` is the signer's name."""


def default_target(origin: str) -> str:
    """Return where the entries of a chain go when no rule says otherwise."""
    if is_catalogue(origin):
        return CATALOGUE_INDEX
    parsed = Origin.parse(origin)
    return f"logs-{parsed.stream}-{parsed.tenant}"


def seals_index(time: int) -> str:
    """Return the index of a seal of this time, in nanoseconds since 1970."""
    return SEALS_INDEX.replace("*", format_time(time)[:7].replace("-", "."))
