"""What people ask about changes: each becomes part of the story or is refused with its reason."""

from datetime import datetime, timedelta

from agent.core.changes import course, life
from agent.core.changes.decide import check_parameters
from agent.core.changes.targets import host_of
from agent.core.draft import Draft
from agent.core.facts import change_type
from agent.core.policy.approvals import is_own
from agent.core.policy.binding import binding_of
from agent.core.policy.calendar import takes
from agent.core.policy.ruling import rule_for
from agent.core.state import State
from agent.model.change import Change, ChangeState, ChangeType, Closure
from agent.model.entry import ApprovalGiven, ApprovalRejected, ChangeCancelled, ChangeRequested
from agent.model.policy import Approval
from agent.model.reason import Reason
from agent.model.remediation import Remediation

AHEAD_MAX = timedelta(days=366)
"""Nobody schedules a change further ahead; until then it is remembered."""


def request(state: State, draft: Draft, said: ChangeRequested) -> None:
    """A person asks for a remediation: the same gate as for a rule."""
    remediation = state.config.remediations.get(said.remediation)
    if remediation is None:
        draft.refuse(Reason.NOT_FOUND, f"there is no remediation {said.remediation}")
        return
    host = host_of(state.config.service_map, said.entity)
    if host is None:
        draft.refuse(Reason.NO_TARGET, f"{said.entity} is not on the map or has no host")
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
    incident = state.incidents.get(said.incident) if said.incident else None
    if said.incident and incident is None:
        draft.refuse(Reason.NOT_FOUND, f"there is no incident {said.incident} in the watch")
        return
    life.request(
        state,
        draft,
        remediation=remediation,
        entity=said.entity,
        hosts=(host,),
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
    rule = rule_for(state, change, draft.at)
    role = next((r for r in (rule.roles if rule else ()) if r in said.roles), None)
    if said.binding != change.binding or change.binding != binding_of(state, change):
        draft.refuse(
            Reason.APPROVAL_VOID, "what would run is not what was approved: look at it again"
        )
    elif is_own(change, said.by):
        draft.refuse(Reason.SELF_APPROVAL, "who asked for it, or wrote its rule, cannot approve it")
    elif role is None:
        wanted = " or ".join(rule.roles) if rule else "nobody"
        draft.refuse(Reason.ROLE_MISSING, f"this change is approved by {wanted}")
    elif all((a.by, a.binding) != (said.by, said.binding) for a in change.approvals):
        approval = Approval(
            by=said.by, at=draft.at, role=role, binding=said.binding, note=said.note
        )
        change = draft.set_change(state, change, approvals=(*change.approvals, approval))
        draft.note(change.id, Reason.APPROVED, f"approved as {role}", actor=said.by)
        life.assess(state, draft, change)


def reject(state: State, draft: Draft, said: ApprovalRejected) -> None:
    """A person with a role in it refuses a change."""
    change = _awaiting(state, draft, said.change)
    if change is None:
        return
    rule = rule_for(state, change, draft.at)
    if rule is None or not set(rule.roles) & set(said.roles):
        draft.refuse(Reason.ROLE_MISSING, "only who could approve it can reject it")
        return
    text = f"rejected by {said.by}" + (f": {said.note}" if said.note else "")
    course.close(state, draft, change, Closure.CANCELLED, Reason.REJECTED, text)


def cancel(state: State, draft: Draft, said: ChangeCancelled) -> None:
    """A person stops a change."""
    change = state.changes.get(said.change)
    if change is None or not change.is_open:
        draft.refuse(Reason.NOT_OPEN, f"{said.change} is not open")
        return
    life.cancel(state, draft, change, said.by, said.note)


def _awaiting(state: State, draft: Draft, identifier: str) -> Change | None:
    change = state.changes.get(identifier)
    if change is None or change.state is not ChangeState.AWAITING_APPROVAL:
        draft.refuse(Reason.NOT_OPEN, f"{identifier} does not wait for approval")
        return None
    return change
