"""The life of a problem after it was raised: what people say of it, and what absence shows."""

from agent.core.draft import Draft
from agent.core.state import CLOSED_KEPT, State, Timer
from agent.model.problem import MOVES, Fix, KnownError, Problem, ProblemState
from agent.model.problem_entries import FixPlanned, KnownErrorRecorded, ProblemMoved
from agent.model.reason import Reason

NOT_MENDED = (ProblemState.OPEN, ProblemState.INVESTIGATING, ProblemState.KNOWN_ERROR)


def hear(state: State, draft: Draft, said: ProblemMoved | KnownErrorRecorded | FixPlanned) -> None:
    """A person said something of a problem."""
    match said:
        case ProblemMoved():
            move(state, draft, said)
        case KnownErrorRecorded():
            record_known_error(state, draft, said)
        case FixPlanned():
            plan_fix(state, draft, said)


def move(state: State, draft: Draft, said: ProblemMoved) -> None:
    """A person moves a problem on, or back."""
    problem = _known(state, draft, said.problem)
    if problem is None or problem.state is said.to:
        return
    if said.to not in MOVES[problem.state]:
        allowed = " or ".join(word.replace("_", " ") for word in MOVES[problem.state])
        text = f"it is {_word(problem.state)}: from there it goes to {allowed or 'nowhere'}"
        draft.refuse(Reason.MOVE_REFUSED, text)
        return
    if said.to is ProblemState.KNOWN_ERROR and problem.known_error is None:
        draft.refuse(Reason.MOVE_REFUSED, "say what the error is, and what helps until then")
        return
    if said.to is ProblemState.CLOSED and not _may_close(state, draft, problem, said.note):
        return
    problem = draft.set_problem(
        state,
        problem,
        state=said.to,
        assignee=said.by if said.to is ProblemState.INVESTIGATING else problem.assignee,
        resolved_at=problem.resolved_at if said.to is ProblemState.CLOSED else None,
        verified_at=problem.verified_at if said.to is ProblemState.CLOSED else None,
    )
    note = f": {said.note}" if said.note else ""
    text = f"is {_word(said.to)} now{note}"
    draft.note(problem.id, Reason.PROBLEM_MOVED, text, actor=said.by)
    if said.to is ProblemState.RESOLVED:
        draft.set_problem(state, problem, resolved_at=draft.at)
        due = draft.at + state.config.recurrence.absent_for
        state.schedule(due, Timer.PROBLEM, problem.id)
    elif said.to is ProblemState.CLOSED:
        draft.set_problem(state, problem, closed_at=draft.at, review=said.note)
        state.schedule(draft.at + CLOSED_KEPT, Timer.PROBLEM, problem.id)


def record_known_error(state: State, draft: Draft, said: KnownErrorRecorded) -> None:
    """A person knows why it happens, and what helps until it is mended."""
    problem = _known(state, draft, said.problem)
    if problem is None:
        return
    if problem.state in (ProblemState.RESOLVED, ProblemState.CLOSED):
        draft.refuse(Reason.MOVE_REFUSED, f"it is {_word(problem.state)}")
        return
    if said.remediation is not None and said.remediation not in state.config.remediations:
        draft.refuse(Reason.NOT_FOUND, f"there is no remediation {said.remediation}")
        return
    known_error = KnownError(
        cause=said.cause,
        workaround=said.workaround,
        remediation=said.remediation,
        by=said.by,
        at=draft.at,
    )
    is_new = problem.state in (ProblemState.OPEN, ProblemState.INVESTIGATING)
    draft.set_problem(
        state,
        problem,
        known_error=known_error,
        state=ProblemState.KNOWN_ERROR if is_new else problem.state,
    )
    helps = said.workaround or said.remediation or "nothing is known to help"
    text = f"{said.cause}; until it is mended: {helps}"
    draft.note(problem.id, Reason.KNOWN_ERROR_RECORDED, text, actor=said.by)


def plan_fix(state: State, draft: Draft, said: FixPlanned) -> None:
    """A person links the change that is to mend it for good."""
    problem = _known(state, draft, said.problem)
    if problem is None:
        return
    if problem.state not in (*NOT_MENDED, ProblemState.FIX_PLANNED):
        draft.refuse(Reason.MOVE_REFUSED, f"it is {_word(problem.state)}")
        return
    fix = Fix(change=said.change, by=said.by, at=draft.at, note=said.note)
    draft.set_problem(state, problem, fix=fix, state=ProblemState.FIX_PLANNED)
    note = f": {said.note}" if said.note else ""
    draft.note(problem.id, Reason.FIX_PLANNED, f"{said.change} is to mend it{note}", actor=said.by)


def reopen(state: State, draft: Draft, problem: Problem, incident: str) -> None:
    """It came back although it was mended."""
    draft.set_problem(
        state,
        problem,
        state=ProblemState.OPEN,
        resolved_at=None,
        verified_at=None,
        reopened=problem.reopened + 1,
    )
    mended = f" after {problem.fix.change}" if problem.fix else ""
    draft.note(problem.id, Reason.PROBLEM_REOPENED, f"{incident} came{mended}: it is not mended")


def look(state: State, draft: Draft, identifier: str) -> None:
    """A time is over: absence shows that the fix holds, or a closed problem is let go."""
    problem = state.problems.get(identifier)
    if problem is None:
        return
    if problem.closed_at is not None:
        if problem.closed_at + CLOSED_KEPT <= draft.at:
            del state.problems[identifier]
        return
    absent_for = state.config.recurrence.absent_for
    if problem.resolved_at is None or problem.verified_at is not None:
        return
    if problem.resolved_at + absent_for > draft.at:
        # It was resolved anew, or the rule set asks for more since.
        state.schedule(problem.resolved_at + absent_for, Timer.PROBLEM, identifier)
        return
    draft.set_problem(state, problem, verified_at=draft.at)
    text = f"no incident of it since {problem.resolved_at:%Y-%m-%d}: it holds"
    draft.note(identifier, Reason.PROBLEM_VERIFIED, text)


def _may_close(state: State, draft: Draft, problem: Problem, note: str) -> bool:
    if not note.strip():
        draft.refuse(Reason.MOVE_REFUSED, "say what was learnt: a problem is closed with a review")
        return False
    if problem.state is ProblemState.RESOLVED and problem.verified_at is None:
        assert problem.resolved_at is not None, "what is resolved was so at some moment"
        due = problem.resolved_at + state.config.recurrence.absent_for
        draft.refuse(
            Reason.NOT_VERIFIED, f"nobody knows yet whether it holds: absence shows it on {due:%F}"
        )
        return False
    return True


def _known(state: State, draft: Draft, identifier: str) -> Problem | None:
    problem = state.problems.get(identifier)
    if problem is None:
        draft.refuse(Reason.NOT_FOUND, f"there is no problem {identifier} in the watch")
    elif problem.state is ProblemState.CLOSED:
        draft.refuse(Reason.MOVE_REFUSED, f"{identifier} is closed: what comes back is a new one")
        return None
    return problem


def _word(state: ProblemState) -> str:
    return state.replace("_", " ")
