"""All that there is to know about a change before policy answers, worked out once a judgement."""

from dataclasses import dataclass
from datetime import datetime

from agent.core.conditions import Facts
from agent.core.policy import calendar
from agent.core.policy.budget import Budget, budgets_of
from agent.core.policy.conflicts import conflicts_of
from agent.core.policy.history import history_of
from agent.core.policy.known import facts_of
from agent.core.policy.risk import risk_of
from agent.core.state import State
from agent.model.change import Change
from agent.model.policy import Conflict, Decision
from agent.model.risk import Risk


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """What was found; `facts` is what conditions see of it."""

    risk: Risk
    conflicts: tuple[Conflict, ...]
    budgets: tuple[Budget, ...]
    by_time: Decision | None
    """What the calendars say; None: they permit it."""
    facts: Facts


def assess(state: State, change: Change, at: datetime) -> Assessment:
    """Look at a change now, for the time at which it may begin. Its remediation is registered."""
    by_time = calendar.by_time(state, change, at)
    begin = by_time.until if by_time is not None and by_time.until is not None else at
    conflicts = conflicts_of(state, change, begin)
    history = history_of(state, change)
    budgets = budgets_of(state, change.entity, at)
    risk = risk_of(state, change, begin, conflicts=conflicts, history=history, budgets=budgets)
    known = facts_of(
        state, change, at, conflicts=conflicts, risk=risk, history=history, budgets=budgets
    )
    return Assessment(risk=risk, conflicts=conflicts, budgets=budgets, by_time=by_time, facts=known)
