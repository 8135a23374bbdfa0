"""Which remediation to propose: the rules, asked about the alerts that joined an incident.

Proposes only; whether it may run is `policy`'s answer, and its life is `act`'s.
"""

from collections.abc import Mapping
from enum import Enum, auto

from agent.core import facts
from agent.core.changes import throttle, together
from agent.core.changes.parameters import accept, describe
from agent.core.changes.propose import Wish, act_on
from agent.core.changes.targets import hosts_of
from agent.core.conditions import Condition, ConditionFailure, Facts
from agent.core.draft import Draft
from agent.core.state import ActiveAlert, State, Timer
from agent.model.incident import Incident, IncidentState
from agent.model.reason import Reason
from agent.model.remediation import ParameterValue, Remediation
from agent.model.rule import ParameterSource, RemediationRule, TargetOf


def decide(state: State, draft: Draft) -> None:
    """Ask the rules about alerts that joined or are heard again, and those of a new cause."""
    if not state.config.remediation_rules:
        return
    asked = dict(draft.freed)
    for fingerprints in draft.joined.values():
        asked.update(dict.fromkeys(fingerprints))
    for identifier in draft.cause_changed:
        incident = state.incidents[identifier]
        if incident.is_live:
            for name in state.members[identifier].firing:
                if state.alerts[name].entity == incident.cause:
                    asked[name] = None
    for name in asked:
        _ask(state, draft, name, Asked.NOW)
        _ask_those_that_waited_for(state, draft, name)


def ask_settled(state: State, draft: Draft, key: str) -> None:
    """The alert of a rule that lets causes show themselves has settled."""
    name, _, rule = key.partition(" ")
    _ask(state, draft, name, Asked.SETTLED, only=rule)


def retry(state: State, draft: Draft, key: str) -> None:
    """The cooldown after a failure is over: the same act goes on, so no throttle counts it."""
    name, _, rule = key.partition(" ")
    _ask(state, draft, name, Asked.PASSED, only=rule)


def end_window(state: State, draft: Draft, key: str) -> None:
    """The span of a throttle is over: act on what it gathered, if it still fires."""
    rule, waited = throttle.close(state, draft.at, key)
    for name in waited:
        _ask(state, draft, name, Asked.PASSED, only=rule)


class Asked(Enum):
    """How far a rule that is asked about an alert has come."""

    NOW = auto()
    SETTLED = auto()
    PASSED = auto()
    """Its throttle let it through."""


def _ask_those_that_waited_for(state: State, draft: Draft, name: str) -> None:
    newcomer = state.alerts.get(name)
    incident = state.incidents.get(newcomer.incident or "") if newcomer else None
    if newcomer is None or incident is None or newcomer.suppressed_by:
        return
    for rule, active in together.subjects(state, newcomer, incident):
        if not _has_acted(state, rule, active, incident):
            _ask(state, draft, active.alert.fingerprint, Asked.NOW, only=rule.name)


def _has_acted(
    state: State, rule: RemediationRule, active: ActiveAlert, incident: Incident
) -> bool:
    changes = (state.changes.get(identifier) for identifier in incident.changes)
    return any(
        change is not None
        and change.trigger == active.alert.fingerprint
        and change.requested_by == f"rule:{rule.name}"
        and change.requested_at >= active.heard_at
        for change in changes
    )


def _ask(state: State, draft: Draft, name: str, asked: Asked, *, only: str | None = None) -> None:
    active = state.alerts.get(name)
    incident = state.incidents.get(active.incident or "") if active else None
    if active is None or incident is None or active.suppressed_by:
        return
    if incident.state is not IncidentState.OPEN:
        return
    candidates = state.derived.rules.may_match(active.alert.labels)
    if not candidates:
        return
    known = facts.of_alert(state, active, incident)
    for rule, condition in candidates:
        if only is not None and rule.name != only:
            continue
        if not _holds(draft, incident, rule, condition, known):
            continue
        if not together.is_complete(state, rule, active, incident):
            continue
        if asked is Asked.NOW and rule.settle:
            key = f"{active.alert.fingerprint} {rule.name}"
            state.schedule(draft.at + rule.settle, Timer.DECIDE, key)
        elif rule.target is TargetOf.CAUSE and active.entity != incident.cause:
            # A symptom; the rule is asked again if its entity turns out to be the cause.
            continue
        elif asked is Asked.PASSED or _is_let_through(state, draft, rule, active, known):
            _propose(state, draft, rule, active, incident)


def _is_let_through(
    state: State, draft: Draft, rule: RemediationRule, active: ActiveAlert, known: Facts
) -> bool:
    if throttle.is_overdue(state, rule, draft.at):
        end_window(state, draft, rule.name)
    return throttle.passes(state, draft, rule, active, known)


def _holds(
    draft: Draft, incident: Incident, rule: RemediationRule, condition: Condition, known: Facts
) -> bool:
    try:
        return condition.holds(known)
    except ConditionFailure as failure:
        draft.note(incident.id, Reason.RULE_FAILED, f"rule {rule.name}: {failure}")
        return False


def _propose(
    state: State, draft: Draft, rule: RemediationRule, active: ActiveAlert, incident: Incident
) -> None:
    entity = active.entity
    remediation = state.config.remediations.get(rule.remediation)
    if remediation is None:
        draft.note(incident.id, Reason.REMEDIATION_GONE, f"rule {rule.name}: {rule.remediation}")
        return
    hosts = hosts_of(state.config.service_map, entity, remediation) if entity else ()
    if entity is None or not hosts:
        where = (
            f"{entity} has no host or group to act on"
            if entity
            else "the alert has no place on the map"
        )
        draft.note(incident.id, Reason.NO_TARGET, f"rule {rule.name} cannot act: {where}")
        return
    parameters = resolve_parameters(state, remediation, rule.parameters, active)
    if isinstance(parameters, str):
        draft.note(incident.id, Reason.PARAMETER_REFUSED, f"rule {rule.name}: {parameters}")
        return
    wish = Wish(
        rule=rule,
        remediation=remediation,
        entity=entity,
        hosts=hosts,
        parameters=parameters,
        active=active,
        incident=incident,
    )
    act_on(state, draft, wish)


def resolve_parameters(
    state: State,
    remediation: Remediation,
    sources: Mapping[str, ParameterSource],
    active: ActiveAlert,
) -> dict[str, ParameterValue] | str:
    """The declared parameters, filled from rule and alert; a sentence where one is wrong."""
    given: dict[str, ParameterValue] = {}
    for name, source in sources.items():
        if source.value is not None:
            given[name] = source.value
        elif source.label is not None and source.label in active.alert.labels:
            given[name] = active.alert.labels[source.label]
    return check_parameters(state, remediation, given)


def check_parameters(
    state: State, remediation: Remediation, given: Mapping[str, ParameterValue]
) -> dict[str, ParameterValue] | str:
    """The given values in their declared types; a sentence naming the first that is wrong."""
    declared = {parameter.name: parameter for parameter in remediation.parameters}
    for name in sorted(given):
        if name not in declared:
            return f"{remediation.name} has no parameter {name}"
    accepted: dict[str, ParameterValue] = {}
    for name, parameter in declared.items():
        if name not in given:
            if parameter.required:
                return f"parameter {name} is missing ({describe(parameter)})"
            continue
        value = accept(state, parameter, given[name])
        if value is None:
            return f"parameter {name} must be {describe(parameter)}"
        accepted[name] = value
    return accepted
