"""A new incident of a known error opens with what is known: the workaround and what helps.

What is attached is advice. A remediation that it names runs only as policy lets it.
"""

from agent.core.draft import Draft
from agent.core.problems.pattern import problem_of
from agent.core.problems.record import best_of, record_of
from agent.core.state import State
from agent.model.incident import IncidentState
from agent.model.problem import Problem, ProblemState, Workaround
from agent.model.reason import Reason

KNOWN = (ProblemState.KNOWN_ERROR, ProblemState.FIX_PLANNED)


def attach(state: State, draft: Draft) -> None:
    """Tell incidents that are new, or of which more is known, what they are likely to be."""
    if not state.problems:
        return
    for identifier in dict.fromkeys((*draft.cause_changed, *draft.newcomers)):
        incident = state.incidents.get(identifier)
        if incident is None or incident.state is not IncidentState.OPEN:
            continue
        if _is_of_breaker(state, incident.problem):
            continue
        problem = problem_of(state, incident)
        workaround = _workaround(problem) if problem is not None else None
        named = problem.id if problem is not None else None
        if (named, workaround) == (incident.problem, incident.workaround):
            continue
        draft.set_incident(state, incident, problem=named, workaround=workaround)
        if workaround is not None and workaround != incident.workaround:
            text = f"looks like {workaround.problem} ({workaround.cause}): {workaround}"
            draft.note(identifier, Reason.KNOWN_ERROR, text)


def _is_of_breaker(state: State, identifier: str | None) -> bool:
    """Whether it has a problem that was raised for it alone, which stays with it."""
    problem = state.problems.get(identifier) if identifier else None
    return problem is not None and problem.reason is Reason.BREAKER_OPENED


def _workaround(problem: Problem) -> Workaround | None:
    known = problem.known_error
    if known is None or problem.state not in KNOWN:
        return None
    named, seen = known.remediation, problem.occurrences
    record = best_of(seen) if named is None else record_of(seen, named)
    return Workaround(problem=problem.id, cause=known.cause, text=known.workaround, record=record)
