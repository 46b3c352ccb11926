"""The rules that say where an event belongs; the first that applies wins.

A rule applies when its conditions hold, and every placeholder of its tenant,
stream and target has a value. Its result is a chain (tenant and stream), a
retention, and a place in Elasticsearch (target and pipeline). What no rule
takes, and what would get a name that cannot be one, goes to the default stream
of the sender's tenant and is counted: nothing is ever unsigned.
"""

import re
from dataclasses import dataclass, field
from enum import StrEnum

from beats_signer.sign.fields import Values
from beats_signer.sign.naming import (
    RoutingNameError,
    Template,
    check_part,
    check_pipeline,
    check_target,
    is_like,
)
from beats_signer.store.contract import Destination

__all__ = [
    "DEFAULT_TARGET",
    "Astray",
    "Condition",
    "Decision",
    "Route",
    "Routing",
    "Rule",
    "SenderTenant",
]

DEFAULT_TARGET = Template("logs-{stream}-{tenant}")
"""Where a store puts the events of a chain unless told otherwise."""

Route = tuple[str, str]
"""Tenant and stream: the name of a chain, without signer and founding."""


class Astray(StrEnum):
    """Why an event went to the default stream."""

    NO_MATCH = "no_match"
    INVALID_NAME = "invalid_name"
    TOO_MANY = "too_many"


@dataclass(frozen=True, slots=True)
class Decision:
    """Where an event belongs."""

    route: Route
    destination: Destination | None
    """``None``: the store's default for the chain."""
    astray: Astray | None = None


@dataclass(frozen=True, slots=True)
class Condition:
    """A field of an event, and the patterns one of which it has to match."""

    field: str
    patterns: tuple[str, ...]

    def holds(self, values: dict[str, str | tuple[str, ...] | None]) -> bool:
        """Tell whether the field, or one item of it, matches."""
        value = values.get(self.field)
        if value is None:
            return False
        texts = value if isinstance(value, tuple) else (value,)
        return any(is_like(text, self.patterns) for text in texts)


@dataclass(frozen=True, slots=True)
class SenderTenant:
    """Which senders belong to a tenant."""

    senders: tuple[str, ...]
    tenant: str


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. Empty conditions hold for every event."""

    senders: tuple[str, ...] = ()
    """Patterns of sender names."""
    tenants: tuple[str, ...] = ()
    """Patterns of the tenants that senders belong to."""
    conditions: tuple[Condition, ...] = ()
    tenant: Template | None = None
    """``None``: the sender's."""
    stream: Template | None = None
    """``None``: the default one."""
    target: Template | None = None
    pipeline: Template | None = None
    targets: tuple[str, ...] = ()
    """Patterns that the target has to match; none: any name."""
    retention_days: int | None = None

    @property
    def fields(self) -> tuple[str, ...]:
        """Return the fields of events that it looks into, each once."""
        named = [condition.field for condition in self.conditions]
        for template in (self.tenant, self.stream, self.target, self.pipeline):
            named += template.fields if template else ()
        return tuple(dict.fromkeys(named))

    @property
    def lets_sender_choose(self) -> bool:
        """Tell whether fields of the event are part of its target or pipeline."""
        templates = (self.tenant, self.stream, self.target, self.pipeline)
        return any(template.fields for template in templates if template)

    def admits(self, sender: str, tenant: str) -> bool:
        """Tell whether it can apply to events of this sender."""
        is_sender = not self.senders or is_like(sender, self.senders)
        return is_sender and (not self.tenants or is_like(tenant, self.tenants))


