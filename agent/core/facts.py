"""What conditions may look at: the values of alerts, services and incidents.

A value that nobody gave is left out, never defaulted: a condition that needs it does not hold.
"""

from agent.core.conditions import Condition, ConditionFailure, Fact, Facts, Scope
from agent.core.state import ActiveAlert, State
from agent.model.alert import severity_of
from agent.model.change import ChangeType
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
        **service_facts(state, active.entity),
        **incident_facts(incident),
    }
    return Facts(Scope.REMEDIATION, values)


def of_incident(state: State, incident: Incident) -> Facts:
    """For routes and tickets: the incident and the entity of its probable cause."""
    return Facts(Scope.ROUTE, {**incident_facts(incident), **service_facts(state, incident.cause)})


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


def service_facts(state: State, ref: EntityRef | None) -> dict[str, Fact]:
    """What the map says of an entity."""
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


def incident_facts(incident: Incident) -> dict[str, Fact]:
    """What is known of an incident."""
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
