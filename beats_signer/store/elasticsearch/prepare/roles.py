"""Roles: what each user of the store may do, and nothing more.

| role     | may                                          | may not             |
|----------|----------------------------------------------|---------------------|
| signer   | create documents; read them, for conflicts   | change or delete    |
| verifier | read everything                              | write               |
| reader   | read events                                  | write; see seals    |
| repair   | read everything; write events again in place | touch seals; delete |

A stolen key of the signer can add to history and cannot rewrite it. Only the
checkpoint, of which the newest replaces the one before, may be overwritten.
"""

from collections.abc import Sequence
from typing import Any, Final

from beats_signer.store.elasticsearch.places import (
    CATALOGUE_INDEX,
    CHECKPOINTS_INDEX,
    SEALS_INDEX,
)
from beats_signer.store.elasticsearch.prepare.resource import Resource, owned

__all__ = ["REPAIR", "SIGNER_CLUSTER", "SIGNER_ROLE", "build_roles", "signer_indices"]

SIGNER_ROLE: Final = "beats-signer-signer"
"""The role of a running signer."""

SIGNER_CLUSTER: Final = ("monitor",)
"""What a signer may ask of the cluster as a whole: who it is, and its settings."""

_CREATE: Final = ("create_doc", "auto_configure", "view_index_metadata", "read")
_REPLACE: Final = ("index", "auto_configure", "view_index_metadata", "read")
_READ: Final = ("read", "view_index_metadata")
REPAIR: Final = _REPLACE
"""What ``recover`` does to the targets of events. An event that comes back may have
fields that no mapping knows yet: without ``auto_configure`` it would be refused."""
_REFRESH: Final = "maintenance"
"""At a start the newest seal is searched for: it has to be visible."""
_FAILURES: Final = "read_failure_store"
_OWN: Final = (SEALS_INDEX, CATALOGUE_INDEX, CHECKPOINTS_INDEX)

_Access = dict[str, list[str]]


def signer_indices(patterns: Sequence[str]) -> list[_Access]:
    """Return what a signer has to be allowed on which names."""
    return [
        _access([*patterns, CATALOGUE_INDEX], _CREATE),
        _access([SEALS_INDEX], (*_CREATE, _REFRESH)),
        _access([CHECKPOINTS_INDEX], _REPLACE),
    ]


def build_roles(patterns: Sequence[str], *, has_failure_store: bool) -> list[Resource]:
    """Return the four roles for events in targets of these patterns.

    A server that does not know the privilege to read failure stores refuses a
    role that names it.
    """
    failures = (_FAILURES,) if has_failure_store else ()
    return [
        _role("signer", signer_indices(patterns)),
        _role("verifier", [_access([*patterns, *_OWN], (*_READ, *failures))]),
        _role("reader", [_access(patterns, _READ)], cluster=()),
        _role(
            "repair",
            [_access(patterns, REPAIR), _access(_OWN, _READ)],
        ),
    ]


def _access(names: Sequence[str], privileges: Sequence[str]) -> _Access:
    return {"names": list(names), "privileges": list(privileges)}


def _role(
    name: str, indices: list[_Access], cluster: Sequence[str] = SIGNER_CLUSTER
) -> Resource:
    body: dict[str, Any] = {"cluster": list(cluster), "indices": indices}
    full = f"beats-signer-{name}"
    path = f"/_security/role/{full}"
    return Resource("role", full, path, {**body, "metadata": owned(body)})
