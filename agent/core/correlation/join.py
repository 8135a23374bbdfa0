"""An alert begins or ends to count: it joins an incident, or opens one, or leaves.

Which incident may own it says `find`; that it speaks of a new fault, `waves`.
"""

from datetime import datetime

from agent.core.correlation import groups, shared, storms, waves
from agent.core.correlation.find import Found, Newcomer, beside, find, likeness_of
from agent.core.correlation.members import add, shown_at
from agent.core.correlation.opening import open_incident
from agent.core.draft import Draft
from agent.core.state import ActiveAlert, State
from agent.model.alert import EndedBy
from agent.model.reason import Reason


def join(state: State, draft: Draft, active: ActiveAlert) -> None:
    """Give an alert that counts to the incident it belongs to, opening one where there is none."""
    at = shown_at(active)
    area = area_of(state, active)
    is_onset = groups.is_onset(state, area, at)
    if is_onset:
        groups.regroup(state, area, at)
    others = beside(state, at).values() if is_onset else ()
    found = find(state, Newcomer(active, at, area))
    if found is None:
        found = _open(state, draft, active, at)
    groups.note(state, area, at, others)
    identifier = found.incident
    active.incident, active.joined_by = identifier, found.reason
    members = state.members[identifier] = state.members.pop(identifier)
    name = active.alert.fingerprint
    is_again = name in members.series
    if active.alert.name not in members.kinds or active.entity not in members.entities:
        draft.newcomers.setdefault(identifier, []).append(name)
    before = members.last_alert_at
    add(state, draft, identifier, active, at)
    draft.touched[identifier] = None
    draft.joined.setdefault(identifier, []).append(name)
    if found.reason is Reason.INCIDENT_OPENED and active.entity is not None:
        shared.unite_by_shared(state, draft, identifier, active.entity)
    elif not members.is_summary:
        waves.hear(state, draft, identifier, name, at=at, before=before, is_again=is_again)


def _open(state: State, draft: Draft, active: ActiveAlert, at: datetime) -> Found:
    summary = storms.shelter(state, draft, active, at)
    if summary is not None:
        return Found(summary, Reason.STORM)
    storms.opened(state, draft.at)
    likeness = likeness_of(state, active)
    identifier = open_incident(state, draft, active, at, likeness=likeness)
    return Found(identifier, Reason.INCIDENT_OPENED)


def leave(state: State, draft: Draft, active: ActiveAlert, by: EndedBy) -> None:
    """An alert is over: its incident has one firing alert less."""
    if active.incident is None or active.incident not in state.members:
        return
    members = state.members[active.incident]
    members.firing.pop(active.alert.fingerprint, None)
    if active.entity is not None and members.entities.get(active.entity):
        members.entities[active.entity] -= 1
    members.left_at = draft.at
    if by is EndedBy.RESOLVED or (by is EndedBy.EXPIRED and active.is_repeated):
        members.is_lasting = True
    draft.touched[active.incident] = None


def place_of(state: State, at: datetime, active: ActiveAlert) -> tuple[str | None, Reason]:
    """The incident that an alert would join at a moment, and by what; None where it opens one."""
    found = find(state, Newcomer(active, at, area_of(state, active)))
    return (found.incident, found.reason) if found else (None, Reason.INCIDENT_OPENED)


def area_of(state: State, active: ActiveAlert) -> str:
    """The neighbourhood of an alert; where no edge leads, its place, or what it says of where."""
    if active.entity is None:
        return "?" + " ".join(likeness_of(state, active))
    neighbourhoods = state.derived.neighbourhoods
    place = neighbourhoods.place.get(active.entity, active.entity)
    return neighbourhoods.of.get(place, place)
