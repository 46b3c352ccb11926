"""Compare what a server has with what it should have, before anything is put."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any, Final

from beats_signer.store.elasticsearch.client import Client
from beats_signer.store.elasticsearch.prepare.administering import ask
from beats_signer.store.elasticsearch.prepare.resource import Resource, holds, is_owned

__all__ = ["Change", "Planned", "Step", "find_rivals", "in_order", "plan"]

_TEMPLATE: Final = "index template"


class Change(StrEnum):
    """What was done about a resource, or would be."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    LEFT_OUT = "left out"
    UNUSED = "unused"
    FOREIGN = "not ours"
    OUTRANKED = "outranked"


@dataclass(frozen=True, slots=True)
class Step:
    """One line of what setup says."""

    change: Change
    kind: str
    name: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Planned:
    """One resource, and what has to be done about it."""

    resource: Resource
    change: Change
    priority: int | None = None
    """Priority that the template has on the server."""

    @property
    def step(self) -> Step:
        """Return the line that says so."""
        why = ""
        if self.change is Change.FOREIGN:
            why = "it was not made by setup"
        elif self.change is Change.UPDATED and "template" in self.resource.kind:
            why = "it holds for what is made from now on, such as by a rollover"
        return Step(self.change, self.resource.kind, self.resource.name, why)


async def plan(client: Client, resources: Sequence[Resource]) -> list[Planned]:
    """Return what to do about each resource, in the same order."""
    return [await _planned(client, resource) for resource in resources]


async def _planned(client: Client, resource: Resource) -> Planned:
    answer = await ask(client, "GET", resource.path)
    there = None if answer is None else _unwrapped(answer, resource)
    if there is None:
        return Planned(resource, Change.CREATED)
    priority = there.get("priority")
    if holds(there, resource.body):
        return Planned(resource, Change.UNCHANGED, priority)
    change = Change.UPDATED if is_owned(there) else Change.FOREIGN
    return Planned(resource, change, priority)


def _unwrapped(answer: Any, resource: Resource) -> Any:  # noqa: ANN401
    """Return a resource as it was put, out of the answer that holds it."""
    if resource.kind == "component template":
        return answer["component_templates"][0]["component_template"]
    if resource.kind == _TEMPLATE:
        return answer["index_templates"][0]["index_template"]
    return answer.get(resource.name)


def in_order(planned: Sequence[Planned]) -> list[Planned]:
    """Return what has to be put, so that no two priorities meet on the way.

    The server refuses two templates of one priority that share names, if only for
    a moment: one that sinks goes first, one that rises after those above it.
    """
    put = [
        one for one in planned if one.change not in (Change.UNCHANGED, Change.FOREIGN)
    ]

    def rank(one: Planned) -> tuple[int, int]:
        wanted = int(one.resource.body.get("priority", 0))
        if one.priority is None:
            return 2, 0
        return (1, -wanted) if wanted > one.priority else (0, wanted)

    templates = sorted((one for one in put if one.resource.kind == _TEMPLATE), key=rank)
    rest = iter(templates)
    return [next(rest) if one.resource.kind == _TEMPLATE else one for one in put]


def find_rivals(
    resources: Sequence[Resource], templates: Sequence[Mapping[str, Any]]
) -> Iterator[Step]:
    """Yield each template of ours that another one outranks.

    Args:
        resources: All that setup puts.
        templates: ``index_templates`` of the answer to ``GET /_index_template``.
    """
    own = {one.name: one.body for one in resources if one.kind == _TEMPLATE}
    for name, body in own.items():
        sample = body["index_patterns"][0].replace("*", "x")
        for other in templates:
            there = other["index_template"]
            if other["name"] in own or there.get("priority", 0) < body["priority"]:
                continue
            if any(fnmatchcase(sample, one) for one in there["index_patterns"]):
                yield Step(
                    Change.OUTRANKED,
                    _TEMPLATE,
                    name,
                    f"{other['name']} has the priority {there.get('priority', 0)}: "
                    "set elasticsearch.template_priority above it, or add the "
                    "component beats-signer-event there",
                )
