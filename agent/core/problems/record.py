"""The record of a problem: raised once, then added to. Why one is raised is not known here."""

from agent.core.draft import Draft
from agent.core.state import State
from agent.model.incident import Incident, Problem, ProblemState
from agent.model.reason import Reason

INCIDENTS_REMEMBERED_MAX = 100


def raise_problem(
    state: State,
    draft: Draft,
    *,
    title: str,
    signature: str,
    incident: Incident | None,
    reason: Reason,
    incidents: tuple[str, ...],
) -> Problem:
    """Open a problem, or add to the open one with this signature."""
    for problem in state.problems.values():
        if problem.signature == signature and problem.state is not ProblemState.CLOSED:
            known = tuple(dict.fromkeys((*problem.incidents, *incidents)))
            return draft.set_problem(state, problem, incidents=known[-INCIDENTS_REMEMBERED_MAX:])
    state.problem_count += 1
    problem = Problem(
        id=f"PRB-{state.problem_count}",
        state=ProblemState.OPEN,
        title=title,
        opened_at=draft.at,
        signature=signature,
        cause=incident.cause if incident else None,
        incidents=incidents,
        reason=reason,
    )
    draft.note(problem.id, reason, title)
    return draft.set_problem(state, problem)
