"""Put templates, policies and roles into Elasticsearch, and leave what is right.

It may run any number of times, and against a server that lacks a part: what the
server has no API for is left out and said so. Nothing is ever deleted.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import msgspec

from beats_signer.errors import RefusedError, StoreError
from beats_signer.store.elasticsearch.client import Answer, Client
from beats_signer.store.elasticsearch.config import ElasticsearchConfig, Lifecycle
from beats_signer.store.elasticsearch.lifecycle import STANDARD_DAYS, build_policy
from beats_signer.store.elasticsearch.resource import Resource, holds
from beats_signer.store.elasticsearch.roles import build_roles
from beats_signer.store.elasticsearch.templates import TargetPattern, build_templates

__all__ = ["Change", "Offer", "Setup", "Step", "build_resources"]

_POLICY_PATH: Final = "/_ilm/policy/beats-signer-never"
_ROLE_PATH: Final = "/_security/role/beats-signer-signer"
_EVENT_TEMPLATES: Final = "beats-signer-events-*"
_NO_SUCH_API: Final = (400, 405, 410)
"""No handler; not with this method; not in a serverless project."""
_FAILURE_STORE_SINCE: Final = ((8, 19), (9, 1))
"""First minor version, of each major, that knows the privilege to read them."""


class Change(StrEnum):
    """What was done about a resource, or would be."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    LEFT_OUT = "left out"
    UNUSED = "unused"


@dataclass(frozen=True, slots=True)
class Step:
    """One line of what setup says."""

    change: Change
    kind: str
    name: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Offer:
    """What a server offers. The default is what a full one does."""

    has_policies: bool = True
    has_roles: bool = True
    has_failure_store: bool = True


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
    ) -> None:
        self._client = client
        self._config = config
        self._targets = targets

    async def run(self, *, dry_run: bool) -> AsyncIterator[Step]:
        """Put what is missing or different; with *dry_run* only say so.

        Raises:
            RefusedError: The server refuses a step; the steps before it stay.
            StoreError: It does not answer. Run it again.
        """
        offer = await self._ask_offer()
        if self._config.lifecycle == "ilm" and not offer.has_policies:
            yield Step(
                Change.LEFT_OUT,
                "lifecycle policies",
                "beats-signer-*",
                "this server has no ILM: events stay until somebody deletes them",
            )
        if not offer.has_roles:
            yield Step(
                Change.LEFT_OUT,
                "roles",
                "beats-signer-*",
                "security is off: everybody may do everything",
            )
        resources = build_resources(self._config, self._targets, offer)
        for resource in resources:
            change = await self._compare(resource)
            if change is not Change.UNCHANGED and not dry_run:
                await self._put(resource)
            yield Step(change, resource.kind, resource.name)
        for name in await self._unused({resource.name for resource in resources}):
            yield Step(
                Change.UNUSED,
                "index template",
                name,
                "no rule needs it any more: delete it, unless others do",
            )

    async def _ask_offer(self) -> Offer:
        answer = await self._client.request("GET", "/")
        _check(answer, "GET /")
        version = msgspec.json.decode(answer.data)["version"]["number"]
        major, minor = map(int, version.split(".")[:2])
        since = dict(_FAILURE_STORE_SINCE)
        return Offer(
            has_policies=await self._has("GET", _POLICY_PATH),
            has_roles=await self._has("GET", _ROLE_PATH),
            has_failure_store=major > max(since)
            or minor >= since.get(major, minor + 1),
        )

    async def _has(self, method: str, path: str) -> bool:
        """Tell whether the server has an API at all, whatever it says of the name.

        Only a word about the API itself says that it does not: a server that has
        no time now still has it.
        """
        answer = await self._client.request(method, path)
        if answer.status in _NO_SUCH_API:
            return False
        if answer.status != 404:
            _check(answer, f"{method} {path}")
        return True

    async def _compare(self, resource: Resource) -> Change:
        answer = await self._client.request("GET", resource.path)
        if answer.status == 404:
            return Change.CREATED
        _check(answer, f"GET {resource.path}")
        there = _unwrapped(msgspec.json.decode(answer.data), resource)
        return Change.UNCHANGED if holds(there, resource.body) else Change.UPDATED

    async def _put(self, resource: Resource) -> None:
        data = msgspec.json.encode(resource.body)
        answer = await self._client.request("PUT", resource.path, data=data)
        _check(answer, f"PUT {resource.path}")

    async def _unused(self, names: set[str]) -> list[str]:
        path = f"/_index_template/{_EVENT_TEMPLATES}"
        answer = await self._client.request("GET", path)
        if answer.status == 404:
            return []
        _check(answer, f"GET {path}")
        found = msgspec.json.decode(answer.data)["index_templates"]
        return sorted({one["name"] for one in found} - names)


def _unwrapped(answer: Any, resource: Resource) -> Any:  # noqa: ANN401
    """Return a resource as it was put, out of the answer that holds it."""
    if resource.kind == "component template":
        return answer["component_templates"][0]["component_template"]
    if resource.kind == "index template":
        return answer["index_templates"][0]["index_template"]
    return answer.get(resource.name)


def _check(answer: Answer, asked: str) -> None:
    if answer.status in (200, 201):
        return
    if answer.status == 429 or answer.status >= 500:
        raise StoreError(
            f"{asked} was answered with {answer.status}: {_reason(answer.data)}",
            hint="The server is not ready, or too busy. Run setup again later.",
        )
    is_right = answer.status in (401, 403)
    raise RefusedError(
        f"{asked} was answered with {answer.status}: {_reason(answer.data)}",
        hint="Setup needs the cluster privileges monitor, manage_index_templates, "
        "manage_ilm and manage_security: name such a user with --user."
        if is_right
        else "With --print you get all requests, to send them by hand.",
    )


def _reason(data: bytes) -> str:
    try:
        error = msgspec.json.decode(data)["error"]
        return str(error if isinstance(error, str) else error["reason"])
    except (msgspec.DecodeError, KeyError, TypeError):
        return data[:200].decode(errors="replace") or "nothing more"
