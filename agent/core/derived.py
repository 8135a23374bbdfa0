"""Look-up tables over the rule set and what fires: rebuilt at any time, stored never."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from agent.core.causes.experience import Experience
from agent.core.conditions import Condition, Scope, compile_condition
from agent.core.correlation.clusters import Groups
from agent.core.correlation.neighbourhoods import Neighbourhoods, neighbourhoods_of
from agent.core.correlation.reach import Reach
from agent.core.matching import Predicate, compile_all
from agent.core.order import order_of
from agent.core.place import Places
from agent.core.policy.quick import Demand, demands_of
from agent.core.policy.rests import Rests
from agent.core.reported import Reported
from agent.core.timetable import Timetable
from agent.model.calendar import Calendar
from agent.model.labels import Labels
from agent.model.policy import PolicyRule
from agent.model.rule import Config, Heartbeat, InhibitRule, RemediationRule, Route, Ticketing
from agent.model.service import Entity, EntityKind, EntityRef, ServiceMap
from agent.model.silence import Silence

BUSINESS_PROCESS = "business-process"
"""The `type` of a component that stands for what the business does, not for software."""
HOPS_MAX = 8
"""Nothing is told to depend on what is further away."""


@dataclass(frozen=True, slots=True)
class Inhibition:
    """An inhibit rule, compiled, with the firing sources by their equal labels."""

    rule: InhibitRule
    is_source: Predicate
    is_target: Predicate
    sources: dict[tuple[str, ...], dict[str, None]]
    two_sided: dict[tuple[str, ...], dict[str, None]]
    """Sources that are targets as well: they never inhibit each other, nor themselves."""
    targets: dict[tuple[str, ...], dict[str, None]]
    """Firing targets by their equal labels, muted or not."""

    def inhibits(self, labels: Labels) -> bool:
        """Whether the rule mutes an alert with these labels now."""
        if not self.is_target(labels):
            return False
        key = self.key(labels)
        if self.sources.get(key):
            return True
        return bool(self.two_sided.get(key)) and not self.is_source(labels)

    def sources_like(self, labels: Labels) -> dict[tuple[str, ...], dict[str, None]]:
        """Where a source with these labels is kept."""
        return self.two_sided if self.is_target(labels) else self.sources

    def key(self, labels: Labels) -> tuple[str, ...]:
        """The values that source and target must share."""
        return tuple([labels.get(name, "") for name in self.rule.equal])


class Derived:
    """The tables of one rule set."""

    def __init__(self, config: Config, apart: Mapping[str, None]) -> None:
        self.config = config
        self.places = Places(config.service_map)
        self.reported = Reported(config.service_map)
        self.order = order_of(config.service_map)
        self.inhibitions = tuple(
            Inhibition(rule, compile_all(rule.source), compile_all(rule.target), {}, {}, {})
            for rule in config.inhibit_rules
        )
        self.heartbeats: tuple[tuple[Heartbeat, Predicate], ...] = tuple(
            (heartbeat, compile_all(heartbeat.matchers)) for heartbeat in config.heartbeats
        )
        rules = config.policy.rules if config.policy else ()
        self.policy: tuple[tuple[PolicyRule, Condition, tuple[Demand, ...]], ...] = tuple(
            (rule, compile_condition(rule.when, Scope.POLICY), demands_of(rule.when))
            for rule in rules
        )
        self.templates: dict[str, Condition] = {
            template.name: compile_condition(template.when, Scope.POLICY)
            for template in (config.policy.standard if config.policy else ())
            if template.when is not None
        }
        self.rests = Rests(config.service_map)
        self.routes: tuple[tuple[Route, Condition | None], ...] = tuple(
            (route, compile_condition(route.when, Scope.ROUTE) if route.when else None)
            for route in config.routes
        )
        self.ticketing: tuple[tuple[Ticketing, Condition | None], ...] = tuple(
            (rule, compile_condition(rule.when, Scope.ROUTE) if rule.when else None)
            for rule in config.ticketing
        )
        self.rules = RuleIndex(config.remediation_rules)
        self.silences: dict[str, Predicate] = {}
        self.reach = Reach(config.service_map, config.correlation.hops)
        self._apart = apart
        self._neighbourhoods: Neighbourhoods | None = None
        self._groups: Groups | None = None
        self.business_order = _business_order(config.service_map)
        self._scopes: dict[tuple[EntityRef, ...], dict[EntityRef, None]] = {}
        self._timetable: tuple[Mapping[str, Calendar], Timetable] | None = None
        self.experience: dict[str, Experience] = {}
        """By group: what its lessons teach, worked out when it is first asked for."""
        self.likeness: dict[tuple[str, ...], dict[str, None]] = {}
        """What alerts without an entity say of where, to the live incidents of which it is true."""

    def silenced_by(self, silence: Silence) -> Predicate:
        """The compiled matchers of a silence."""
        predicate = self.silences.get(silence.id)
        if predicate is None:
            self.silences[silence.id] = predicate = compile_all(silence.matchers)
        return predicate

    def concerns(self, scope: tuple[EntityRef, ...], entity: EntityRef | None) -> bool:
        """Whether an entity is in a calendar's scope: named, or something named rests on it."""
        if not scope:
            return True
        if entity is None:
            return False
        within = self._scopes.get(scope)
        if within is None:
            service_map = self.config.service_map
            within = dict.fromkeys(scope)
            for ref in scope:
                within.update(dict.fromkeys(lower for lower, _ in service_map.below(ref, HOPS_MAX)))
            self._scopes[scope] = within
        return entity in within

    def timetable(self, calendars: Mapping[str, Calendar]) -> Timetable:
        """The look-up tables of these calendars: rebuilt only where they are others."""
        if self._timetable is None or self._timetable[0] is not calendars:
            self._timetable = calendars, Timetable(calendars, self.concerns)
        return self._timetable[1]

    def alert_started(self, fingerprint: str, labels: Labels) -> list[str]:
        """Remember it as a source and a target of inhibition where a rule says so.

        Answers with the firing targets of which it is the first source.
        """
        hit: list[str] = []
        for inhibition in self.inhibitions:
            key = inhibition.key(labels)
            if inhibition.is_source(labels):
                sources = inhibition.sources_like(labels)
                if key not in sources:
                    sources[key] = {}
                    hit += inhibition.targets.get(key, ())
                sources[key][fingerprint] = None
            if inhibition.is_target(labels):
                inhibition.targets.setdefault(key, {})[fingerprint] = None
        return hit

    def is_source(self, labels: Labels) -> bool:
        """Whether an alert with these labels may inhibit others."""
        return any(inhibition.is_source(labels) for inhibition in self.inhibitions)

    def alert_ended(self, fingerprint: str, labels: Labels) -> bool:
        """Forget it as a source; whether it was one."""
        was_source = False
        for inhibition in self.inhibitions:
            key = inhibition.key(labels)
            targets = inhibition.targets.get(key)
            if targets is not None and targets.pop(fingerprint, "none") is None and not targets:
                del inhibition.targets[key]
            if inhibition.is_source(labels):
                sources = inhibition.sources_like(labels)
                sources[key].pop(fingerprint)
                if not sources[key]:
                    del sources[key]
                was_source = True
        return was_source

    @property
    def neighbourhoods(self) -> Neighbourhoods:
        """Worked out when first asked for: a large map takes a moment, and may never alert."""
        if self._neighbourhoods is None:
            self._neighbourhoods = neighbourhoods_of(self.config.service_map)
        return self._neighbourhoods

    @property
    def groups(self) -> Groups:
        """The groups that the neighbourhoods form at present."""
        if self._groups is None:
            self._groups = Groups(self.neighbourhoods, self._apart)
        return self._groups

    def reach_changed(
        self, incident: str, entities: Iterable[EntityRef], cause: EntityRef | None
    ) -> None:
        """Say anew which entities may join an incident: those near its probable cause."""
        self.reach.changed(incident, entities, cause)

    def likeness_added(self, likeness: tuple[str, ...], incident: str) -> None:
        """Alerts without an entity that are like this may join the incident."""
        self.likeness.setdefault(likeness, {})[incident] = None

    def likeness_gone(self, likeness: tuple[str, ...], incident: str) -> None:
        """They may not any more."""
        incidents = self.likeness.get(likeness, {})
        incidents.pop(incident, None)
        if not incidents:
            self.likeness.pop(likeness, None)


