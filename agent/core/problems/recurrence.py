"""What keeps coming back: incidents of one signature become a problem."""

from agent.core.draft import Draft
from agent.core.problems.record import INCIDENTS_REMEMBERED_MAX, raise_problem
from agent.core.state import State
from agent.model.incident import Incident, IncidentState
from agent.model.reason import Reason


def recur(state: State, draft: Draft) -> None:
    """Count every incident that was resolved in this step; a problem is raised at the limit."""
    for identifier in list(draft.touched):
        incident = state.incidents.get(identifier)
        if incident is None or incident.state is not IncidentState.RESOLVED:
            continue
        if incident.resolved_at == draft.at:
            _count(state, draft, incident)


def signature(state: State, incident: Incident) -> str:
    """What incidents of one problem have in common: the cause and the kinds of alert."""
    kinds = ",".join(sorted(state.members[incident.id].kinds))
    return f"{incident.cause or 'unplaced'}|{kinds}"


def _count(state: State, draft: Draft, incident: Incident) -> None:
    key = signature(state, incident)
    recurrence = state.config.recurrence
    since = draft.at - recurrence.within
    seen = [item for item in state.recurrences.get(key, ()) if item[1] >= since]
    if all(identifier != incident.id for identifier, _ in seen):
        seen.append((incident.id, draft.at))
    state.recurrences[key] = seen[-INCIDENTS_REMEMBERED_MAX:]
    if len(seen) < recurrence.incidents:
        return
    label = state.config.service_map.label(incident.cause) if incident.cause else incident.title
    days = recurrence.within.days
    problem = raise_problem(
        state,
        draft,
        title=f"{label} failed {len(seen)} times in {days} days",
        signature=key,
        incident=incident,
        reason=Reason.RECURRED,
        incidents=tuple(identifier for identifier, _ in seen),
    )
    if incident.problem != problem.id:
        draft.set_incident(state, incident, problem=problem.id)
        draft.note(incident.id, Reason.RECURRED, f"belongs to {problem.id}: {problem.title}")
