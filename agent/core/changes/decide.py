"""Which remediation to propose: the rules, asked about the alerts that joined an incident.

Proposes only; whether it may run is `policy`'s answer, and its life is `act`'s.
"""

from collections.abc import Mapping

from agent.core import facts
from agent.core.changes.life import request
from agent.core.changes.parameters import accept, describe
from agent.core.changes.targets import host_of
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
        active = state.alerts.get(name)
        if active is not None:
            _ask(state, draft, active, settled=None)


def ask_again(state: State, draft: Draft, key: str) -> None:
    """A rule asked to wait, or a cooldown is over: ask that rule about that alert again."""
    name, _, rule = key.partition(" ")
    active = state.alerts.get(name)
    if active is not None:
        _ask(state, draft, active, settled=rule)


def _ask(state: State, draft: Draft, active: ActiveAlert, *, settled: str | None) -> None:
    incident = state.incidents.get(active.incident) if active.incident else None
    if incident is None or incident.state is not IncidentState.OPEN or active.suppressed_by:
        return
    candidates = state.derived.rules.may_match(active.alert.labels)
    if not candidates:
        return
    known = facts.of_alert(state, active, incident)
    for rule, condition in candidates:
        if settled is not None and rule.name != settled:
            continue
        if not _holds(draft, incident, rule, condition, known):
            continue
        if settled is None and rule.settle:
            key = f"{active.alert.fingerprint} {rule.name}"
            state.schedule(draft.at + rule.settle, Timer.DECIDE, key)
        else:
            _propose(state, draft, rule, active, incident)


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
    if rule.target is TargetOf.CAUSE and entity != incident.cause:
        # This alert is a symptom; the rule is asked again if its entity turns out to be the cause.
        return
    remediation = state.config.remediations.get(rule.remediation)
    if remediation is None:
        draft.note(incident.id, Reason.REMEDIATION_GONE, f"rule {rule.name}: {rule.remediation}")
        return
    host = host_of(state.config.service_map, entity) if entity else None
    if entity is None or host is None:
        where = f"{entity} has no host" if entity else "the alert has no place on the map"
        draft.note(incident.id, Reason.NO_TARGET, f"rule {rule.name} cannot act: {where}")
        return
    parameters = resolve_parameters(state, remediation, rule.parameters, active)
    if isinstance(parameters, str):
        draft.note(incident.id, Reason.PARAMETER_REFUSED, f"rule {rule.name}: {parameters}")
        return
    request(
        state,
        draft,
        remediation=remediation,
        entity=entity,
        hosts=(host,),
        parameters=parameters,
        type=facts.change_type(state, remediation.name, rule.change),
        requested_by=f"rule:{rule.name}",
        rule_author=rule.author,
        incident=incident,
        trigger=active.alert.fingerprint,
        note=f"rule {rule.name} matches {active.alert.name}",
    )


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
