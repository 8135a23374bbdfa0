"""What belongs together: alerts join the incident whose probable cause may explain them.

Does not name the cause; `cause` does. Membership is judged against the incident's cause and its
reach on the map, so no chain of neighbours grows without end.
"""

from datetime import datetime, timedelta

from agent.core.draft import Draft
from agent.core.impact import spread
from agent.core.state import (
    ActiveAlert,
    Explained,
    Members,
    State,
)
from agent.model.alert import severity_of
from agent.model.incident import Incident, IncidentState, Level, Priority
from agent.model.labels import Labels
from agent.model.reason import Reason

DECAY = 0.7
"""A symptom one hop further away counts for this much less of its cause."""


def join(state: State, draft: Draft, active: ActiveAlert) -> None:
    """Give an alert that counts to the incident it belongs to, opening one where there is none."""
    likeness = () if active.entity else _likeness(state, active.alert.labels)
    identifier, reason = _find(state, draft.at, active, likeness)
    if identifier is None:
        identifier = _open(state, draft, active, likeness)
    active.incident, active.joined_by = identifier, reason
    members = state.members[identifier]
    name, kind = active.alert.fingerprint, active.alert.name
    if kind not in members.kinds or active.entity not in members.entities:
        draft.newcomers.setdefault(identifier, []).append(name)
    members.firing[name] = None
    members.kinds[kind] = None
    members.alerts += 1
    members.last_alert_at = draft.at
    if active.entity is not None:
        _add_entity(state, draft, identifier, members, active.entity)
    draft.touched[identifier] = None
    draft.joined.setdefault(identifier, []).append(name)


def leave(state: State, draft: Draft, active: ActiveAlert) -> None:
    """An alert is over: its incident has one firing alert less."""
    if active.incident is None or active.incident not in state.members:
        return
    members = state.members[active.incident]
    members.firing.pop(active.alert.fingerprint, None)
    if active.entity is not None and members.entities.get(active.entity):
        members.entities[active.entity] -= 1
    draft.touched[active.incident] = None


def _find(
    state: State, at: datetime, active: ActiveAlert, likeness: tuple[str, ...]
) -> tuple[str | None, Reason]:
    correlation = state.config.correlation
    if active.entity is None:
        alike = [
            (at - state.members[identifier].last_alert_at, identifier)
            for identifier in state.derived.likeness.get(likeness, ())
            if _is_near(state, identifier, at, correlation.window)
        ]
        return (min(alike)[1], Reason.SAME_LABELS) if alike else (None, Reason.INCIDENT_OPENED)
    best: tuple[int, float, str] | None = None
    for identifier, distance in state.derived.reach.get(active.entity, {}).items():
        if distance and not _is_near(state, identifier, at, correlation.window):
            continue
        age = (at - state.members[identifier].last_alert_at).total_seconds()
        candidate = (distance, age, identifier)
        if best is None or candidate < best:
            best = candidate
    if best is None:
        return None, Reason.INCIDENT_OPENED
    return best[2], Reason.NEAR_ON_MAP if best[0] else Reason.SAME_ENTITY


def _is_near(state: State, identifier: str, at: datetime, window: timedelta) -> bool:
    incident = state.incidents[identifier]
    if incident.state is not IncidentState.OPEN:
        return False
    return at - state.members[identifier].last_alert_at <= window


def _likeness(state: State, labels: Labels) -> tuple[str, ...]:
    """What an alert without a place must share with an incident: all that it says of where."""
    present = tuple(
        f"{name}={labels[name]}"
        for name in state.config.correlation.similar_labels
        if name in labels
    )
    return present or (f"alertname={labels.get('alertname', '')}",)


def _add_entity(state: State, draft: Draft, identifier: str, members: Members, entity: str) -> None:
    firing = members.entities.get(entity)
    members.entities[entity] = (firing or 0) + 1
    if firing is not None:
        return
    explains = members.explains
    explains.setdefault(entity, Explained()).weight += 1.0
    rescored = draft.rescored.setdefault(identifier, {})
    rescored[entity] = None
    for ref, distance in state.config.service_map.below(entity, state.config.correlation.hops):
        explained = explains.get(ref)
        if explained is None:
            explains[ref] = explained = Explained()
        explained.add(entity, DECAY**distance)
        rescored[ref] = None
    state.derived.reach_added(identifier, entity)
    spread(state, members, entity)


def _open(state: State, draft: Draft, active: ActiveAlert, likeness: tuple[str, ...]) -> str:
    state.incident_count += 1
    identifier = f"INC-{state.incident_count}"
    alert = active.alert
    summary = alert.annotations.get("summary") or alert.name or "An alert without a name"
    members = Members(last_alert_at=draft.at, unplaced=(likeness,) if likeness else ())
    state.members[identifier] = members
    if likeness:
        state.derived.likeness_added(likeness, identifier)
    if active.entity is not None:
        state.derived.reach_changed(identifier, (active.entity,), active.entity)
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
