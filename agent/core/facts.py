"""What conditions may look at: the values of alerts, services, incidents and changes.

A value that nobody gave is left out, never defaulted: a condition that needs it does not hold.
"""

from datetime import datetime

from agent.core.conditions import Condition, ConditionFailure, Fact, Facts, Scope
from agent.core.state import ActiveAlert, State
from agent.model.alert import severity_of
from agent.model.change import Change, ChangeType
from agent.model.incident import Incident
from agent.model.service import EntityRef


def of_alert(state: State, active: ActiveAlert, incident: Incident) -> Facts:
    """For remediation rules: the alert, the entity where it fires, its incident."""
    alert = active.alert
    values: dict[str, Fact] = {
        "alert.name": alert.name,
        "alert.severity": severity_of(alert.labels).value,
        "alert.source": active.source,
        "alert.labels": alert.labels,
        "alert.annotations": alert.annotations,
        **_service(state, active.entity),
        **_incident(incident),
    }
    return Facts(Scope.REMEDIATION, values)


def of_change(state: State, change: Change, at: datetime) -> Facts:
    """For policy: the change, the entity it acts upon, the incident it is for."""
    incident = state.incidents.get(change.incident) if change.incident else None
    remediation = state.config.remediations.get(change.remediation)
    values: dict[str, Fact] = {
        "change.type": change.type.value,
        "change.remediation": change.remediation,
        "change.requested_by": change.requested_by,
        "change.is_automatic": change.requested_by.startswith("rule:"),
        "change.attempt": change.attempt,
        "change.hosts": len(change.hosts),
        "now": at,
        **_service(state, change.entity),
        **(_incident(incident) if incident else {}),
    }
    if remediation is not None:
        values["change.is_reversible"] = remediation.has_rollback
    return Facts(Scope.POLICY, values)


def of_incident(state: State, incident: Incident) -> Facts:
    """For routes and tickets: the incident and the entity of its probable cause."""
    return Facts(Scope.ROUTE, {**_incident(incident), **_service(state, incident.cause)})


def concerns(state: State, incident: Incident, condition: Condition | None) -> bool:
    """Whether a route or ticket rule is about an incident; none is about every one.

    Fails open: a message or ticket too many is better than an incident nobody heard of.
    """
    try:
        return condition is None or condition.holds(of_incident(state, incident))
    except ConditionFailure:
        return True


def change_type(state: State, remediation: str, override: ChangeType | None) -> ChangeType:
    """What a rule or person asked for, else what the remediation declares."""
    return override or ChangeType(state.config.remediations[remediation].change_model)


def _service(state: State, ref: EntityRef | None) -> dict[str, Fact]:
    entity = state.config.service_map.entities.get(ref) if ref else None
    if entity is None:
        return {}
    values: dict[str, Fact] = {
        "service.ref": entity.ref,
        "service.kind": entity.kind.value,
        "service.name": entity.name,
        "service.type": entity.type,
        "service.lifecycle": entity.lifecycle,
    }
    if entity.tier is not None:
        values["service.tier"] = entity.tier
    if entity.owner is not None:
        values["service.owner"] = entity.owner
    return values


def _incident(incident: Incident) -> dict[str, Fact]:
    values: dict[str, Fact] = {
        "incident.id": incident.id,
        "incident.priority": int(incident.priority),
        "incident.severity": incident.severity.value,
        "incident.alerts": incident.alerts,
        "incident.services": list(incident.services),
    }
    if incident.cause is not None:
        values["incident.cause"] = incident.cause
    if incident.owner is not None:
        values["incident.owner"] = incident.owner
    return values
