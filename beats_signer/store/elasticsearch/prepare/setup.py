"""Put templates, policies and roles into Elasticsearch, and leave what is right.

It may run any number of times, and against a server that lacks a part: what the
server has no API for is left out and said so. Nothing is ever deleted, and
nothing is replaced that somebody else has made.
"""

from collections.abc import AsyncIterator, Sequence
from typing import Final

import msgspec

from beats_signer.errors import RefusedError
from beats_signer.store.elasticsearch.client import Client
from beats_signer.store.elasticsearch.config import ElasticsearchConfig, Lifecycle
from beats_signer.store.elasticsearch.prepare.administering import ask
from beats_signer.store.elasticsearch.prepare.lifecycle import (
    STANDARD_DAYS,
    build_policy,
)
from beats_signer.store.elasticsearch.prepare.offer import Offer, ask_offer
from beats_signer.store.elasticsearch.prepare.plan import (
    Change,
    Planned,
    Step,
    find_rivals,
    in_order,
    plan,
)
from beats_signer.store.elasticsearch.prepare.resource import Resource
from beats_signer.store.elasticsearch.prepare.roles import build_roles
from beats_signer.store.elasticsearch.prepare.templates import (
    EVENT_TEMPLATES,
    TargetPattern,
    build_templates,
)

__all__ = ["Setup", "build_resources"]

_NO_POLICIES: Final = Step(
    Change.LEFT_OUT,
    "lifecycle policies",
    "beats-signer-*",
    "this server has no ILM: events stay until somebody deletes them; serverless "
    "takes elasticsearch.lifecycle: data_stream",
)
_NO_ROLES: Final = Step(
    Change.LEFT_OUT,
    "roles",
    "beats-signer-*",
    "security is off: everybody may do everything",
)


def build_resources(
    config: ElasticsearchConfig, targets: Sequence[TargetPattern], offer: Offer
) -> list[Resource]:
    """Return all that a server needs, in the order in which it can be put."""
    lifecycle: Lifecycle = config.lifecycle
    policies: list[Resource] = []
    if lifecycle == "ilm" and offer.has_policies:
        days = dict.fromkeys((*STANDARD_DAYS, *(one.retention_days for one in targets)))
        policies = [build_policy(one) for one in days]
    elif lifecycle == "ilm":
        lifecycle = "none"
    kept = msgspec.structs.replace(config, lifecycle=lifecycle)
    patterns = list(dict.fromkeys(target.pattern for target in targets))
    roles = (
        build_roles(patterns, has_failure_store=offer.has_failure_store)
        if offer.has_roles
        else []
    )
    return [*policies, *build_templates(kept, targets), *roles]


class Setup:
    """One run of setup against one server."""

    def __init__(
        self,
        client: Client,
        config: ElasticsearchConfig,
        targets: Sequence[TargetPattern],
        *,
        is_overwriting: bool = False,
    ) -> None:
        """Take the server, and whether to replace what others have made."""
        self._client = client
        self._config = config
        self._targets = targets
        self._is_overwriting = is_overwriting

    async def run(self, *, dry_run: bool) -> AsyncIterator[Step]:
        """Put what is missing or different; with *dry_run* only say so.

        Raises:
            RefusedError: Somebody else's resource has a name of ours, and nothing
                was put; or the server refuses a step, and those before it stay.
            StoreError: It does not answer. Run it again.
        """
        offer = await ask_offer(self._client)
        if self._config.lifecycle == "ilm" and not offer.has_policies:
            yield _NO_POLICIES
        if not offer.has_roles:
            yield _NO_ROLES
        resources = build_resources(self._config, self._targets, offer)
        planned = await plan(self._client, resources)
        foreign = [one for one in planned if one.change is Change.FOREIGN]
        if foreign and not self._is_overwriting:
            for one in foreign:
                yield one.step
            raise _in_the_way(foreign)
        for one in planned:
            if one.change is Change.UNCHANGED:
                yield one.step
        for one in [*foreign, *in_order(planned)]:
            if not dry_run:
                await self._put(one.resource)
            yield one.step
        async for step in self._look_around(resources):
            yield step

    async def _put(self, resource: Resource) -> None:
        data = msgspec.json.encode(resource.body)
        await ask(self._client, "PUT", resource.path, data=data)

    async def _look_around(self, resources: Sequence[Resource]) -> AsyncIterator[Step]:
        """Yield what others, or earlier runs, have that an operator should know."""
        told = await ask(self._client, "GET", "/_index_template")
        templates = told["index_templates"] if told else []
        for step in find_rivals(resources, templates):
            yield step
        names = {resource.name for resource in resources}
        for name in sorted(one["name"] for one in templates):
            if name.startswith(EVENT_TEMPLATES) and name not in names:
                yield Step(
                    Change.UNUSED,
                    "index template",
                    name,
                    "no rule needs it any more: delete it, unless others do",
                )


def _in_the_way(foreign: Sequence[Planned]) -> RefusedError:
    first = foreign[0].resource
    more = f" (and {len(foreign) - 1} more)" if len(foreign) > 1 else ""
    return RefusedError(
        f"the {first.kind} {first.name} is there, and was not made by setup{more}",
        hint="Nothing was changed. Rename or delete it, or replace it: --overwrite.",
    )
