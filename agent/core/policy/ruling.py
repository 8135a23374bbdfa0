"""Which rule of the policy decides about a change: the first whose condition holds."""

from dataclasses import dataclass
from datetime import datetime

from agent.core.autonomy import gate
from agent.core.conditions import ConditionFailure, Facts
from agent.core.policy import calendar
from agent.core.policy.answers import LOOK_AGAIN, refused
from agent.core.policy.assessment import assess
from agent.core.policy.quick import is_ruled_out
from agent.core.state import State
from agent.model.change import Change
from agent.model.policy import Decision, PolicyRule, Verdict
from agent.model.reason import Reason

TRIED_MAX = 100


def rule_for(state: State, change: Change, at: datetime) -> PolicyRule | None:
    """The policy rule that decides about this change, if there is one."""
    if unreadable(state, at) is not None or change.remediation not in state.config.remediations:
        return None
    rule = ruling(state, change, at, assess(state, change, at).facts)
    return rule if isinstance(rule, PolicyRule) else None


def unreadable(state: State, at: datetime) -> Decision | None:
    """Why policy cannot be asked at all, or None."""
    if state.config.policy is None:
        return refused(Reason.POLICY_MISSING, "there is no readable change policy")
    return calendar.unreadable(state, at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What came of asking one rule of policy."""

    rule: str
    outcome: str


def tried(state: State, change: Change, at: datetime, known: Facts) -> tuple[Tried, ...]:
    """The rules that were asked, in order, down to the one that decides; bounded."""
    found: list[Tried] = []
    for rule, condition, _ in state.derived.policy:
        try:
            holds = condition.holds(known)
        except ConditionFailure as failure:
            found.append(Tried(rule=rule.name, outcome=f"cannot be told: {failure}"))
            break
        is_over = rule.verdict is Verdict.DEFERRED and at >= deferred_until(rule, change)
        if holds and not is_over:
            found.append(Tried(rule=rule.name, outcome=f"decides: {rule.verdict}"))
            break
        outcome = "its time is over" if holds else "does not hold"
        found.append(Tried(rule=rule.name, outcome=outcome))
    return tuple(found[-TRIED_MAX:])


def deferred_until(rule: PolicyRule, change: Change) -> datetime:
    """Until when a rule that defers holds for this change."""
    return rule.defer_until or change.requested_at + (rule.defer_for or LOOK_AGAIN)


def ruling(state: State, change: Change, at: datetime, known: Facts) -> PolicyRule | Decision:
    """The rule that decides, or the answer where it is no, not yet, or there is none.

    A rule that defers holds until its moment has come; then the rules below it are asked.
    """
    for rule, condition, needed in state.derived.policy:
        if is_ruled_out(needed, known.values):
            continue
        try:
            holds = condition.holds(known)
        except ConditionFailure as failure:
            return refused(Reason.POLICY_FAILED, f"policy rule {rule.name}: {failure}", rule.name)
        if not holds:
            continue
        if rule.verdict is Verdict.REFUSED:
            text = rule.text or f"policy rule {rule.name} refuses it"
            return refused(Reason.POLICY_REFUSES, text, rule.name)
        if rule.verdict is not Verdict.DEFERRED:
            return gate.with_people(state, change, rule)
        until = deferred_until(rule, change)
        if at < until:
            text = rule.text or f"policy rule {rule.name} defers it"
            return Decision(
                verdict=Verdict.DEFERRED,
                reason=Reason.POLICY_DEFERS,
                text=text,
                rule=rule.name,
                until=until,
            )
    return refused(Reason.NO_POLICY_RULE, "no policy rule allows it")
