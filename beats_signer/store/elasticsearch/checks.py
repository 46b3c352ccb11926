"""Look at a server before events are entrusted to it: one verdict per line.

What would break a promise stops the start, unless ``elasticsearch.accept`` names
the check. What the server does not tell us is said to be unknown and stops
nothing: the rights to see it are more than a signer should have.
"""

import re
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace
from typing import Any, Final, get_args
from urllib.parse import quote

import msgspec

from beats_signer.errors import ConfigError, RefusedError
from beats_signer.store.elasticsearch.client import Answer, Client
from beats_signer.store.elasticsearch.config import Accepted, ElasticsearchConfig
from beats_signer.store.elasticsearch.places import CATALOGUE_INDEX, SEALS_INDEX
from beats_signer.store.elasticsearch.privileges import (
    build_question,
    judge_privileges,
)
from beats_signer.store.elasticsearch.soundness import (
    Mark,
    Verdict,
    judge_mapping,
    judge_settings,
)

__all__ = ["Checks", "refuse_if_broken"]

_LEAST_MINOR: Final = {8: 19, 9: 0}
_GENERATION: Final = re.compile(r"-\d{4}\.\d\d\.\d\d-\d{6,}$")
_SETTINGS: Final = {"flat_settings": "true", "include_defaults": "true"}
_SETUP: Final = "Run `beats-signer setup`."


class Checks:
    """All checks of one server, for one configuration."""

    def __init__(
        self, client: Client, config: ElasticsearchConfig, patterns: Sequence[str]
    ) -> None:
        """Take the patterns of all names that events may go to."""
        self._client = client
        self._accepted = frozenset(config.accept)
        self._patterns = tuple(dict.fromkeys(patterns))

    async def run(self) -> AsyncIterator[Verdict]:
        """Yield the verdicts, those about the whole server first.

        Raises:
            StoreError: The server does not answer; ask again later.
        """
        try:
            answer = await self._client.request("GET", "/")
        except RefusedError as error:
            yield Verdict(Mark.BROKEN, "product", "server", str(error), error.hint)
            return
        verdict = _judge_version(answer)
        yield self._weighed(verdict)
        if answer.status != 200:
            return
        async for verdict in self._check_privileges():
            yield self._weighed(verdict)
        yield await self._check_creation()
        for pattern in (SEALS_INDEX, CATALOGUE_INDEX, *self._patterns):
            async for verdict in self._check_place(pattern):
                yield self._weighed(verdict)

    def _weighed(self, verdict: Verdict) -> Verdict:
        if verdict.mark is Mark.BROKEN and verdict.check in self._accepted:
            return replace(verdict, mark=Mark.ACCEPTED)
        return verdict

    async def _check_privileges(self) -> AsyncIterator[Verdict]:
        question = msgspec.json.encode(build_question(self._patterns))
        answer = await self._client.request(
            "POST", "/_security/user/_has_privileges", data=question
        )
        if answer.status == 200:
            told = msgspec.json.decode(answer.data)
            for verdict in judge_privileges(told, self._patterns):
                yield verdict
            return
        is_off = b"no handler" in answer.data
        yield Verdict(
            Mark.NOTICE if is_off else Mark.UNKNOWN,
            "privileges",
            "server",
            "security is off: everybody may change and delete what is stored"
            if is_off
            else f"the server answered with {answer.status}",
        )

    async def _check_creation(self) -> Verdict:
        answer = await self._client.request(
            "GET",
            "/_cluster/settings",
            parameters={"include_defaults": "true", "flat_settings": "true"},
        )
        if answer.status != 200:
            return Verdict(
                Mark.UNKNOWN, "creation", "server", "its settings are not shown to us"
            )
        told = msgspec.json.decode(answer.data)
        value = "true"
        for part in ("defaults", "persistent", "transient"):
            value = str(told.get(part, {}).get("action.auto_create_index", value))
        if value.lower() == "true":
            return Verdict(Mark.OK, "creation", "server", "places are made when needed")
        return Verdict(
            Mark.NOTICE,
            "creation",
            "server",
            f"action.auto_create_index is {value}: only templates of setup allow it",
            _SETUP,
        )

    async def _check_place(self, pattern: str) -> AsyncIterator[Verdict]:
        is_own = pattern == SEALS_INDEX
        path = quote(pattern, safe="*")
        settings = await self._client.request(
            "GET", f"/{path}/_settings", parameters=_SETTINGS
        )
        mappings = await self._client.request("GET", f"/{path}/_mapping")
        if 404 in (settings.status, mappings.status):
            found = {}
        elif settings.status != 200 or mappings.status != 200:
            yield Verdict(
                Mark.UNKNOWN, "places", pattern, "its settings are not shown to us"
            )
            return
        else:
            found = _newest(msgspec.json.decode(settings.data))
        told = msgspec.json.decode(mappings.data)
        for name, own in found.items():
            flat = {**own.get("defaults", {}), **own["settings"]}
            for verdict in judge_settings(name, flat):
                yield verdict
            mapping = told.get(name, {}).get("mappings", {})
            for verdict in judge_mapping(name, mapping, flat, is_own=is_own):
                yield verdict
        if not found:
            async for verdict in self._check_template(pattern, is_own):
                yield verdict

    async def _check_template(
        self, pattern: str, is_own: bool
    ) -> AsyncIterator[Verdict]:
        """Judge what would be made, where nothing is yet."""
        name = quote(pattern.replace("*", "x"))
        answer = await self._client.request(
            "POST", f"/_index_template/_simulate_index/{name}"
        )
        if answer.status != 200:
            yield Verdict(
                Mark.UNKNOWN,
                "templates",
                pattern,
                "is not there yet, and templates are not shown to us",
                "See with `beats-signer setup --dry-run` that they are there.",
            )
            return
        template = msgspec.json.decode(answer.data).get("template")
        if not template:
            yield Verdict(
                Mark.BROKEN if is_own else Mark.NOTICE,
                "templates",
                pattern,
                "is not there yet, and no template says how to make it",
                _SETUP,
            )
            return
        flat = dict(_flat(template.get("settings", {})))
        for verdict in judge_settings(pattern, flat):
            yield verdict
        mapping = template.get("mappings", {})
        for verdict in judge_mapping(pattern, mapping, flat, is_own=is_own):
            yield verdict


