"""Declare the settings of routing: which chain, and which place, an event gets."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from beats_signer.sign.naming import (
    PLACES,
    RoutingNameError,
    Template,
    check_part,
    check_pipeline,
    check_target,
)
from beats_signer.sign.routing import (
    DEFAULT_TARGET,
    Condition,
    Routing,
    Rule,
    SenderTenant,
)

__all__ = [
    "ConditionsConfig",
    "PartName",
    "RoutingConfig",
    "RuleConfig",
    "TenantConfig",
]

_PART = "[a-z0-9][a-z0-9._-]{0,63}"
PartName = Annotated[
    str,
    Meta(
        pattern=rf"\A{_PART}\Z",
        description="a name of a-z, 0-9, dot, underscore and hyphen, at most 64, "
        "first a letter or digit",
    ),
]
Patterns = Annotated[
    tuple[str, ...],
    Meta(description="a list of texts, in which * stands for anything"),
]
RetentionDays = Annotated[int, Meta(ge=1, le=36_500)]
_SAMPLE = "a"
"""Stands for a placeholder where the text around it is checked."""


class TenantConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """Which senders belong to a tenant."""

    senders: Annotated[
        Patterns, Meta(min_length=1, description="a list of at least one pattern")
    ]
    """Names of senders, from their certificates; * stands for anything."""

    tenant: PartName
    """The tenant of their events; Elastic calls it namespace."""


class ConditionsConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """When a rule applies: all of these hold. What is not named holds."""

    senders: Patterns = ()
    """Names of senders, one of which matches."""

    tenants: Patterns = ()
    """Tenants that senders belong to, one of which matches."""

    fields: Annotated[
        dict[str, Patterns],
        Meta(description="a mapping of fields of events to lists of texts"),
    ] = {}
    """Fields of an event, each with texts one of which matches. ["*"]: it is there."""


class RuleConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """One rule.

    Placeholders in braces are fields of the event; where one has no value, the
    rule does not apply. {sender}, {tenant} and {stream} work as well.
    """

    when: ConditionsConfig = ConditionsConfig()

    tenant: Template | None = None
    """Tenant of the chain; null: the sender's."""

    stream: Template | None = None
    """Stream of the chain; null: routing.stream."""

    target: Template | None = None
    """Data stream or index; null: routing.target."""

    targets: Patterns = ()
    """What the target has to match. Needed when it begins with a placeholder."""

    pipeline: Template | None = None
    """Ingest pipeline; null, or a placeholder without value: the target's own.
    What a sender asks for counts only here, as {@metadata.pipeline}."""

    retention_days: RetentionDays | Literal["never"] | None = None
    """Days after which events of the chain may be gone; null: as without rules. A
    chain has one retention: that of the first rule that can lead to it."""

    def __post_init__(self) -> None:
        _check_name(self.tenant, "tenant", frozenset({"tenant", "sender"}))
        _check_name(self.stream, "stream", frozenset({"tenant", "sender"}))
        _check_name(self.target, "target", PLACES)
        _check_name(self.pipeline, "pipeline", PLACES)
        if self.target and not next(self.target.literals()) and not self.targets:
            raise ValueError(
                f"the target {str(self.target)!r} begins with a placeholder: a "
                "sender could name any index\n"
                "Say with targets which ones it may name, such as [filebeat-*]."
            )

    @property
    def names_tenant(self) -> bool:
        """Tell whether it is for some tenants only."""
        return self.tenant is not None or bool(self.when.tenants)

    def for_signer(self, retention_days: int | None) -> Rule:
        """Return the rule as the signer applies it."""
        return Rule(
            senders=self.when.senders,
            tenants=self.when.tenants,
            conditions=tuple(Condition(*item) for item in self.when.fields.items()),
            tenant=self.tenant,
            stream=self.stream,
            target=self.target,
            pipeline=self.pipeline,
            targets=self.targets,
            retention_days=_days(self.retention_days, retention_days),
        )


class RoutingConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """Which chain an event goes to, and which place in Elasticsearch."""

    tenant: PartName = "default"
    """Tenant of senders that tenants does not name; Elastic calls it namespace."""

    stream: PartName = "generic"
    """Stream of events that no rule takes; Elastic calls it dataset."""

    target: Template = DEFAULT_TARGET
    """Data stream or index of a chain's events, from {tenant} and {stream}."""

    max_chains: Annotated[int, Meta(ge=1, le=100_000)] = 1000
    """Most chains, and most different targets. What would need one more goes to
    the default stream."""

    tenants: tuple[TenantConfig, ...] = ()
    """Tenants by sender; the first that matches counts."""

    rules: tuple[RuleConfig, ...] = ()
    """Rules; the first that applies counts."""

    def __post_init__(self) -> None:
        _check_name(self.target, "target", frozenset({"tenant", "stream"}))
        if self.target.fields or "sender" in self.target.placeholders:
            raise ValueError(
                f"the target {str(self.target)!r} needs more than tenant and stream\n"
                "Use other placeholders in a rule."
            )
        retention: dict[tuple[str | None, str | None], object] = {}
        for rule in self.rules:
            is_shared = rule.stream in (None, self.stream) and not rule.names_tenant
            if is_shared and rule.retention_days is not None:
                raise ValueError(
                    f"a rule with retention_days leads to the stream {self.stream!r}, "
                    "as do events that no rule takes\n"
                    "A chain has one retention: give the rule a stream of its own."
                )
            route = rule.tenant, rule.stream
            if retention.setdefault(route, rule.retention_days) != rule.retention_days:
                raise ValueError(
                    f"two rules for the stream {str(rule.stream or self.stream)!r} "
                    "have different retention_days\n"
                    "A chain has one retention: give both rules the same."
                )

    def for_signer(
        self, retention_days: int | None, senders_tenants: tuple[str, ...] = ()
    ) -> Routing:
        """Return all rules as the signer applies them."""
        return Routing(
            tenant=self.tenant,
            stream=self.stream,
            target=self.target,
            retention_days=retention_days,
            max_chains=self.max_chains,
            tenants=tuple(
                SenderTenant(one.senders, one.tenant) for one in self.tenants
            ),
            rules=tuple(rule.for_signer(retention_days) for rule in self.rules),
            senders_tenants=senders_tenants,
        )


def _days(own: int | Literal["never"] | None, default: int | None) -> int | None:
    if own == "never":
        return None
    return default if own is None else own


_CHECKS = {
    "tenant": lambda name: check_part(name, "tenant"),
    "stream": lambda name: check_part(name, "stream"),
    "target": check_target,
    "pipeline": check_pipeline,
}


def _check_name(template: Template | None, noun: str, places: frozenset[str]) -> None:
    """Refuse a template whose own text can never be part of such a name."""
    if template is None:
        return
    unknown = PLACES.intersection(template.placeholders) - places
    if unknown:
        raise ValueError(
            f"the {noun} cannot be made from {{{min(unknown)}}}\n"
            f"Use fields of the event, or {', '.join(sorted(places))}."
        )
    sample = template.render(dict.fromkeys(template.placeholders, _SAMPLE))
    assert sample is not None, "every placeholder has a value"
    try:
        _CHECKS[noun](sample)
    except RoutingNameError as error:
        raise ValueError(
            f"{error}\nCapital letters, spaces and most signs are not possible there."
        ) from error
