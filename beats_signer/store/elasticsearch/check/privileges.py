"""Ask what the signer's key may do, and judge the answer; all pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from beats_signer.store.elasticsearch.check.soundness import Mark, Verdict
from beats_signer.store.elasticsearch.prepare.roles import (
    SIGNER_CLUSTER,
    signer_indices,
)

__all__ = ["build_question", "judge_privileges"]

_TOO_MUCH: Final = ("delete", "delete_index", "manage")


def build_question(patterns: Sequence[str]) -> dict[str, Any]:
    """Return the body that asks for all that is needed, and for what is too much."""
    return {
        "cluster": list(SIGNER_CLUSTER),
        "index": [
            {"names": [name], "privileges": [*privileges, *_TOO_MUCH]}
            for name, privileges in _needed(patterns).items()
        ],
    }


def judge_privileges(
    told: Mapping[str, Any], patterns: Sequence[str]
) -> Iterator[Verdict]:
    """Judge the answer to ``build_question``."""
    missing = [f"{one} (cluster)" for one, has in told["cluster"].items() if not has]
    for name, privileges in _needed(patterns).items():
        rights = told["index"].get(name, {})
        missing += [f"{one} on {name}" for one in privileges if not rights.get(one)]
    user = str(told.get("username", "user"))
    if missing:
        yield Verdict(
            Mark.BROKEN,
            "privileges",
            user,
            f"lacks {', '.join(missing)}",
            "Give it the role beats-signer-signer, which setup makes.",
        )
    else:
        yield Verdict(Mark.OK, "privileges", user, "has all that a signer needs")
    excess = {
        privilege
        for rights in told["index"].values()
        for privilege in _TOO_MUCH
        if rights.get(privilege)
    }
    if excess:
        yield Verdict(
            Mark.NOTICE,
            "privileges",
            user,
            f"may also {', '.join(sorted(excess))}: whoever takes this key over can "
            "remove what is stored",
            "Give it the role beats-signer-signer and no other.",
        )


def _needed(patterns: Sequence[str]) -> dict[str, list[str]]:
    """Return the privileges by name; a name is asked about once."""
    needed: dict[str, list[str]] = {}
    for access in signer_indices(patterns):
        for name in access["names"]:
            known = needed.setdefault(name, [])
            known += [one for one in access["privileges"] if one not in known]
    return needed