def refuse_if_broken(verdicts: Sequence[Verdict]) -> None:
    """Refuse to start when a promise would be broken.

    Raises:
        ConfigError: It names the first reason, and how to overrule it.
    """
    broken = [verdict for verdict in verdicts if verdict.mark is Mark.BROKEN]
    if not broken:
        return
    first = broken[0]
    more = f" (and {len(broken) - 1} more)" if len(broken) > 1 else ""
    names = sorted({one.check for one in broken if one.check in get_args(Accepted)})
    accept = f" To go on all the same: accept: [{', '.join(names)}]." if names else ""
    raise ConfigError(
        f"Elasticsearch would break a promise: {first.check}: {first.subject}: "
        f"{first.message}{more}",
        hint=f"{first.hint} `beats-signer test output` shows all checks.{accept}",
    )


def _judge_version(answer: Answer) -> Verdict:
    if answer.status == 401:
        return Verdict(
            Mark.BROKEN,
            "credentials",
            "server",
            "it does not know this key or password",
            "Make a new key for a user of the role beats-signer-signer.",
        )
    if b"media_type_header_exception" in answer.data:
        return Verdict(
            Mark.BROKEN,
            "client",
            "server",
            "it is older than the installed Elasticsearch client",
            "Install the client of version 8: pip install 'elasticsearch>=8.19,<9'.",
        )
    if answer.status != 200:
        return Verdict(
            Mark.UNKNOWN,
            "version",
            "server",
            f"it answers {answer.status} to the question",
            "See that elasticsearch.hosts names the servers themselves.",
        )
    version = str(msgspec.json.decode(answer.data)["version"]["number"])
    major, minor = map(int, version.split(".")[:2])
    if major not in _LEAST_MINOR:
        return Verdict(
            Mark.BROKEN,
            "version",
            "server",
            f"Elasticsearch {version} is not 8 or 9",
            "Use a server of version 8.19 or newer.",
        )
    if minor < _LEAST_MINOR[major]:
        return Verdict(
            Mark.NOTICE,
            "version",
            "server",
            f"Elasticsearch {version} is older than 8.19, the oldest that is tested",
        )
    return Verdict(Mark.OK, "version", "server", f"Elasticsearch {version}")


def _newest(found: dict[str, Any]) -> dict[str, Any]:
    """Return the plain indices, and of each data stream the newest index."""
    newest: dict[str, str] = {}
    for name in sorted(found):
        stream = _GENERATION.sub("", name) if name.startswith(".ds-") else name
        newest[stream] = name
    return {name: found[name] for name in newest.values()}


def _flat(tree: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
