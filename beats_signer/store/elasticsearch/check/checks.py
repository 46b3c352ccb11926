"""Look at a server before events are entrusted to it: one verdict per line.

What would break a promise stops the start, unless ``elasticsearch.accept`` names
the check. What the server does not tell us is said to be unknown and stops
nothing: the rights to see it are more than a signer should have.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any, Final, get_args
from urllib.parse import quote

import msgspec

from beats_signer.errors import ConfigError, RefusedError, StoreError
from beats_signer.store.elasticsearch.check.clustering import (
    SETUP,
    apply_all,
    judge_creation,
)
from beats_signer.store.elasticsearch.check.event_size import (
    NODE_PATHS,
    judge_event_size,
    read_nodes,
)
from beats_signer.store.elasticsearch.check.place import (
    Place,
    judge_failure_store,
    newest,
)
from beats_signer.store.elasticsearch.check.privileges import (
    build_question,
    judge_privileges,
)
from beats_signer.store.elasticsearch.check.soundness import Mark, Verdict
from beats_signer.store.elasticsearch.check.version import judge_version
from beats_signer.store.elasticsearch.check.winning import find_winner, flat
from beats_signer.store.elasticsearch.client import Answer, Client
from beats_signer.store.elasticsearch.config import Accepted, ElasticsearchConfig
from beats_signer.store.elasticsearch.places import CATALOGUE_INDEX, SEALS_INDEX

__all__ = ["Checks", "refuse_if_broken"]

_BUSY: Final = (408, 429)
_SETTINGS: Final = {"flat_settings": "true", "include_defaults": "true"}
_OWN: Final = (SEALS_INDEX,)
Listed = list[dict[str, Any]]


class Checks:
    """All checks of one server, for one configuration."""

    def __init__(
        self,
        client: Client,
        config: ElasticsearchConfig,
        patterns: Sequence[str],
        *,
        event_bytes: int | None = None,
    ) -> None:
        """Take what may come.

        Args:
            client: It stays open.
            config: What is accepted.
            patterns: Of all names that events may go to.
            event_bytes: Payload of the largest event that a sender may send.
        """
        self._event_bytes = event_bytes
        self._client = client
        self._accepted = frozenset(config.accept)
        self._patterns = tuple(dict.fromkeys(patterns))
        self._templates: tuple[Listed, Listed] | None = None

    async def run(self) -> AsyncIterator[Verdict]:
        """Yield the verdicts, those about the whole server first.

        Raises:
            StoreError: The server does not answer; ask again later.
        """
        try:
            answer = await self._ask("GET", "/")
        except RefusedError as error:
            yield Verdict(Mark.BROKEN, "product", "server", str(error), error.hint)
            return
        yield self._weighed(judge_version(answer))
        if answer.status not in (200, 403):
            return
        async for verdict in self._check_privileges():
            yield self._weighed(verdict)
        async for verdict in self._check_cluster():
            yield self._weighed(verdict)
        self._templates = await self._ask_templates()
        for pattern in (*_OWN, CATALOGUE_INDEX, *self._patterns):
            async for verdict in self._check_place(pattern):
                yield self._weighed(verdict)

    async def _ask(self, method: str, path: str, **rest: Any) -> Answer:  # noqa: ANN401
        answer = await self._client.request(method, path, **rest)
        if answer.status in _BUSY or answer.status >= 500:
            raise StoreError(
                f"{method} {path} was answered with {answer.status}",
                hint="The server is not ready, or too busy. Ask it again later.",
            )
        return answer

    def _weighed(self, verdict: Verdict) -> Verdict:
        if verdict.mark is Mark.BROKEN and verdict.check in self._accepted:
            return replace(verdict, mark=Mark.ACCEPTED)
        return verdict

    async def _check_privileges(self) -> AsyncIterator[Verdict]:
        question = msgspec.json.encode(build_question(self._patterns))
        answer = await self._ask(
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

    async def _check_cluster(self) -> AsyncIterator[Verdict]:
        settings = await self._tell("/_cluster/settings", _SETTINGS)
        nodes = await self._tell("/_nodes/jvm", {"filter_path": NODE_PATHS})
        applied = None if settings is None else apply_all(settings)
        yield judge_creation(applied)
        if self._event_bytes is not None:
            told = [] if nodes is None else read_nodes(nodes)
            yield judge_event_size(applied or {}, told, self._event_bytes)

    async def _tell(self, path: str, parameters: dict[str, str]) -> Any:  # noqa: ANN401
        """Return an answer as values, ``None`` when it is not shown to us."""
        answer = await self._ask("GET", path, parameters=parameters)
        return msgspec.json.decode(answer.data) if answer.status == 200 else None

    async def _check_place(self, pattern: str) -> AsyncIterator[Verdict]:
        path = quote(pattern, safe="*")
        settings = await self._ask("GET", f"/{path}/_settings", parameters=_SETTINGS)
        mappings = await self._ask("GET", f"/{path}/_mapping")
        if 404 in (settings.status, mappings.status):
            found = {}
        elif settings.status != 200 or mappings.status != 200:
            yield Verdict(
                Mark.UNKNOWN, "places", pattern, "its settings are not shown to us"
            )
            return
        else:
            found = newest(msgspec.json.decode(settings.data))
        told = msgspec.json.decode(mappings.data)
        for name, own in found.items():
            place = Place(
                name,
                {**own.get("defaults", {}), **own["settings"]},
                told.get(name, {}).get("mappings", {}),
                is_stream=name.startswith(".ds-"),
            )
            for verdict in place.judge(is_own=pattern in _OWN):
                yield verdict
        if not found:
            for verdict in await self._check_template(pattern):
                yield verdict
        elif any(name.startswith(".ds-") for name in found):
            yield await self._check_failure_store(pattern, path)

    async def _check_template(self, pattern: str) -> list[Verdict]:
        """Judge what would be made, where nothing is yet."""
        if self._templates is None:
            return [
                Verdict(
                    Mark.UNKNOWN,
                    "templates",
                    pattern,
                    "is not there yet, and templates are not shown to us",
                    "See with `beats-signer setup --dry-run` that they are there.",
                )
            ]
        winner = find_winner(pattern.replace("*", "x"), *self._templates)
        if winner is None:
            mark = Mark.BROKEN if pattern in _OWN else Mark.NOTICE
            message = "is not there yet, and no template says how to make it"
            return [Verdict(mark, "templates", pattern, message, SETUP)]
        place = Place(
            pattern,
            dict(flat(winner.body.get("settings", {}))),
            winner.body.get("mappings", {}),
            is_stream=winner.is_stream,
        )
        made = f"is not there yet, and will be made from {winner.name}"
        verdicts = [Verdict(Mark.OK, "templates", pattern, made)]
        verdicts += place.judge(is_own=pattern in _OWN)
        if winner.is_stream:
            options = winner.body.get("data_stream_options") or {}
            verdicts.append(
                judge_failure_store(pattern, options.get("failure_store") or {})
            )
        return verdicts

    async def _check_failure_store(self, pattern: str, path: str) -> Verdict:
        answer = await self._ask("GET", f"/_data_stream/{path}")
        if answer.status != 200:
            return Verdict(
                Mark.UNKNOWN, "failure-store", pattern, "it is not shown to us"
            )
        streams = msgspec.json.decode(answer.data)["data_streams"]
        stores = [one.get("failure_store") or {} for one in streams]
        told = next((one for one in stores if one.get("enabled")), {})
        return judge_failure_store(pattern, told)

    async def _ask_templates(self) -> tuple[Listed, Listed] | None:
        """Return all templates and components, ``None`` when they are not shown."""
        found = []
        for noun in ("index_template", "component_template"):
            answer = await self._ask("GET", f"/_{noun}")
            if answer.status != 200:
                return None
            found.append(msgspec.json.decode(answer.data)[f"{noun}s"])
        return found[0], found[1]


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
    names = sorted({one.check for one in broken})
    is_acceptable = set(names) <= set(get_args(Accepted))
    setting = f"elasticsearch.accept: [{', '.join(names)}]"
    accept = f" To give the promise up: {setting}." if is_acceptable else ""
    raise ConfigError(
        f"this Elasticsearch cannot be the store: {first.check}: {first.subject}: "
        f"{first.message}{more}",
        hint=f"{first.hint} `beats-signer test output` shows all checks.{accept}",
    )
