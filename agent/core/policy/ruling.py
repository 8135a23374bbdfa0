"""Which rule of the policy decides about a change: the first whose condition holds."""

from datetime import datetime

from agent.core import facts
from agent.core.conditions import ConditionFailure
from agent.core.policy import calendar
from agent.core.policy.answers import refused
from agent.core.state import State
from agent.model.change import Change
from agent.model.policy import Decision, PolicyRule, Verdict
from agent.model.reason import Reason


def rule_for(state: State, change: Change, at: datetime) -> PolicyRule | None:
    """The policy rule that decides about this change, if there is one."""
    rule = ruling(state, change, at)
    return rule if isinstance(rule, PolicyRule) else None


def ruling(state: State, change: Change, at: datetime) -> PolicyRule | Decision:
    """The rule that decides, or the answer where there is none, or none can be read."""
    policy = state.config.policy
    if policy is None:
        return refused(Reason.POLICY_MISSING, "there is no readable change policy")
    blind = calendar.unreadable(state, at)
    if blind is not None:
        return blind
    known = facts.of_change(state, change, at)
    for rule, condition in zip(policy.rules, state.derived.policy, strict=True):
        try:
            holds = condition.holds(known)
        except ConditionFailure as failure:
            return refused(Reason.POLICY_FAILED, f"policy rule {rule.name}: {failure}", rule.name)
        if holds and rule.verdict is Verdict.REFUSED:
            text = rule.text or f"policy rule {rule.name} refuses it"
            return refused(Reason.POLICY_REFUSES, text, rule.name)
        if holds:
            return rule
    return refused(Reason.NO_POLICY_RULE, "no policy rule allows it")