def _business_order(service_map: ServiceMap) -> dict[EntityRef, int]:
    """The place of each entity when the business's own names come first."""
    ranks = {EntityKind.SYSTEM: 1, EntityKind.DOMAIN: 2, EntityKind.COMPONENT: 3}

    def key(item: tuple[EntityRef, Entity]) -> tuple[int, EntityRef]:
        ref, entity = item
        return 0 if entity.type == BUSINESS_PROCESS else ranks.get(entity.kind, 4), ref

    ordered = sorted(service_map.entities.items(), key=key)
    return {ref: place for place, (ref, _) in enumerate(ordered)}


class RuleIndex:
    """Remediation rules by the labels that they compare for equality."""

    def __init__(self, rules: Iterable[RemediationRule]) -> None:
        rules = tuple(rules)
        self._also = {
            rule.name: tuple(compile_condition(text, Scope.REMEDIATION) for text in rule.also)
            for rule in rules
        }
        self.with_others = tuple(
            (rule, self._also[rule.name]) for rule in rules if self._also[rule.name]
        )
        """Rules that need more than one alert, with the conditions for the other ones."""
        self._by_value: dict[str, dict[str, list[tuple[int, RemediationRule, Condition]]]] = {}
        self._rest: list[tuple[int, RemediationRule, Condition]] = []
        for number, rule in enumerate(rules):
            condition = compile_condition(rule.when, Scope.REMEDIATION)
            if condition.equalities:
                # The last comparison is usually the narrowest: every rule names an alertname.
                name, value = condition.equalities[-1]
                by_value = self._by_value.setdefault(name, {})
                by_value.setdefault(value, []).append((number, rule, condition))
            else:
                self._rest.append((number, rule, condition))

    def may_match(self, labels: Labels) -> list[tuple[RemediationRule, Condition]]:
        """The rules that these labels do not rule out, in the order they were written."""
        found = list(self._rest)
        for name, by_value in self._by_value.items():
            for candidate in by_value.get(labels.get(name, ""), ()):
                if candidate[2].may_hold(labels):
                    found.append(candidate)
        if len(found) > 1:
            found.sort(key=lambda item: item[0])
        return [(rule, condition) for _, rule, condition in found]

    def also(self, rule: RemediationRule) -> tuple[Condition, ...]:
        """What must also hold for other alerts before the rule acts."""
        return self._also[rule.name]
