"""How an incident begins: named after its first alert, judged and explained by later stages."""

from datetime import datetime

from agent.core.draft import Draft
from agent.core.state import ActiveAlert, Members, State
from agent.model.alert import severity_of
from agent.model.incident import Incident, IncidentState, Level, Priority
from agent.model.reason import Reason


def open_incident(
    state: State,
    draft: Draft,
    active: ActiveAlert,
    at: datetime,
    *,
    likeness: tuple[str, ...] = (),
    summary: str | None = None,
) -> str:
    """Open an incident that speaks of this alert; the alert itself is not in it yet.

    `at` is when it began to show. With a `summary` it is of many things, and reaches nothing.
    """
    state.incident_count += 1
    identifier = f"INC-{state.incident_count}"
    alert = active.alert
    is_summary = summary is not None
    summary = summary or alert.annotations.get("summary") or alert.name or "An alert without a name"
    members = Members(
        first_alert_at=at,
        last_alert_at=at,
        unplaced=(likeness,) if likeness else (),
        is_summary=is_summary,
    )
    state.members[identifier] = members
    if likeness:
        state.derived.likeness_added(likeness, identifier)
    if is_summary:
        state.derived.reach.never(identifier)
    elif active.entity is not None:
        state.derived.reach_changed(identifier, (active.entity,), None)
    incident = Incident(
        id=identifier,
        state=IncidentState.OPEN,
        title=summary,
        summary=summary,
        opened_at=draft.at,
        started_at=min(alert.starts_at, draft.at),
        severity=severity_of(alert.labels),
        impact=Level.MEDIUM,
        urgency=Level.LOW,
        priority=Priority.P4,
        alerts=0,
        firing=0,
    )
    draft.set_incident(state, incident)
    draft.note(identifier, Reason.INCIDENT_OPENED, summary, alerts=(alert.fingerprint,))
    return identifier
