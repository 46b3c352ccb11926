"""Judge the settings of an index against what is promised; all pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

__all__ = ["Mark", "Verdict", "judge_settings"]

_BLOCKS: Final = ("write", "read_only", "read_only_allow_delete", "metadata")


class Mark(StrEnum):
    """How a check ended."""

    OK = "ok"
    NOTICE = "notice"
    """No promise is broken; an operator may want to know."""
    BROKEN = "broken"
    """A promise would be broken: it stops the start, unless it is accepted."""
    ACCEPTED = "accepted"
    """The same, and the settings accept it."""
    UNKNOWN = "unknown"
    """The server does not tell us."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One line of what the checks say."""

    mark: Mark
    check: str
    """Name of the check, as ``elasticsearch.accept`` takes it."""
    subject: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        """Return the line without the hint."""
        return f"{self.mark:<8} {self.check}: {self.subject}: {self.message}"


def judge_settings(name: str, settings: Mapping[str, Any]) -> Iterator[Verdict]:
    """Judge flat settings, in which defaults stand too: a verdict for each check."""

    def found(key: str) -> str:
        return str(settings.get(f"index.{key}", "")).lower()

    yield _durability(name, found("translog.durability") or "request")
    mode = found("mode") or "standard"
    yield _index_mode(name, mode)
    yield _ids(name, mode, found("logsdb.route_on_sort_fields") == "true")
    yield _replicas(
        name, found("number_of_replicas"), found("auto_expand_replicas") or "false"
    )
    blocked = [block for block in _BLOCKS if found(f"blocks.{block}") == "true"]
    if blocked:
        yield Verdict(
            Mark.NOTICE,
            "blocks",
            name,
            f"blocked by {', '.join(blocked)}: nothing is acknowledged until it is not",
        )
    pipelines = [found(f"{kind}_pipeline") for kind in ("default", "final")]
    running = [one for one in pipelines if one not in ("", "_none")]
    what = f"{', '.join(running)} may change what is shown" if running else "none"
    yield Verdict(Mark.OK, "pipelines", name, what)
    yield Verdict(
        Mark.OK,
        "malformed",
        name,
        "ignored: a field that does not fit is shown, and no search finds it"
        if found("mapping.ignore_malformed") == "true"
        else "not ignored: an event with a field that does not fit is stored bare",
    )


def _durability(name: str, durability: str) -> Verdict:
    if durability == "request":
        return Verdict(Mark.OK, "durability", name, "request")
    return Verdict(
        Mark.BROKEN,
        "durability",
        name,
        f"{durability}: what was acknowledged may be lost in a crash",
        "Set index.translog.durability to request.",
    )


def _index_mode(name: str, mode: str) -> Verdict:
    if mode != "time_series":
        return Verdict(Mark.OK, "index-mode", name, mode)
    return Verdict(
        Mark.BROKEN,
        "index-mode",
        name,
        "time_series merges events that look alike",
        "Send events to a data stream of another mode.",
    )


def _ids(name: str, mode: str, is_routed: bool) -> Verdict:
    if mode != "time_series" and not is_routed:
        return Verdict(Mark.OK, "ids", name, "takes the _id that we give")
    return Verdict(
        Mark.BROKEN,
        "ids",
        name,
        "takes no _id that we give: an event may be stored twice",
        "Set index.logsdb.route_on_sort_fields to false."
        if is_routed
        else "Send events to a data stream of another mode.",
    )


def _replicas(name: str, replicas: str, expanded: str) -> Verdict:
    if replicas != "0" or expanded != "false":
        return Verdict(Mark.OK, "replicas", name, replicas or "as the server has it")
    return Verdict(
        Mark.NOTICE,
        "replicas",
        name,
        "0: what was acknowledged is lost with the disk of one node",
        "Set index.number_of_replicas to 1 or more.",
    )
