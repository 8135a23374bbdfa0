"""Whether documents fit each other: what they name exists, and their times make sense together.

Not here: the shape of one document (`schema_rules`), or references on the map (`service_map`).
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain

import promql_parser

from agent.config.condition_findings import condition_findings, fact_findings
from agent.config.documents import Rules, Written
from agent.config.policy_findings import policy_findings, template_findings
from agent.config.references import did_you_mean, entity_ref
from agent.config.remediations import Registry
from agent.config.schema import Spec
from agent.config.schema_calendar import CalendarSpec
from agent.config.schema_rules import (
    CorrelationSpec,
    HeartbeatSpec,
    RecurrenceSpec,
    RemediationRuleSpec,
    RouteSpec,
    TargetsSpec,
    TicketingSpec,
    WatchSpec,
)
from agent.config.schema_settings import Settings
from agent.config.schema_signals import SignalsSpec
from agent.config.service_map import Mention, unknown_entity
from agent.config.signals import signal_findings
from agent.config.values import value_problem
from agent.core.conditions import Scope
from agent.errors import Finding
from agent.model.autonomy import MODES, Mode
from agent.model.remediation import Remediation
from agent.model.service import ServiceMap


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What documents may refer to."""

    settings: Settings
    service_map: ServiceMap
    registry: Registry


def relation_findings(rules: Rules, known: Known) -> Iterator[Finding]:
    """Every finding between documents, in no particular order."""
    settings = known.settings
    receivers = {receiver.name for receiver in settings.receivers}
    connectors = {connector.name for connector in settings.connectors}
    return chain(
        *(_remediation_rule(rule, known) for rule in rules.of(RemediationRuleSpec)),
        policy_findings(rules, settings.ansible.concurrency),
        template_findings(rules, known.registry, known.service_map),
        *(_calendar(calendar, known) for calendar in rules.of(CalendarSpec)),
        *(_route(route, receivers) for route in rules.of(RouteSpec)),
        *(_ticketing(ticketing, connectors) for ticketing in rules.of(TicketingSpec)),
        *(_watch(watch, settings) for watch in rules.of(WatchSpec)),
        *(signal_findings(signals) for signals in rules.of(SignalsSpec)),
        *(_targets(targets) for targets in rules.of(TargetsSpec)),
        _more_than_nothing(rules),
    )


def _remediation_rule(rule: Written[RemediationRuleSpec], known: Known) -> Iterator[Finding]:
    spec = rule.spec
    yield from _condition(rule, ("when",), spec.when, Scope.REMEDIATION)
    for number, text in enumerate(spec.also):
        yield from _condition(rule, ("also", number), text, Scope.REMEDIATION)
    for number, name in enumerate(spec.throttle.group_by if spec.throttle else ()):
        yield from fact_findings(rule.document, ("spec", "throttle", "groupBy", number), name)
    if not rule.author:
        yield rule.document.finding(
            ("metadata",),
            "metadata.author is missing: who wrote a rule may not approve what it asks for.",
        )
    if spec.promotion and MODES.index(Mode(spec.promotion.up_to)) < MODES.index(Mode(spec.mode)):
        said = f"promotion up to {spec.promotion.up_to} is less than the mode it begins in."
        yield rule.finding(("promotion",), said, f"Write `mode: {spec.promotion.up_to}`.")
    remediation = known.registry.remediations.get(spec.remediation)
    if remediation:
        yield from _parameters(rule, remediation, known.service_map)
    elif spec.remediation not in known.registry.names:
        yield _unknown(rule, "remediation", spec.remediation, known.registry.names)


def _parameters(
    rule: Written[RemediationRuleSpec], remediation: Remediation, service_map: ServiceMap
) -> Iterator[Finding]:
    declared = {parameter.name: parameter for parameter in remediation.parameters}
    for name, source in rule.spec.parameters.items():
        if name not in declared:
            said = f'{remediation.name} declares no parameter "{name}".'
            hint = did_you_mean(name, declared) or f"It declares: {', '.join(declared) or 'none'}."
            yield rule.document.key_finding(("spec", "parameters", name), said, hint)
        elif source.value is not None:
            problem = value_problem(declared[name], source.value, service_map)
            if problem:
                said = f'parameter "{name}" of {remediation.name}: {problem}.'
                yield rule.finding(("parameters", name, "value"), said)
    for name, parameter in declared.items():
        if parameter.required and name not in rule.spec.parameters:
            said = f'{remediation.name} needs the parameter "{name}".'
            hint = f"Add it: `parameters: {{{name}: {{label: ...}}}}`."
            yield rule.finding(("remediation",), said, hint)


