"""Part a window by the chains that its events belong to.

Where no rule looks into events there is no work per event: a sender has one
plan, and the plan is one decision. Otherwise an event costs the decoding of the
few fields that rules name, and one look into a table of earlier decisions.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from beats_signer.sign.fields import FieldReader, Value, Values
from beats_signer.sign.routing import Astray, Decision, Route, Routing, Rule
from beats_signer.sign.window import Window
from beats_signer.store.contract import Destination

__all__ = ["Part", "Router", "join_destinations"]

_PLANS = 10_000
"""Senders that are remembered. Without certificates they are addresses."""
_COMBINATIONS = 4
"""Decisions for each chain that there may be: chains times places have no bound."""
_REMEMBERED = 16_384
"""Decisions that are remembered for all senders together: values come from them."""
_REMEMBERED_CHARACTERS = 1024
"""Values that are longer together are looked up anew each time."""


@dataclass(frozen=True, slots=True)
class Part:
    """The events of a window that go to one chain, in their order."""

    route: Route
    window: Window


@dataclass(slots=True)
class _Plan:
    """What is known of one sender before any event of it is looked into."""

    tenant: str
    rules: tuple[Rule, ...]
    reader: FieldReader
    always: Decision | None = None
    """The decision for all its events, when none has to be looked into."""
    remembered: dict[Values, Decision] = field(default_factory=dict)


class Router:
    """Apply the rules to windows. The event loop alone uses it."""

    def __init__(self, routing: Routing) -> None:
        self.routing = routing
        self.astray: Counter[str] = Counter({reason.value: 0 for reason in Astray})
        """Events that went to a default stream, by the reason."""
        self.remembered = 0
        """Decisions in memory that depend on what events say."""
        self._plans: dict[tuple[str, str | None], _Plan] = {}
        self._routes: set[Route] = set()
        self._places: set[Destination] = set()
        self._decisions: dict[Decision, Decision] = {}

    def know(self, routes: Iterable[Route]) -> None:
        """Note chains that exist already: they count, and stay reachable."""
        self._routes.update(routes)

    def change(self, routing: Routing) -> None:
        """Go by other rules from the next window on; known chains stay known."""
        self.routing = routing
        self._plans.clear()
        self._decisions.clear()

    def part(self, window: Window) -> list[Part]:
        """Return the parts of a window, one for each chain it touches."""
        sender, tenant = window.source.sender, window.source.tenant
        plan = self._plans.get((sender, tenant))
        if plan is None:
            plan = self._remember(sender, tenant)
        if plan.always is not None:
            return [self._whole(window, plan.always)]
        decisions = self._decide(window, sender, plan)
        first = decisions[0]
        # Equal decisions are one object: see _admit.
        if all(decision is first for decision in decisions):
            return [self._whole(window, first)]
        return _split(window, self._counted(decisions))

    def _remember(self, sender: str, brought: str | None) -> _Plan:
        routing = self.routing
        tenant = brought or routing.tenant_of(sender)
        rules = []
        for rule in routing.rules:
            if rule.admits(sender, tenant):
                rules.append(rule)
                if not rule.conditions and not rule.fields:
                    break  # it takes everything
        names = dict.fromkeys(name for rule in rules for name in rule.fields)
        plan = _Plan(tenant, tuple(rules), FieldReader(tuple(names)))
        if not names:
            decision = routing.decide(plan.rules, sender, tenant, (), ())
            plan.always = self._admit(plan, decision)
        if len(self._plans) >= _PLANS:
            self._plans.clear()
            self.remembered = 0
        self._plans[sender, brought] = plan
        return plan

    def _decide(self, window: Window, sender: str, plan: _Plan) -> list[Decision]:
        read, remembered = plan.reader.read, plan.remembered
        decisions = []
        for form, payload in zip(window.forms, window.payloads, strict=True):
            values = read(form, payload)
            decision = remembered.get(values)
            if decision is None:
                decision = self._admit(
                    plan,
                    self.routing.decide(
                        plan.rules, sender, plan.tenant, plan.reader.names, values
                    ),
                )
                self._keep(plan, values, decision)
            decisions.append(decision)
        return decisions

    def _keep(self, plan: _Plan, values: Values, decision: Decision) -> None:
        """Remember what was decided, within bounds that no sender can exceed."""
        if sum(map(_length, values)) > _REMEMBERED_CHARACTERS:
            return
        if self.remembered >= _REMEMBERED:
            for one in self._plans.values():
                one.remembered.clear()
            self.remembered = 0
        plan.remembered[values] = decision
        self.remembered += 1

    def _admit(self, plan: _Plan, decision: Decision) -> Decision:
        """Return the decision, or the default when there are too many already."""
        if decision.astray is None and decision not in self._decisions:
            most = self.routing.max_chains
            place = decision.destination
            is_full = len(self._decisions) >= _COMBINATIONS * most
            if decision.route not in self._routes:
                is_full = is_full or len(self._routes) >= most
            if place is not None and place not in self._places:
                is_full = is_full or len(self._places) >= most
            if is_full:
                decision = self.routing.default(plan.tenant, Astray.TOO_MANY)
            else:
                self._routes.add(decision.route)
                if place is not None:
                    self._places.add(place)
        return self._decisions.setdefault(decision, decision)

    def _whole(self, window: Window, decision: Decision) -> Part:
        if decision.astray is not None:
            self.astray[decision.astray.value] += window.entries
        if decision.destination is not None:
            places = (decision.destination,) * window.entries
            window = replace(window, destinations=places)
        return Part(decision.route, window)

    def _counted(self, decisions: list[Decision]) -> list[Decision]:
        for decision in decisions:
            if decision.astray is not None:
                self.astray[decision.astray.value] += 1
        return decisions


def _length(value: Value) -> int:
    return sum(map(len, value)) + len(value) if value else 0


def _split(window: Window, decisions: list[Decision]) -> list[Part]:
    places: dict[Route, list[int]] = {}
    for at, decision in enumerate(decisions):
        places.setdefault(decision.route, []).append(at)
    parts = []
    for route, here in places.items():
        payloads = tuple(window.payloads[at] for at in here)
        destinations = tuple(decisions[at].destination for at in here)
        part = replace(
            window,
            forms=bytes(window.forms[at] for at in here),
            payloads=payloads,
            payload_bytes=sum(map(len, payloads)),
            destinations=destinations if any(destinations) else None,
        )
        parts.append(Part(route, part))
    return parts


def join_destinations(
    windows: Sequence[Window],
) -> Sequence[Destination | None] | None:
    """Return the destinations of windows that are sealed together, per event."""
    if all(window.destinations is None for window in windows):
        return None
    return [
        destination
        for window in windows
        for destination in window.destinations or (None,) * window.entries
    ]
