"""May it: the one gate before every run, whoever asked, judged when asked and again at start.

Fails closed: what cannot be read, evaluated or found is refused. The checks stand in `judge` in the
order in which they are made; each is a function of its own beside this file.
"""

from datetime import datetime

from agent.core.policy import approvals, attempts, calendar, limits, needs, ruling
from agent.core.state import State
from agent.model.change import Change, ChangeType
from agent.model.policy import Decision, Verdict
from agent.model.reason import Reason


def judge(state: State, change: Change, at: datetime) -> Decision:
    """Policy's answer about this change at this moment, by the rule set in force."""
    rule = ruling.ruling(state, change, at)
    if isinstance(rule, Decision):
        return rule
    for check in (needs.still_possible, needs.still_needed, attempts.attempts_left):
        decision = check(state, change, at)
        if decision is not None:
            return decision
    by_time = calendar.by_time(state, change, at)
    if by_time is not None and by_time.verdict is Verdict.REFUSED:
        return by_time
    if rule.verdict is Verdict.NEEDS_APPROVAL:
        # Before its window opens is the time to approve a change.
        decision = approvals.missing_approvals(state, change, rule, at)
        if decision is not None:
            return decision
    if by_time is not None:
        return by_time
    for check in (attempts.cooldown, limits.concurrency, limits.blast_radius):
        decision = check(state, change, at)
        if decision is not None:
            return decision
    if rule.verdict is Verdict.NEEDS_APPROVAL:
        return Decision(
            verdict=Verdict.ALLOWED,
            reason=Reason.APPROVED,
            text="approved by "
            + ", ".join(a.by for a in approvals.valid_approvals(state, change, rule, at)),
            rule=rule.name,
        )
    is_standard = change.type is ChangeType.STANDARD
    return Decision(
        verdict=Verdict.ALLOWED,
        reason=Reason.STANDARD_CHANGE if is_standard else Reason.POLICY_ALLOWS,
        text=rule.text or f"policy rule {rule.name} allows it",
        rule=rule.name,
    )
