"""Promises about problems and suspects: nothing moves by itself but what comes back."""

from itertools import pairwise

from agent.core.causes.reports import REPORTED_MAX
from agent.core.causes.suspects import SUSPECTS_MAX
from agent.core.problems.record import INCIDENTS_REMEMBERED_MAX
from agent.core.state import State
from agent.model.entry import Entry
from agent.model.incident import Incident
from agent.model.problem import MOVES, Problem, ProblemState
from agent.model.problem_entries import FixPlanned, KnownErrorRecorded, ProblemMoved
from agent.model.transition import Transition
from agent.sim.checkers import Checker


class ProblemsAreMovedByPeople(Checker):
    """A problem goes from state to state as people say, and only a recurrence reopens one."""

    def __init__(self) -> None:
        self._states: dict[str, ProblemState] = {}

    def after(self, state: State, entry: Entry, transition: Transition) -> str | None:
        for problem in transition.records:
            if isinstance(problem, Problem):
                before = self._states.get(problem.id)
                self._states[problem.id] = problem.state
                wrong = self._wrong(problem, before, entry)
                if wrong is not None:
                    return wrong
        live = [one for one in state.problems.values() if one.state is not ProblemState.CLOSED]
        signatures = [one.signature for one in live]
        if len(signatures) != len(set(signatures)):
            return f"two problems have one signature: {sorted(signatures)}"
        return None

    def _wrong(self, problem: Problem, before: ProblemState | None, entry: Entry) -> str | None:
        now, name = problem.state, problem.id
        if before is None and now is not ProblemState.OPEN:
            return f"{name} was raised as {now}"
        if before not in (None, now) and not _may(before, now, entry):
            return f"{name} went from {before} to {now} by {type(entry.what).__name__}"
        is_resolved = now is ProblemState.RESOLVED
        if now is not ProblemState.CLOSED and is_resolved != (problem.resolved_at is not None):
            return f"{name} is {now} and resolved at {problem.resolved_at}"
        if now is ProblemState.CLOSED and not problem.review:
            return f"{name} was closed without a review"
        if len(problem.incidents) > INCIDENTS_REMEMBERED_MAX:
            return f"{name} remembers {len(problem.incidents)} incidents"
        return None


def _may(before: ProblemState | None, now: ProblemState, entry: Entry) -> bool:
    match entry.what:
        case ProblemMoved():
            return before is not None and now in MOVES[before]
        case KnownErrorRecorded():
            return now is ProblemState.KNOWN_ERROR
        case FixPlanned():
            return now is ProblemState.FIX_PLANNED
        case _:
            return (before, now) == (ProblemState.RESOLVED, ProblemState.OPEN)


class SuspectsCameBefore(Checker):
    """No change is suspected of what had begun already; what is remembered has its bounds."""

    def after(self, state: State, entry: Entry, transition: Transition) -> str | None:
        for incident in transition.records:
            if isinstance(incident, Incident):
                wrong = self._wrong(state, incident)
                if wrong is not None:
                    return wrong
        if len(state.reported) > REPORTED_MAX:
            return f"{len(state.reported)} reported changes are remembered"
        return None

    def _wrong(self, state: State, incident: Incident) -> str | None:
        if len(incident.suspects) > SUSPECTS_MAX:
            return f"{incident.id} names {len(incident.suspects)} suspects"
        for suspect in incident.suspects:
            change = state.changes.get(suspect.change)
            is_own = change is not None and change.incident == incident.id
            if suspect.is_match is None and is_own:
                return f"{incident.id} suspects {suspect.change}, which was made because of it"
        scores = [one.score for one in incident.suspects if one.is_match is None]
        if any(first < second for first, second in pairwise(scores)):
            return f"the suspects of {incident.id} are not in order: {scores}"
        return None

    def at_rest(self, state: State) -> str | None:
        within = state.config.recurrence.within
        for key, seen in state.recurrences.items():
            if state.last_at is not None and seen[-1].ended_at + within < state.last_at:
                return f"{key} is counted since {seen[-1].ended_at}, and nothing came of it"
        return None
