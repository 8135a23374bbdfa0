"""What incidents of one problem have in common.

The pattern of an incident says it (`causes`); where it has none, the cause and the kinds of alert
do. Nothing here raises a problem.
"""

from agent.core.state import Members, State
from agent.model.incident import Incident
from agent.model.problem import Problem, ProblemState

UNPLACED = "unplaced"


def signature(incident: Incident, members: Members) -> str:
    """The cause and the kinds of alert, for an incident without a pattern."""
    return f"{_place(incident)}|{','.join(sorted(members.kinds))}"


def problem_of(state: State, incident: Incident) -> Problem | None:
    """The problem that a live incident is likely to be of, as far as can be told by now.

    By its pattern; without one by its cause and the kinds of alert so far: more may come.
    """
    known = [one for one in state.problems.values() if one.state is not ProblemState.CLOSED]
    if incident.pattern is not None and incident.cause is not None:
        return next((one for one in known if one.signature == incident.pattern), None)
    members = state.members[incident.id]
    alike = [one for one in known if _may_become(incident, members, one.signature)]
    # The fewer kinds are still to come, the better it fits.
    return min(alike, key=lambda one: (one.signature.count(","), one.id), default=None)


def _may_become(incident: Incident, members: Members, signature: str) -> bool:
    place, bar, kinds = signature.partition("|")
    return bool(bar) and place == _place(incident) and set(members.kinds) <= set(kinds.split(","))


def _place(incident: Incident) -> str:
    return incident.cause or UNPLACED
