"""Judge one place of events or seals as a whole; all pure."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from beats_signer.store.elasticsearch.check.mapping import judge_mapping
from beats_signer.store.elasticsearch.check.soundness import (
    Mark,
    Verdict,
    judge_settings,
)

__all__ = ["Place", "judge_failure_store", "newest"]

_GENERATION: Final = re.compile(r"-\d{4}\.\d\d\.\d\d-\d{6,}$")


@dataclass(frozen=True, slots=True)
class Place:
    """An index, or what a template would make."""

    name: str
    settings: Mapping[str, Any]
    """Flat; defaults may stand among them."""
    mapping: Mapping[str, Any]
    is_stream: bool
    """Whether it is behind a data stream."""

    def judge(self, *, is_own: bool) -> Iterator[Verdict]:
        """Yield a verdict for each check; ``is_own``: seals, and no events."""
        yield self._op_type(is_own)
        yield from judge_settings(self.name, self.settings)
        yield from judge_mapping(self.name, self.mapping, self.settings, is_own=is_own)

    def _op_type(self, is_own: bool) -> Verdict:
        if not self.is_stream:
            return Verdict(
                Mark.OK, "op-type", self.name, "a plain index; we only create"
            )
        if not is_own:
            return Verdict(
                Mark.OK, "op-type", self.name, "a data stream takes create, as we do"
            )
        return Verdict(
            Mark.BROKEN,
            "op-type",
            self.name,
            "is a data stream: a seal would not be found by its number",
            "Take the name out of the template that says so, delete the data stream, "
            "and run `beats-signer setup`.",
        )


def judge_failure_store(name: str, told: Mapping[str, Any]) -> Verdict:
    """Judge a data stream's failure store, from its options."""
    if str(told.get("enabled", False)).lower() != "true":
        return Verdict(Mark.OK, "failure-store", name, "off")
    return Verdict(
        Mark.NOTICE,
        "failure-store",
        name,
        "on: an event that does not fit is in it as well as stored bare",
    )


def newest(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return the plain indices, and of each data stream the newest index."""
    last: dict[str, str] = {}
    for name in sorted(found):
        stream = _GENERATION.sub("", name) if name.startswith(".ds-") else name
        last[stream] = name
    return {name: found[name] for name in last.values()}
