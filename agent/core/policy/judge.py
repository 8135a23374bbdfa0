"""May it: the one gate before every run, whoever asked, judged when asked and again at start.

Fails closed: what cannot be read, evaluated or found is refused. The checks stand in `CHECKS` in
the order in which they are made; each is a function of its own beside this file.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from agent.core.autonomy import gate
from agent.core.policy import (
    approvals,
    assessment,
    attempts,
    budget,
    conflicts,
    emergency,
    known,
    limits,
    needs,
    ruling,
    standard,
)
from agent.core.policy.assessment import Assessment
from agent.core.state import State
from agent.model.change import Change, ChangeType
from agent.model.policy import Decision, PolicyRule, Verdict
from agent.model.reason import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What every check is asked: this change at this moment, and what was found out before."""

    state: State
    change: Change
    """With the risk and the conflicts of this moment."""
    at: datetime
    seen: Assessment
    rule: PolicyRule | Decision
    """The rule of policy that decides, or why none does."""


Ask = Callable[[Question], Decision | None]
"""None: nothing against it. Looked up when asked, so that each can be replaced in a test."""


class Check(NamedTuple):
    """One thing that must be so before anything runs."""

    name: str
    promise: str
    ask: Ask


def _ruled(asked: Question) -> Decision | None:
    return asked.rule if isinstance(asked.rule, Decision) else None


def _time_left(asked: Question) -> Decision | None:
    by_time = asked.seen.by_time
    return by_time if by_time is not None and by_time.verdict is Verdict.REFUSED else None


def _time(asked: Question) -> Decision | None:
    return asked.seen.by_time


def _template(asked: Question) -> Decision | None:
    return standard.is_covered(asked.state, asked.change, asked.at, asked.seen.facts)


def _budget(asked: Question) -> Decision | None:
    return budget.is_left(asked.state, asked.change, asked.seen.budgets)


def _approvals(asked: Question) -> Decision | None:
    rule = asked.rule
    if isinstance(rule, Decision) or rule.verdict is not Verdict.NEEDS_APPROVAL:
        return None
    # Before its window opens is the time to approve a change.
    return approvals.missing_approvals(asked.state, asked.change, rule, asked.at)


def _conflicts(asked: Question) -> Decision | None:
    return conflicts.in_the_way(asked.state, asked.change, asked.at, asked.seen.conflicts)


CHECKS: tuple[Check, ...] = (
    Check(
        "still possible",
        "what would run, and where, is what was asked for",
        lambda asked: needs.still_possible(asked.state, asked.change, asked.at),
    ),
    Check(
        "policy rule", "a rule of policy decides about it, and does not refuse or defer it", _ruled
    ),
    Check(
        "still needed",
        "the alert that it is for still fires",
        lambda asked: needs.still_needed(asked.state, asked.change, asked.at),
    ),
    Check(
        "emergencies answered for",
        "an emergency of who owes no answer for an earlier one",
        lambda asked: emergency.blocks(asked.state, asked.change, asked.at),
    ),
    Check(
        "attempts",
        "a rule has not tried too often",
        lambda asked: attempts.attempts_left(asked.state, asked.change, asked.at),
    ),
    Check(
        "mode",
        "its rule is in force and may act by itself",
        lambda asked: gate.may_act(asked.state, asked.change, asked.at),
    ),
    Check("template", "a standard change is covered by a template", _template),
    Check("time left", "a moment at which it may run is in sight", _time_left),
    Check("error budget", "what it touches has error budget left", _budget),
    Check("approvals", "as many people as policy asks for have approved", _approvals),
    Check("time", "no freeze holds, and a window is open where one is needed", _time),
    Check(
        "cooldown",
        "the last attempt had time to show what it did",
        lambda asked: attempts.cooldown(asked.state, asked.change, asked.at),
    ),
    Check(
        "concurrency",
        "nothing else is under way at the same place",
        lambda asked: limits.concurrency(asked.state, asked.change, asked.at),
    ),
    Check(
        "keys",
        "nothing under way shares a concurrency key",
        lambda asked: limits.concurrency_keys(asked.state, asked.change, asked.at),
    ),
    Check("conflicts", "no change is in its way", _conflicts),
    Check(
        "redundancy",
        "enough of its redundancy group stays",
        lambda asked: limits.redundancy(asked.state, asked.change, asked.at),
    ),
    Check(
        "fleet",
        "it was not begun on too many targets of late",
        lambda asked: limits.fleet(asked.state, asked.change, asked.at),
    ),
)
"""From top to bottom; the first that answers decides, and if none does it may run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """Policy's answer, with what it is about; `seen` is None where nothing could be looked at."""

    decision: Decision
    seen: Assessment | None
    asked: Question | None


def judge(state: State, change: Change, at: datetime) -> Decision:
    """Policy's answer about this change at this moment, by the rule set in force."""
    return judgement(state, change, at).decision


def judgement(state: State, change: Change, at: datetime) -> Judgement:
    """The answer, with the risk, conflicts and facts that it was given by."""
    policy = state.config.policy
    digest = policy.digest if policy else ""
    hopeless = ruling.unreadable(state, at) or needs.still_registered(state, change)
    if hopeless is not None:
        return Judgement(decision=replace(hopeless, policy=digest), seen=None, asked=None)
    asked = _question(state, change, at)
    answers = (check.ask(asked) for check in CHECKS)
    decision = next((answer for answer in answers if answer is not None), None)
    decision = decision or _allowed(asked)
    inputs = known.inputs(asked.seen.facts, _looked_at(asked))
    decision = replace(decision, policy=digest, inputs=inputs)
    return Judgement(decision=decision, seen=asked.seen, asked=asked)


def _question(state: State, change: Change, at: datetime) -> Question:
    seen = assessment.assess(state, change, at)
    change = replace(change, risk=seen.risk, conflicts=seen.conflicts)
    rule = ruling.ruling(state, change, at, seen.facts)
    return Question(state=state, change=change, at=at, seen=seen, rule=rule)


def _looked_at(asked: Question) -> tuple[str, ...]:
    """The conditions that brought it to the rule that decides: that rule's own."""
    policy = asked.state.config.policy
    name = asked.rule.rule if isinstance(asked.rule, Decision) else asked.rule.name
    return tuple(rule.when for rule in (policy.rules if policy else ()) if rule.name == name)


def _allowed(asked: Question) -> Decision:
    rule = asked.rule
    assert not isinstance(rule, Decision), "what no rule allows was refused before"
    if rule.verdict is Verdict.NEEDS_APPROVAL:
        words = approvals.valid_approvals(asked.state, asked.change, rule, asked.at)
        return Decision(
            verdict=Verdict.ALLOWED,
            reason=Reason.APPROVED,
            text="approved by " + ", ".join(word.by for word in words),
            rule=rule.name,
        )
    is_standard = asked.change.type is ChangeType.STANDARD
    return Decision(
        verdict=Verdict.ALLOWED,
        reason=Reason.STANDARD_CHANGE if is_standard else Reason.POLICY_ALLOWS,
        text=rule.text or f"policy rule {rule.name} allows it",
        rule=rule.name,
    )