@dataclass(frozen=True, slots=True)
class Routing:
    """All rules of a signer, and what holds without them."""

    tenant: str = "default"
    stream: str = "generic"
    target: Template = DEFAULT_TARGET
    retention_days: int | None = None
    max_chains: int = 1000
    tenants: tuple[SenderTenant, ...] = ()
    rules: tuple[Rule, ...] = field(default=())
    senders_tenants: tuple[str, ...] = ()
    """Patterns of the tenants that senders may bring along."""

    @property
    def is_plain(self) -> bool:
        """Tell whether every event goes to one chain, at its default place."""
        knows_more = self.rules or self.tenants or self.senders_tenants
        return not knows_more and self.target == DEFAULT_TARGET

    def tenant_of(self, sender: str) -> str:
        """Return the tenant that a sender belongs to that brings none along."""
        for one in self.tenants:
            if is_like(sender, one.senders):
                return one.tenant
        return self.tenant

    def default(self, tenant: str, astray: Astray | None = None) -> Decision:
        """Return where events of a tenant go that no rule takes."""
        return Decision(
            (tenant, self.stream),
            self._destination(None, tenant, self.stream, {}),
            astray,
        )

    def decide(
        self,
        rules: tuple[Rule, ...],
        sender: str,
        tenant: str,
        names: tuple[str, ...],
        values: Values,
    ) -> Decision:
        """Return where an event goes, by those *rules* that admit its sender.

        *values* are those of the event's fields *names*.
        """
        found = dict(zip(names, values, strict=True))
        texts = {name: v for name, v in found.items() if isinstance(v, str)}
        texts["sender"] = sender
        for rule in rules:
            if all(condition.holds(found) for condition in rule.conditions):
                try:
                    decision = self._apply(rule, tenant, dict(texts))
                except RoutingNameError:
                    return self.default(tenant, Astray.INVALID_NAME)
                if decision is not None:
                    return decision
        return self.default(tenant, Astray.NO_MATCH if self.rules else None)

    def retention_of(self, route: Route) -> int | None:
        """Return the retention of a chain, by the first rule that can lead to it.

        A chain has one retention, whatever rule its events came by.
        """
        tenant, stream = route
        for rule in self.rules:
            tenants = (rule.tenant.pattern({}),) if rule.tenant else rule.tenants
            streams = (rule.stream.pattern({}) if rule.stream else self.stream,)
            if is_like(tenant, tenants or ("*",)) and is_like(stream, streams):
                return rule.retention_days
        return self.retention_days

    def targets(self) -> list[tuple[str, int | None]]:
        """Return the patterns of all targets, each with the retention of its rule."""
        named = (one.tenant for one in self.tenants)
        tenants = dict.fromkeys([self.tenant, *named, *self.senders_tenants])
        found = []
        for rule in (*self.rules, Rule(retention_days=self.retention_days)):
            for own in tenants:
                tenant = rule.tenant.pattern({"tenant": own}) if rule.tenant else own
                known = {"tenant": tenant}
                stream = rule.stream.pattern(known) if rule.stream else self.stream
                known["stream"] = stream
                pattern = (rule.target or self.target).pattern(known)
                names = rule.targets or (_shortened(pattern),)
                if rule.lets_sender_choose:  # what its place refuses is moved
                    names = (*names, _shortened(self.target.pattern(known)))
                found += [(name, rule.retention_days) for name in names]
        return list(dict.fromkeys(found))

    def _apply(self, rule: Rule, tenant: str, texts: dict[str, str]) -> Decision | None:
        """Return what a rule says, or ``None`` when a placeholder has no value."""
        texts["tenant"] = tenant
        tenant_name = rule.tenant.render(texts) if rule.tenant else tenant
        stream_name = rule.stream.render(texts) if rule.stream else self.stream
        if tenant_name is None or stream_name is None:
            return None
        check_part(tenant_name, "tenant")
        check_part(stream_name, "stream")
        template = rule.target or self.target
        texts |= {"tenant": tenant_name, "stream": stream_name}
        if not all(texts.get(name) for name in template.placeholders):
            return None
        return Decision(
            (tenant_name, stream_name),
            self._destination(rule, tenant_name, stream_name, texts),
        )

    def _destination(
        self, rule: Rule | None, tenant: str, stream: str, texts: dict[str, str]
    ) -> Destination | None:
        values = texts | {"tenant": tenant, "stream": stream}
        template = (rule.target if rule else None) or self.target
        pipeline = rule.pipeline.render(values) if rule and rule.pipeline else None
        if template == self.target == DEFAULT_TARGET and pipeline is None:
            return None
        target = template.render(values)
        assert target is not None, "all its placeholders have values"
        check_target(target)
        if rule and rule.targets and not is_like(target, rule.targets):
            raise RoutingNameError(f"target {target[:64]!r} is not among the allowed")
        if pipeline is not None:
            check_pipeline(pipeline)
        chosen = rule is not None and rule.lets_sender_choose
        return Destination(target, pipeline, is_chosen_by_sender=chosen)


def _shortened(pattern: str) -> str:
    """Return the pattern with one * where several stand in a row."""
    return re.sub(r"\*+", "*", pattern)
