"""The life of a change: asked for, judged, prepared, judged again, launched, verified, closed.

`policy` judges, `course` begins and ends runs, `verify` watches for success; what each happening
means for a change is here.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from agent.core.autonomy import cases, halts, loops
from agent.core.autonomy.memory import Attempts
from agent.core.changes import duties, evidence, preview, templates, verify
from agent.core.changes.course import close, forget, prepare, roll_back, tell, touch
from agent.core.changes.looking import only_looks
from agent.core.changes.rebound import rebound
from agent.core.draft import Draft
from agent.core.policy import limits
from agent.core.policy.attempts import target_key
from agent.core.policy.binding import bind
from agent.core.policy.calendar import takes, window_of
from agent.core.policy.judge import judgement
from agent.core.state import CLOSED_KEPT, MOMENT, State, Timer
from agent.model.autonomy import Mode
from agent.model.change import (
    Change,
    ChangeState,
    ChangeType,
    Closure,
    Run,
    RunState,
)
from agent.model.effect import CancelRun, LaunchRun
from agent.model.entry import RunFinished, RunLost, RunPrepared, RunStarted
from agent.model.incident import Incident
from agent.model.policy import Decision, Verdict
from agent.model.reason import Reason
from agent.model.remediation import Host, Outcome, ParameterValue, Phase, Remediation

ATTEMPTS_REMEMBERED_MAX = 50
BY_CALENDAR = (
    Reason.FROZEN,
    Reason.OUTSIDE_WINDOW,
    Reason.WINDOW_TOO_SHORT,
    Reason.NOT_BEFORE,
)
WAITING = (ChangeState.SCHEDULED, ChangeState.AWAITING_APPROVAL)
WAITS_AS = {
    Verdict.NEEDS_APPROVAL: ChangeState.AWAITING_APPROVAL,
    Verdict.DEFERRED: ChangeState.SCHEDULED,
}
"""What waits already, and goes on waiting for the same, makes no move."""


def request(
    state: State,
    draft: Draft,
    *,
    remediation: Remediation,
    entity: str,
    hosts: tuple[Host, ...],
    parameters: Mapping[str, ParameterValue],
    type: ChangeType,
    requested_by: str,
    rule_author: str | None,
    incident: Incident | None,
    trigger: str | None,
    note: str,
    not_before: datetime | None = None,
    not_after: datetime | None = None,
    rule: str | None = None,
    mode: Mode | None = None,
) -> Change | None:
    """Ask for a remediation of one target; None where that is being asked for already."""
    assert mode is None or mode.acts, "a rule that only suggests asks for nothing"
    if open_for(state, entity, remediation.name, draft.at) is not None:
        return None
    state.change_count += 1
    change = Change(
        id=f"CHG-{state.change_count}",
        state=ChangeState.DRAFT,
        type=type,
        title=f"{remediation.title} ({state.config.service_map.label(entity)})",
        remediation=remediation.name,
        digest=remediation.digest,
        entity=entity,
        hosts=hosts,
        parameters=parameters,
        requested_by=requested_by,
        rule_author=rule_author,
        requested_at=draft.at,
        binding="",
        incident=incident.id if incident else None,
        trigger=trigger,
        not_before=not_before,
        not_after=not_after,
        rule=rule,
        mode=mode,
    )
    attempts = state.attempts.get(target_key(change))
    change = replace(
        bind(state, change),
        attempt=1 + (attempts.failed if attempts else 0),
        symptom=duties.symptom_of(state, trigger),
    )
    draft.created = change.id
    change = draft.set_change(state, change)
    draft.note(change.id, Reason.REQUESTED, note, actor=requested_by)
    if incident is not None:
        incident = state.incidents[incident.id]
        draft.set_incident(state, incident, changes=(*incident.changes, change.id))
        draft.note(incident.id, Reason.RULE_MATCHED, f"{change.id}: {change.title}, as {note}")
    if not_after is not None:
        # From then on it would not end in time: it is judged a last time, and closed.
        state.schedule(not_after - takes(remediation) + MOMENT, Timer.CHANGE, change.id)
    halts.warn(state, draft, change)
    assess(state, draft, change)
    return state.changes[change.id]


def open_for(state: State, entity: str, remediation: str, at: datetime) -> Change | None:
    """The open change that asks for this remediation of this target already.

    One that a person wants at a later time does not stand in the way of what is needed now.
    """
    for change in state.changes.values():
        is_later = change.not_before is not None and at < change.not_before
        is_same = (change.entity, change.remediation) == (entity, remediation)
        if change.is_open and is_same and not is_later:
            return change
    return None


def assess(state: State, draft: Draft, change: Change) -> None:
    """Let policy judge a change that is not under way, and do what it says."""
    change = templates.settle(state, draft, change)
    change = replace(change, window=window_of(state, change, draft.at))
    answer = judgement(state, change, draft.at)
    decision = answer.decision
    if not decision.says(change.decision):
        draft.note(change.id, decision.reason, f"{decision.verdict}: {decision.text}")
        if change.incident:
            draft.note(change.incident, decision.reason, f"{change.id} {_said(decision)}")
    change = draft.set_change(
        state,
        rebound(state, draft, change),
        decision=decision,
        risk=answer.seen.risk if answer.seen else change.risk,
        conflicts=answer.seen.conflicts if answer.seen else (),
    )
    if change.state not in (ChangeState.ASSESSED, WAITS_AS.get(decision.verdict)):
        change = draft.set_change(state, change, state=ChangeState.ASSESSED)
    match decision.verdict:
        case Verdict.ALLOWED:
            authorised = draft.set_change(state, change, state=ChangeState.AUTHORISED)
            prepare(state, draft, authorised, Phase.REMEDIATE)
        case Verdict.NEEDS_APPROVAL:
            _wait(state, draft, change, ChangeState.AWAITING_APPROVAL, decision)
            preview.ask(state, draft, change)
            touch(draft, change)
        case Verdict.DEFERRED:
            _wait(state, draft, change, ChangeState.SCHEDULED, decision)
        case Verdict.REFUSED:
            is_late = decision.reason is Reason.WINDOW_MISSED
            closure = Closure.EXPIRED if is_late else Closure.REFUSED
            close(state, draft, change, closure, decision.reason, decision.text)


def reassess(state: State, draft: Draft, identifier: str) -> None:
    """The moment of a change has come: judge it again, let it expire, or forget it when over."""
    change = state.changes.get(identifier)
    if change is None:
        return
    if change.state not in WAITING:
        ended_at = change.ended_at if change.incident not in state.incidents else None
        if ended_at is not None and ended_at + CLOSED_KEPT <= draft.at:
            forget(state, change)
        return
    expired = change.due_at is not None and change.due_at <= draft.at
    if change.state is ChangeState.AWAITING_APPROVAL and expired:
        text = "nobody approved it in time"
        close(state, draft, change, Closure.EXPIRED, Reason.APPROVAL_EXPIRED, text)
    else:
        assess(state, draft, change)


def withdraw(state: State, draft: Draft) -> None:
    """Judge waiting changes whose alert has ended: what is not needed shall not wait on."""
    if draft.ended:
        for change in list(state.changes.values()):
            if change.state in WAITING and change.trigger in draft.ended:
                assess(state, draft, change)


def go_on(state: State, draft: Draft) -> None:
    """A change has let go of its target: others may have waited for that."""
    if draft.is_released or any(state.reported[each].progress.is_over for each in draft.reported):
        reassess_waiting(state, draft)


def reassess_waiting(state: State, draft: Draft) -> None:
    """Something that changes may have waited for is over: judge them all again."""
    for change in list(state.changes.values()):
        if change.state in WAITING and change.is_open:
            reassess(state, draft, change.id)


def prepared(state: State, draft: Draft, said: RunPrepared) -> None:
    """A run lies ready: launch it if it is what was approved and policy still allows it."""
    state.outbox.take(said.effect)
    run, change = _find(state, said.run)
    if run is None or change is None or run.state is not RunState.PREPARING:
        return
    if change.state is ChangeState.CLOSED:
        draft.set_run(state, run, state=RunState.FINISHED)
        return
    if said.digest != change.digest:
        reason = Reason.DIGEST_MISMATCH if said.digest else Reason.RUN_FAILED
        text = said.problem or "the files on disk are not what was approved; nothing was started"
        draft.set_run(state, run, state=RunState.FINISHED)
        # A rollback that is not played leaves what failed before it.
        is_first = run.phase is Phase.REMEDIATE
        closure = Closure.REFUSED if is_first else Closure.FAILED
        close(state, draft, change, closure, reason, text)
        return
    if run.phase is Phase.REMEDIATE:
        change = replace(change, window=window_of(state, change, draft.at))
        answer = judgement(state, change, draft.at)
        if answer.decision.verdict is not Verdict.ALLOWED or answer.seen is None:
            draft.set_run(state, run, state=RunState.FINISHED)
            assess(state, draft, draft.set_change(state, change, state=ChangeState.ASSESSED))
            draft.is_released = True
            return
        change = draft.set_change(
            state,
            change,
            decision=answer.decision,
            risk=answer.seen.risk,
            conflicts=answer.seen.conflicts,
        )
        attempts = state.attempts.setdefault(target_key(change), Attempts())
        attempts.started = [*attempts.started, draft.at][-ATTEMPTS_REMEMBERED_MAX:]
        limits.note_start(state, change, draft.at)
        templates.note_start(state, change, draft.at)
        loops.run_started(state, draft, change)
        cases.run_started(state, draft, change)
        duties.open_retro(state, draft, change)
    draft.set_run(state, run, state=RunState.LAUNCHING, launched_at=draft.at)
    draft.note(change.id, Reason.RUN_PREPARED, f"{run.id}: digest as approved, policy agrees")
    draft.ask(state, lambda effect: LaunchRun(id=effect, run=run.id))


def started(state: State, draft: Draft, said: RunStarted) -> None:
    """The processes of a run exist."""
    run, change = _find(state, said.run)
    if run is None or change is None or run.state is not RunState.LAUNCHING:
        return
    draft.set_run(state, run, state=RunState.RUNNING)
    changed = draft.set_change(
        state, change, state=ChangeState.RUNNING, started_at=change.started_at or draft.at
    )
    tell(draft, changed, Reason.RUN_STARTED, f"{run.id} plays {run.phase} of {change.remediation}")


def finished(state: State, draft: Draft, said: RunFinished) -> None:
    """A run is over: verify what succeeded, roll back what did not."""
    state.outbox.take(said.effect)
    run, change = _find(state, said.run)
    if run is None or change is None or run.state is RunState.FINISHED:
        return
    _over(state, run)
    draft.set_run(state, run, state=RunState.FINISHED, result=said.result)
    outcome, summary = said.result.outcome, said.result.summary
    if not change.is_open:
        return
    if change.state is ChangeState.STARTING and outcome is not Outcome.REFUSED:
        # Its start was not told apart from its end.
        change = draft.set_change(state, change, state=ChangeState.RUNNING)
    if outcome is Outcome.UNKNOWN:
        _lost(state, draft, change, run, summary)
    elif run.phase is Phase.ROLLBACK:
        _rolled_back(state, draft, change, outcome, summary)
    elif outcome.is_success:
        tell(draft, change, Reason.RUN_SUCCEEDED, f"{run.id}: {summary}")
        evidence.keep(draft, change, said.result)
        if only_looks(state, change):
            evidence.looked(state, draft, change, outcome)
        else:
            verify.begin(state, draft, change)
    elif outcome is Outcome.CANCELLED:
        close(state, draft, change, Closure.CANCELLED, Reason.CANCELLED, summary)
    elif outcome is Outcome.REFUSED:
        close(state, draft, change, Closure.REFUSED, Reason.RUN_FAILED, summary)
    else:
        tell(draft, change, Reason.RUN_FAILED, f"{run.id}: {summary}")
        roll_back(state, draft, change, can_reach=outcome is not Outcome.UNREACHABLE)


def lost(state: State, draft: Draft, said: RunLost) -> None:
    """Nobody knows what a run did: it is never repeated, only reconciled by its signal."""
    run, change = _find(state, said.run)
    if run is None or change is None or run.state in (RunState.FINISHED, RunState.UNKNOWN):
        return
    for effect in [e.id for e in state.outbox.launch.values() if e.run == run.id]:
        state.outbox.take(effect)
    if run.state is RunState.PREPARING:
        return
    _over(state, run)
    draft.set_run(state, run, state=RunState.UNKNOWN)
    _lost(state, draft, change, run, said.problem)


def cancel(state: State, draft: Draft, change: Change, by: str, note: str) -> None:
    """A person stops a change; a run under way is ended, and its end closes the change."""
    run = _under_way(state, change)
    if run is not None:
        draft.note(change.id, Reason.CANCELLED, note or "being ended", actor=by)
        if all(effect.run != run.id for effect in state.outbox.cancel.values()):
            draft.ask(state, lambda effect: CancelRun(id=effect, run=run.id))
        return
    text = f"cancelled by {by}" + (f": {note}" if note else "")
    close(state, draft, change, Closure.CANCELLED, Reason.CANCELLED, text)


def cancel_all_of_rules(state: State, draft: Draft, by: str, note: str) -> None:
    """A person stops what rules have asked for, runs under way included."""
    for change in list(state.changes.values()):
        if change.is_open and change.requested_by.startswith("rule:"):
            cancel(state, draft, change, by, note)


def _under_way(state: State, change: Change) -> Run | None:
    """The run of the change that may be playing on its target now."""
    for identifier in (change.run, change.rollback_run):
        run = state.runs.get(identifier or "")
        if run is not None and run.state in (RunState.LAUNCHING, RunState.RUNNING):
            return run
    return None


def _over(state: State, run: Run) -> None:
    """Nothing has to be ended any more."""
    for effect in [e.id for e in state.outbox.cancel.values() if e.run == run.id]:
        state.outbox.take(effect)


def _wait(
    state: State, draft: Draft, change: Change, waiting: ChangeState, decision: Decision
) -> None:
    """Let the change wait; a moment that was waited for already needs no second timer."""
    by_calendar = decision.reason in BY_CALENDAR
    draft.set_change(
        state,
        change,
        state=waiting,
        due_at=decision.until,
        scheduled_for=decision.until if by_calendar else change.scheduled_for,
    )
    if decision.until is not None:
        timer = (decision.until, Timer.CHANGE, change.id)
        if decision.until != change.due_at and timer not in state.timers:
            state.schedule(*timer)


def _rolled_back(
    state: State, draft: Draft, change: Change, outcome: Outcome, summary: str
) -> None:
    if outcome.is_success:
        close(state, draft, change, Closure.ROLLED_BACK, Reason.ROLLED_BACK, summary)
    else:
        text = f"the rollback did not succeed either: {summary}"
        close(state, draft, change, Closure.FAILED, Reason.ROLLBACK_FAILED, text)


def _lost(state: State, draft: Draft, change: Change, run: Run, problem: str) -> None:
    if not change.is_open:
        return
    changed = draft.set_change(state, change, state=ChangeState.UNKNOWN)
    tell(draft, changed, Reason.RUN_LOST, f"{run.id} was lost sight of: {problem}")
    verify.begin(state, draft, changed)


def _find(state: State, identifier: str) -> tuple[Run | None, Change | None]:
    run = state.runs.get(identifier)
    return run, state.changes.get(run.change) if run else None


def _said(decision: Decision) -> str:
    words = {
        Verdict.ALLOWED: "may run",
        Verdict.NEEDS_APPROVAL: "waits",
        Verdict.DEFERRED: "is deferred",
        Verdict.REFUSED: "is refused",
    }
    return f"{words[decision.verdict]}: {decision.text}"
