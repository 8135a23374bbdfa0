"""What people ask about changes: each becomes part of the story or is refused with its reason."""

from datetime import datetime, timedelta

from agent.core.changes import course, life
from agent.core.changes.decide import check_parameters
from agent.core.changes.targets import hosts_of
from agent.core.changes.voices import voice_of
from agent.core.draft import Draft
from agent.core.facts import change_type
from agent.core.policy.authority import person_of
from agent.core.policy.binding import digest_over, parts_of, why_void
from agent.core.policy.calendar import takes
from agent.core.policy.ruling import rule_for
from agent.core.state import State
from agent.model.change import Change, ChangeState, ChangeType, Closure, RunState
from agent.model.change_entries import (
    ApprovalGiven,
    ApprovalRejected,
    ApprovalWithdrawn,
    ChangeReconciled,
)
from agent.model.entry import ChangeCancelled, ChangeRequested
from agent.model.policy import Approval
from agent.model.reason import Reason
from agent.model.remediation import Remediation
from agent.model.transition import Refusal

AHEAD_MAX = timedelta(days=366)
"""Nobody schedules a change further ahead; until then it is remembered."""

APPROVALS_MAX = 50
"""A change remembers this many approvals, void ones included; the newest."""
RECONCILED_AS = (Closure.SUCCESS, Closure.FAILED, Closure.ROLLED_BACK)


def request(state: State, draft: Draft, said: ChangeRequested) -> None:
    """A person asks for a remediation: the same gate as for a rule."""
    remediation = state.config.remediations.get(said.remediation)
    if remediation is None:
        draft.refuse(Reason.NOT_FOUND, f"there is no remediation {said.remediation}")
        return
    hosts = hosts_of(state.config.service_map, said.entity, remediation)
    if not hosts:
        draft.refuse(
            Reason.NO_TARGET, f"{said.entity} is not on the map, or has no host or group to act on"
        )
        return
    parameters = check_parameters(state, remediation, said.parameters)
    if isinstance(parameters, str):
        draft.refuse(Reason.PARAMETER_REFUSED, parameters)
        return
    other = life.open_for(state, said.entity, remediation.name, draft.at)
    if other is not None:
        draft.refuse(Reason.ALREADY_UNDER_CHANGE, f"{other.id} is open for the same target")
        return
    if said.type is ChangeType.STANDARD and remediation.change_model != said.type:
        text = f"{remediation.name} is {remediation.change_model}: only its author can make it less"
        draft.refuse(Reason.POLICY_REFUSES, text)
        return
    if problem := _time_problem(said, remediation, draft.at):
        draft.refuse(Reason.WINDOW_TOO_SHORT, problem)
        return
    if said.type is ChangeType.EMERGENCY and said.incident is None:
        draft.refuse(Reason.INCIDENT_MISSING, "an emergency names the incident that it is for")
        return
    incident = state.incidents.get(said.incident) if said.incident else None
    if said.incident and incident is None:
        draft.refuse(Reason.NOT_FOUND, f"there is no incident {said.incident} in the watch")
        return
    life.request(
        state,
        draft,
        remediation=remediation,
        entity=said.entity,
        hosts=hosts,
        parameters=parameters,
        type=change_type(state, remediation.name, said.type),
        requested_by=f"person:{said.by}",
        rule_author=None,
        incident=incident,
        trigger=None,
        note=said.note or f"{said.by} asked for it",
        not_before=said.not_before,
        not_after=said.not_after,
    )


def _time_problem(said: ChangeRequested, remediation: Remediation, at: datetime) -> str | None:
    """Why it cannot be done in the time for which it is asked, or None."""
    for asked in (said.not_before, said.not_after):
        if asked is not None and asked > at + AHEAD_MAX:
            return f"{asked:%Y-%m-%d} is more than {AHEAD_MAX.days} days ahead"
    if said.not_after is None:
        return None
    begin = max(said.not_before or at, at)
    length = takes(remediation)
    if begin + length <= said.not_after:
        return None
    minutes = length.total_seconds() / 60
    return (
        f"it may take {minutes:g} minutes with verification and rollback, and would not end "
        f"between {begin:%Y-%m-%d %H:%M} and {said.not_after:%Y-%m-%d %H:%M} UTC"
    )


