"""Refuse to read around closed indices: what they hold would look missing."""

from typing import Final
from urllib.parse import quote

from msgspec import Raw

from beats_signer.errors import SourceError
from beats_signer.store.elasticsearch.document import RESERVED
from beats_signer.store.elasticsearch.read.questions import Asking

__all__ = ["refuse_closed"]

_CLOSED: Final = "index.verified_before_close"
"""A setting that every closed index has, and no other."""
_ALL: Final = {"expand_wildcards": "all", "ignore_unavailable": "true"}
_MOST: Final = 100
"""Closed indices that are looked at."""


def refuse_closed(asking: Asking, indices: str) -> None:
    """Return if no index of a pattern that may hold events is closed.

    One that has no mapping of the signed object holds none.

    Raises:
        SourceError: One is, and what it holds cannot be read.
    """
    path = f"/{quote(indices, safe=',*')}/_settings/{_CLOSED}"
    flat = _ALL | {"flat_settings": "true"}
    closed = sorted(asking.read("GET", path, None, flat, kind=dict[str, Raw]))
    for name in closed[:_MOST]:
        mapping = asking.read(
            "GET", f"/{quote(name)}/_mapping", None, _ALL, kind=dict[str, Raw]
        )
        if any(f'"{RESERVED}"'.encode() in bytes(one) for one in mapping.values()):
            raise SourceError(
                f"{asking.where}: the index {name} is closed, and may hold events",
                hint="Open it, or name the indices to read with --indices: then what "
                "it holds is missing.",
            )
