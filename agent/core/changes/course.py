"""The course of a change: a run begins, is rolled back, the change is closed.

`act` says when; nothing here judges.
"""

from datetime import datetime

from agent.core.autonomy import cases, loops
from agent.core.autonomy.memory import Attempts
from agent.core.changes import duties, preview, templates
from agent.core.changes.looking import only_looks
from agent.core.changes.spec import spec_of
from agent.core.draft import Draft
from agent.core.policy import history
from agent.core.policy.attempts import target_key
from agent.core.problems.record import raise_problem
from agent.core.state import CLOSED_KEPT, State, Timer
from agent.model.change import (
    Change,
    ChangeState,
    Closure,
    Run,
    RunState,
)
from agent.model.effect import PrepareRun
from agent.model.reason import Reason
from agent.model.remediation import Phase


def prepare(state: State, draft: Draft, change: Change, phase: Phase) -> None:
    """Ask for a run of the approved content to be laid out; it is judged again before it starts."""
    state.run_count += 1
    run = Run(
        id=f"RUN-{state.run_count}",
        change=change.id,
        phase=phase,
        state=RunState.PREPARING,
        requested_at=draft.at,
    )
    draft.set_run(state, run)
    if phase is Phase.REMEDIATE:
        draft.set_change(state, change, state=ChangeState.STARTING, run=run.id)
    else:
        draft.set_change(state, change, state=ChangeState.RUNNING, rollback_run=run.id)
    spec = spec_of(state, change, run=run.id, phase=phase)
    draft.ask(state, lambda effect: PrepareRun(id=effect, spec=spec))
    preview.end(state, draft, change)


def roll_back(state: State, draft: Draft, change: Change, *, can_reach: bool = True) -> None:
    """Undo once what did not help, where the remediation declares how; then hand over."""
    remediation = state.config.remediations.get(change.remediation)
    can_undo = remediation is not None and remediation.has_rollback and can_reach
    if can_undo and change.rollback_run is None:
        tell(draft, change, Reason.ROLLING_BACK, "the declared rollback runs once")
        prepare(state, draft, change, Phase.ROLLBACK)
        return
    if can_reach:
        close(state, draft, change, Closure.FAILED, Reason.VERIFICATION_FAILED, "it did not help")
    else:
        text = "the target could not be reached"
        close(state, draft, change, Closure.FAILED, Reason.RUN_FAILED, text)


def close(  # noqa: PLR0917 - what, how, why, in words
    state: State, draft: Draft, change: Change, closure: Closure, reason: Reason, text: str
) -> None:
    """The change is over; what failed counts against its remediation, what helped clears it."""
    state.verifying.pop(change.id, None)
    was_started = change.started_at is not None or change.state is ChangeState.UNKNOWN
    changed = draft.set_change(
        state,
        change,
        state=ChangeState.CLOSED,
        closure=closure,
        ended_at=draft.at,
        outcome_text=text,
    )
    tell(draft, changed, reason, f"closed as {closure}: {text}")
    history.note_result(state, changed, closure)
    templates.note_result(state, draft, changed, closure)
    why = duties.review_wanted(changed, was_started=was_started)
    if why is not None:
        changed = duties.open_review(state, draft, changed, why)
    if was_started and closure in (Closure.FAILED, Closure.ROLLED_BACK):
        _count_failure(state, draft, changed)
    elif closure is Closure.SUCCESS:
        if attempts := state.attempts.get(target_key(changed)):
            attempts.failed = 0  # An open breaker is a person's to reset.
        if not only_looks(state, changed):
            loops.verified(state, draft, changed)
            if incident := state.incidents.get(changed.incident or ""):
                draft.set_incident(state, incident, automated=True)
    cases.change_closed(state, draft, changed, closure, reason)
    if changed.incident is None:
        state.schedule(draft.at + CLOSED_KEPT, Timer.CHANGE, changed.id)
    preview.end(state, draft, changed)
    draft.is_released = True


def forget(state: State, change: Change) -> None:
    """Drop what is over from memory, with its runs, unless it is owed something.

    The history keeps both. What was owed something is forgotten a while after that was done.
    """
    if change.is_owed:
        return
    del state.changes[change.id]
    for run in [run.id for run in state.runs.values() if run.change == change.id]:
        del state.runs[run]


def tell(draft: Draft, change: Change, reason: Reason, text: str) -> None:
    """Add a line to the story of the change and of its incident."""
    draft.note(change.id, reason, text)
    if change.incident:
        draft.note(change.incident, reason, f"{change.id}: {text}")
        touch(draft, change)


def touch(draft: Draft, change: Change) -> None:
    """The incident of the change has news."""
    if change.incident:
        draft.touched[change.incident] = None


def _count_failure(state: State, draft: Draft, change: Change) -> None:
    """Open the breaker at the limit and raise a problem; otherwise ask again after the cooldown."""
    attempts = state.attempts.setdefault(target_key(change), Attempts())
    attempts.failed += 1
    remediation = state.config.remediations.get(change.remediation)
    if remediation is None:
        return
    if attempts.failed < remediation.attempts_max:
        if change.trigger is not None and change.requested_by.startswith("rule:"):
            rule = change.requested_by.removeprefix("rule:")
            last = attempts.started[-1] if attempts.started else draft.at
            due: datetime = max(draft.at, last + remediation.cooldown)
            state.schedule(due, Timer.RETRY, f"{change.trigger} {rule}")
        return
    attempts.breaker_open, attempts.opened_at = True, draft.at
    attempts.why = f"{remediation.name} failed {attempts.failed} times in a row ({change.id})"
    incident = state.incidents.get(change.incident or "")
    label = state.config.service_map.label(change.entity)
    problem = raise_problem(
        state,
        draft,
        title=f"{remediation.title} does not help {label}",
        signature=f"breaker|{target_key(change)}",
        incident=incident,
        reason=Reason.BREAKER_OPENED,
        incidents=(incident.id,) if incident else (),
    )
    tell(
        draft,
        change,
        Reason.HANDED_OVER,
        f"automation stops here after {attempts.failed} failures; {problem.id} is for a person",
    )
    if incident is not None:
        draft.set_incident(state, incident, problem=problem.id)
