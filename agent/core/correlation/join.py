"""What belongs together: alerts join the incident whose probable cause may explain them.

Does not name the cause; `cause` does. Membership is judged against the incident's cause and its
reach on the map, so no chain of neighbours grows without end.
"""

from datetime import datetime, timedelta

from agent.core.correlation import corrected
from agent.core.correlation.members import add
from agent.core.correlation.opening import open_incident
from agent.core.draft import Draft
from agent.core.state import ActiveAlert, State
from agent.model.incident import IncidentState
from agent.model.reason import Reason


def join(state: State, draft: Draft, active: ActiveAlert) -> None:
    """Give an alert that counts to the incident it belongs to, opening one where there is none."""
    likeness = likeness_of(state, active)
    identifier, reason = place_of(state, draft.at, active)
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


def place_of(state: State, at: datetime, active: ActiveAlert) -> tuple[str | None, Reason]:
    """The incident that an alert belongs to now, and by what; None where it opens one."""
    correlation = state.config.correlation
    placed = corrected.home(state, active.alert.fingerprint)
    if placed is not None:
        return placed, Reason.PLACED_BY_PERSON
    if active.entity is None:
        alike = [
            (at - state.members[identifier].last_alert_at, identifier)
            for identifier in state.derived.likeness.get(likeness_of(state, active), ())
            if _is_near(state, identifier, at, correlation.window)
            and not corrected.is_barred(state, identifier, active)
        ]
        return (min(alike)[1], Reason.SAME_LABELS) if alike else (None, Reason.INCIDENT_OPENED)
    best: tuple[int, float, str] | None = None
    for identifier, distance in state.derived.reach.get(active.entity, {}).items():
        if distance and not _is_near(state, identifier, at, correlation.window):
            continue
        if corrected.is_barred(state, identifier, active):
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


def likeness_of(state: State, active: ActiveAlert) -> tuple[str, ...]:
    """What an alert without a place must share with an incident: all that it says of where."""
    if active.entity is not None:
        return ()
    labels = active.alert.labels
    present = tuple(
        f"{name}={labels[name]}"
        for name in state.config.correlation.similar_labels
        if name in labels
    )
    return present or (f"alertname={labels.get('alertname', '')}",)