def approve(state: State, draft: Draft, said: ApprovalGiven) -> None:
    """Count an approval if it is of this very content, by another person, who may give it."""
    change = _awaiting(state, draft, said.change)
    if change is None:
        return
    parts = parts_of(state, change)
    if said.binding != change.binding or said.binding != digest_over(parts):
        what = why_void(change, said.binding, parts)
        draft.refuse(Reason.APPROVAL_VOID, f"what would run is not what was approved: {what}")
        return
    rule = rule_for(state, change, draft.at)
    roles = rule.roles if rule else ()
    voice = voice_of(state, change, said, roles, draft.at, "approve it")
    if isinstance(voice, Refusal):
        draft.refuse(voice.reason, voice.text)
        return
    if any((a.by, a.binding) == (said.by, said.binding) for a in change.approvals):
        return
    approval = Approval(
        by=said.by,
        at=draft.at,
        role=voice.role,
        binding=said.binding,
        note=said.note,
        scopes=voice.scopes,
        on_behalf_of=voice.on_behalf_of,
        parts=parts,
    )
    kept = (*change.approvals, approval)[-APPROVALS_MAX:]
    change = draft.set_change(state, change, approvals=kept)
    place = f", in the place of {voice.on_behalf_of}" if voice.on_behalf_of else ""
    note = f": {said.note}" if said.note else ""
    draft.note(change.id, Reason.APPROVED, f"approved as {voice.role}{place}{note}", actor=said.by)
    life.assess(state, draft, change)


def reject(state: State, draft: Draft, said: ApprovalRejected) -> None:
    """A person who could approve it refuses a change, and says why."""
    change = _awaiting(state, draft, said.change)
    if change is None:
        return
    if not said.note.strip():
        draft.refuse(Reason.NOTE_MISSING, "say why it shall not run")
        return
    rule = rule_for(state, change, draft.at)
    voice = voice_of(state, change, said, rule.roles if rule else (), draft.at, "")
    if isinstance(voice, Refusal):
        draft.refuse(voice.reason, voice.text)
        return
    text = f"rejected by {said.by}: {said.note}"
    course.close(state, draft, change, Closure.CANCELLED, Reason.REJECTED, text)


def withdraw_approval(state: State, draft: Draft, said: ApprovalWithdrawn) -> None:
    """A person takes their own word back, as long as nothing has started."""
    change = state.changes.get(said.change)
    if change is None or not _may_be_taken_back(state, change):
        draft.refuse(Reason.NOT_OPEN, f"{said.change} has started, is over, or never was")
        return
    kept = tuple(a for a in change.approvals if person_of(a.by) != person_of(said.by))
    if kept == change.approvals:
        draft.refuse(Reason.NOT_FOUND, f"{said.by} has not approved {change.id}")
        return
    change = draft.set_change(state, change, approvals=kept)
    text = "took the approval back" + (f": {said.note}" if said.note else "")
    draft.note(change.id, Reason.APPROVAL_WITHDRAWN, text, actor=said.by)
    if change.state in life.WAITING:
        life.assess(state, draft, change)


def reconcile(state: State, draft: Draft, said: ChangeReconciled) -> None:
    """A person found out what a run did that was lost sight of."""
    change = state.changes.get(said.change)
    if change is None or change.state is not ChangeState.UNKNOWN:
        draft.refuse(Reason.NOT_OPEN, f"{said.change} is not unknown")
    elif said.is_service:
        draft.refuse(Reason.NO_PERSON, f"{said.by} is no person; only people find out")
    elif said.closure not in RECONCILED_AS:
        words = ", ".join(RECONCILED_AS)
        draft.refuse(Reason.MOVE_REFUSED, f"a run that may have happened ended as {words}")
    elif not said.note.strip():
        draft.refuse(Reason.NOTE_MISSING, "say how you know")
    else:
        draft.note(change.id, Reason.RECONCILED, said.note, actor=said.by)
        text = f"{said.by} found out: {said.note}"
        course.close(state, draft, change, said.closure, Reason.RECONCILED, text)


def cancel(state: State, draft: Draft, said: ChangeCancelled) -> None:
    """A person stops a change."""
    change = state.changes.get(said.change)
    if change is None or not change.is_open:
        draft.refuse(Reason.NOT_OPEN, f"{said.change} is not open")
        return
    if change.state is ChangeState.UNKNOWN:
        text = f"nobody knows what {change.id} did: find out, and reconcile it"
        draft.refuse(Reason.MOVE_REFUSED, text)
        return
    life.cancel(state, draft, change, said.by, said.note)


def _awaiting(state: State, draft: Draft, identifier: str) -> Change | None:
    change = state.changes.get(identifier)
    if change is None or change.state is not ChangeState.AWAITING_APPROVAL:
        draft.refuse(Reason.NOT_OPEN, f"{identifier} does not wait for approval")
        return None
    return change


def _may_be_taken_back(state: State, change: Change) -> bool:
    if change.state in (ChangeState.AUTHORISED, *life.WAITING):
        return True
    run = state.runs.get(change.run or "")
    is_preparing = run is not None and run.state is RunState.PREPARING
    return change.state is ChangeState.STARTING and is_preparing
