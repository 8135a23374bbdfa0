"""What keeps coming back, or costs too much: incidents of one pattern become a problem."""

from datetime import timedelta

from agent.core.draft import Draft
from agent.core.problems import record
from agent.core.problems.life import reopen
from agent.core.state import State, Timer
from agent.model.change import Closure
from agent.model.incident import NO_CLEAR_EVIDENCE, Incident
from agent.model.loss import cost_of
from agent.model.problem import Occurrence, Problem, ProblemState
from agent.model.reason import Reason

EVIDENCE_KEPT_MAX = 5
OCCURRENCES_MAX = 100
"""Of one pattern, before it becomes a problem."""


def recur(state: State, draft: Draft) -> None:
    """Count every incident that was closed in this step, by its pattern."""
    for identifier, signature in draft.closed.items():
        incident = state.incidents[identifier]
        # What the map does not place has no pattern, and recurs by its name.
        key = incident.pattern if incident.pattern and incident.cause else signature
        if key != NO_CLEAR_EVIDENCE:
            _count(state, draft, incident, key)


def forget(state: State, draft: Draft, key: str) -> None:
    """Drop what is too old to count, and the pattern with the last of it."""
    seen = state.recurrences.get(key)
    if seen is None:
        return
    within = state.config.recurrence.within
    seen = [one for one in seen if one.ended_at + within > draft.at]
    if seen:
        state.recurrences[key] = seen
        state.schedule(seen[0].ended_at + within, Timer.RECURRENCE, key)
    else:
        del state.recurrences[key]


def _count(state: State, draft: Draft, incident: Incident, key: str) -> None:
    occurrence = _occurrence(state, draft, incident)
    problem = record.find(state, key)
    if problem is not None:
        problem = record.add(state, draft, problem, (incident.id,), (occurrence,))
        if problem.state is ProblemState.RESOLVED:
            reopen(state, draft, problem, incident.id)
        _link(state, draft, incident, problem)
        return
    recurrence = state.config.recurrence
    seen = state.recurrences.setdefault(key, [])
    if not seen:
        state.schedule(occurrence.ended_at + recurrence.within, Timer.RECURRENCE, key)
    seen.append(occurrence)
    del seen[:-OCCURRENCES_MAX]
    recent = [one for one in seen if one.ended_at + recurrence.within > draft.at]
    cost = sum(one.cost or 0.0 for one in recent)
    is_costly = recurrence.cost is not None and cost >= recurrence.cost
    if len(recent) < recurrence.incidents and not is_costly:
        return
    del state.recurrences[key]
    label = state.config.service_map.label(incident.cause) if incident.cause else incident.title
    often = len(recent) >= recurrence.incidents
    days = f"{recurrence.within // timedelta(days=1)} days"
    times = f"{len(recent)} times" if len(recent) > 1 else "once"
    title = f"{label} failed {times} in {days}" + ("" if often else f", which cost {cost:,.0f}")
    problem = record.raise_problem(
        state,
        draft,
        title=title,
        signature=key,
        incident=incident,
        reason=Reason.RECURRED if often else Reason.COSTLY,
        incidents=tuple(one.incident for one in recent),
        occurrences=tuple(recent),
    )
    _link(state, draft, incident, problem)


def _link(state: State, draft: Draft, incident: Incident, problem: Problem) -> None:
    if incident.problem != problem.id:
        draft.set_incident(state, incident, problem=problem.id)
        draft.note(incident.id, Reason.RECURRED, f"belongs to {problem.id}: {problem.title}")


def _occurrence(state: State, draft: Draft, incident: Incident) -> Occurrence:
    changes = [state.changes[name] for name in incident.changes if name in state.changes]
    ran = [change for change in changes if change.started_at is not None]
    helped = [change.remediation for change in ran if change.closure is Closure.SUCCESS]
    return Occurrence(
        incident=incident.id,
        started_at=incident.started_at,
        ended_at=incident.resolved_at or draft.at,
        cost=cost_of(incident, state.config.service_map, draft.at),
        cause=incident.cause,
        evidence=incident.causes[0].evidence_for[:EVIDENCE_KEPT_MAX] if incident.causes else (),
        tried=tuple(dict.fromkeys(change.remediation for change in ran)),
        helped=tuple(dict.fromkeys(helped)),
    )
