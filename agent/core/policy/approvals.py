"""Whose word counts: of this content, in time, by others than who asked, by role."""

from datetime import datetime

from agent.core.policy.binding import binding_of
from agent.core.state import State
from agent.model.change import Change, ChangeState
from agent.model.policy import Approval, Decision, PolicyRule, Verdict
from agent.model.reason import Reason


def valid_approvals(state: State, change: Change, rule: PolicyRule, at: datetime) -> list[Approval]:
    """Approvals that count now: of this content, in time, by others, by role, one a person.

    One that is given ahead of a window counts for its time from when that window opens.
    """
    binding = binding_of(state, change)
    counted: dict[str, Approval] = {}
    for approval in change.approvals:
        given_for = max(approval.at, change.scheduled_for or approval.at)
        if approval.binding != binding or at - given_for > rule.approval_expires:
            continue
        if is_own(change, approval.by) or approval.role not in rule.roles:
            continue
        counted.setdefault(approval.by, approval)
    return list(counted.values())


def is_own(change: Change, person: str) -> bool:
    """Whether this person asked for the change or wrote the rule that did: four eyes."""
    return change.requested_by == f"person:{person}" or change.rule_author == person


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
