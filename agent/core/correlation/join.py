"""What belongs together: alerts join the incident whose probable cause may explain them.

Does not name the cause; `cause` does. Membership is judged against the incident's cause and its
reach on the map, so no chain of neighbours grows without end.
"""

from datetime import datetime, timedelta

from agent.core.correlation.members import add
from agent.core.correlation.opening import open_incident
from agent.core.draft import Draft
from agent.core.state import ActiveAlert, State
from agent.model.incident import IncidentState
from agent.model.labels import Labels
from agent.model.reason import Reason


def join(state: State, draft: Draft, active: ActiveAlert) -> None:
    """Give an alert that counts to the incident it belongs to, opening one where there is none."""
    likeness = () if active.entity else _likeness(state, active.alert.labels)
    identifier, reason = _find(state, draft.at, active, likeness)
    if identifier is None:
        identifier = open_incident(state, draft, active, likeness)
    active.incident, active.joined_by = identifier, reason
    members = state.members[identifier]
    name, kind = active.alert.fingerprint, active.alert.name
    if kind not in members.kinds or active.entity not in members.entities:
        draft.newcomers.setdefault(identifier, []).append(name)
    add(state, draft, identifier, active, draft.at)
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