def _calendar(calendar: Written[CalendarSpec], known: Known) -> Iterator[Finding]:
    for number, text in enumerate(calendar.spec.entities):
        try:
            ref = entity_ref(text)
        except ValueError as error:
            yield calendar.finding(("entities", number), f"{error}.")
            continue
        if ref not in known.service_map.entities:
            mention = Mention(ref, calendar.document, ("spec", "entities", number))
            yield unknown_entity(mention, known.service_map.entities)


def _route(route: Written[RouteSpec], receivers: Collection[str]) -> Iterator[Finding]:
    spec = route.spec
    if spec.when is not None:
        yield from _condition(route, ("when",), spec.when, Scope.ROUTE)
    if spec.receiver not in receivers:
        yield _unknown(route, "receiver", spec.receiver, receivers)
    if spec.group_wait >= spec.repeat_interval:
        said = "groupWait must be shorter than repeatInterval."
        yield route.finding(("groupWait",), said)
    if spec.group_interval > spec.repeat_interval:
        said = "groupInterval must not be longer than repeatInterval."
        yield route.finding(("groupInterval",), said)


def _ticketing(ticketing: Written[TicketingSpec], connectors: Collection[str]) -> Iterator[Finding]:
    if ticketing.spec.when is not None:
        yield from _condition(ticketing, ("when",), ticketing.spec.when, Scope.ROUTE)
    if ticketing.spec.connector not in connectors:
        yield _unknown(ticketing, "connector", ticketing.spec.connector, connectors)


def _watch(watch: Written[WatchSpec], settings: Settings) -> Iterator[Finding]:
    for key, query in (("query", watch.spec.query), ("clear", watch.spec.clear)):
        problem = None if query is None else query_problem(query)
        if problem:
            yield watch.finding((key,), f"{key} is no PromQL: {problem}.")
    if settings.prometheus is None:
        said = "a Watch asks Prometheus, and config.yaml names none."
        yield watch.finding((), said, "Add `prometheus: {url: ...}`.")


def query_problem(query: str) -> str | None:
    """Why the text is no PromQL, or None."""
    try:
        promql_parser.parse(query)
    except ValueError as error:
        return str(error)
    return None


def _targets(targets: Written[TargetsSpec]) -> Iterator[Finding]:
    for name, target in targets.spec.priorities.items():
        if target.response > target.restoration:
            said = f"{name}: response comes after restoration."
            yield targets.finding(("priorities", name, "response"), said)


def _more_than_nothing(rules: Rules) -> Iterator[Finding]:
    """Times that make no sense as nothing."""
    for heartbeat in rules.of(HeartbeatSpec):
        yield from _positive(heartbeat, {"within": heartbeat.spec.within})
    for watch in rules.of(WatchSpec):
        yield from _positive(watch, {"every": watch.spec.every})
    for correlation in rules.of(CorrelationSpec):
        times = {"window": correlation.spec.window, "quiet": correlation.spec.quiet}
        yield from _positive(correlation, times)
    for recurrence in rules.of(RecurrenceSpec):
        yield from _positive(recurrence, {"within": recurrence.spec.within})
    for route in rules.of(RouteSpec):
        yield from _positive(route, {"repeatInterval": route.spec.repeat_interval})


def _positive(
    written: Written[Spec],
    times: Mapping[str, timedelta],
) -> Iterator[Finding]:
    for key, length in times.items():
        if not length:
            yield written.finding((key,), f"{key} must be more than 0s.")


def _condition(
    written: Written[Spec],
    loc: tuple[str | int, ...],
    text: str,
    scope: Scope,
) -> Iterator[Finding]:
    return condition_findings(written.document, ("spec", *loc), text, scope)


def _unknown(
    written: Written[Spec],
    what: str,
    name: str,
    known: Collection[str],
) -> Finding:
    there_are = f"Defined: {', '.join(sorted(known))}." if known else f"No {what} is defined."
    hint = did_you_mean(name, known) or there_are
    return written.finding((what,), f'{what} "{name}" is not defined.', hint)
