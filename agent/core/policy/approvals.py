"""Whose word counts: of this content, in time, by others than who asked, by role and scope."""

from datetime import datetime

from agent.core.policy.authority import covers, own_of, person_of
from agent.core.policy.binding import binding_of
from agent.core.state import State
from agent.model.change import Change, ChangeState
from agent.model.policy import Approval, Decision, PolicyRule, Verdict
from agent.model.reason import Reason


def valid_approvals(state: State, change: Change, rule: PolicyRule, at: datetime) -> list[Approval]:
    """Approvals that count now: of this content, in time, by others, by role, one a person.

    One that is given ahead of a window counts for its time from when that window opens. Who speaks
    in another's place and that other one are one voice.
    """
    binding = binding_of(state, change)
    own = own_of(state, change)
    counted: list[Approval] = []
    heard: set[str] = set()
    for approval in change.approvals:
        given_for = max(approval.at, change.scheduled_for or approval.at)
        if approval.binding != binding or at - given_for > rule.approval_expires:
            continue
        if approval.role not in rule.roles or not covers(state, approval.scopes, change.entity):
            continue
        voices = {person_of(name) for name in (approval.by, approval.on_behalf_of) if name}
        if voices & (own.keys() | heard):
            continue
        heard |= voices
        counted.append(approval)
    return counted


def missing_approvals(
    state: State, change: Change, rule: PolicyRule, at: datetime
) -> Decision | None:
    """As many people as the rule asks for have approved; says who is missing else."""
    missing = rule.approvals_for(change.risk) - len(valid_approvals(state, change, rule, at))
    if missing <= 0:
        return None
    return Decision(
        verdict=Verdict.NEEDS_APPROVAL,
        reason=Reason.APPROVAL_NEEDED,
        text=f"needs {missing} approval{'s' if missing > 1 else ''} by {' or '.join(rule.roles)}",
        rule=rule.name,
        roles=rule.roles,
        approvals=missing,
        until=change.due_at
        if change.state is ChangeState.AWAITING_APPROVAL
        else at + rule.approval_expires,
    )
