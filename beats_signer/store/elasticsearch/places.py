"""Name the places in Elasticsearch: where entries, seals and checkpoints go."""

from base64 import urlsafe_b64encode
from typing import Final

from beats_signer.chain.origin import Origin, is_catalogue
from beats_signer.chain.times import format_time

__all__ = [
    "CATALOGUE_INDEX",
    "CHECKPOINTS_INDEX",
    "DEFAULT_TARGET",
    "ID_CHARACTERS",
    "SEALS_INDEX",
    "default_target",
    "id_of",
    "ids_of",
    "seal_id",
    "seals_index",
]

SEALS_INDEX: Final = "beats-signer-seals-*"
"""All indices of seals, one per month."""
CATALOGUE_INDEX: Final = "beats-signer-catalogue"
"""The entries of catalogues."""
CHECKPOINTS_INDEX: Final = "beats-signer-checkpoints"
"""The newest checkpoint of each signer; its ``_id`` is the signer's name."""
DEFAULT_TARGET: Final = "logs-{stream}-{tenant}"
"""Where the events of a chain go unless the settings say otherwise."""
ID_CHARACTERS: Final = 28
"""Length of the ``_id`` of an entry."""


def default_target(origin: str, target: str = DEFAULT_TARGET) -> str:
    """Return where the entries of a chain go when no rule says otherwise.

    ``target`` is the setting that names it, from {tenant} and {stream}.
    """
    if is_catalogue(origin):
        return CATALOGUE_INDEX
    parsed = Origin.parse(origin)
    return target.replace("{stream}", parsed.stream).replace("{tenant}", parsed.tenant)


def seals_index(time: int) -> str:
    """Return the index of a seal of this time, in nanoseconds since 1970."""
    return SEALS_INDEX.replace("*", format_time(time)[:7].replace("-", "."))


def ids_of(chain: bytes, first: int, leaves: bytes) -> bytes:
    """Return the ``_id`` of entries that follow each other, 28 characters each."""
    prefix = chain[:8]
    count = len(leaves) // 32
    joined = b"".join(
        [
            prefix + (first + n).to_bytes(6, "big") + leaves[n * 32 : n * 32 + 7]
            for n in range(count)
        ]
    )
    return urlsafe_b64encode(joined)


def id_of(chain: bytes, index: int, leaf: bytes) -> str:
    """Return the ``_id`` of one entry."""
    return ids_of(chain, index, leaf).decode()


def seal_id(chain: bytes, number: int) -> str:
    """Return the ``_id`` of a seal."""
    return f"{chain.hex()[:32]}-{number:012d}"
