"""How risky a change is now: what is looked at, and the points that the policy's table gives.

What cannot be told counts as the worst finding of its input, so knowing more never adds risk.
Not here: what policy makes of the level (`ruling`, `approvals`).
"""

from collections.abc import Mapping
from datetime import datetime

from agent.core.policy import hours
from agent.core.policy.budget import Budget
from agent.core.policy.history import RUNS_MIN, History
from agent.core.state import State
from agent.model.change import Change
from agent.model.policy import Conflict
from agent.model.risk import DEFAULT_RISK_MODEL, Risk, RiskInput, RiskModel

REACH_MANY = 5
REACH_MOST = 20
"""So many resting on the target, directly or not, are `many`, and `most`."""
SHARE_HALF = 1 / 3
SHARE_MORE = 1 / 2
"""Of a redundancy group; above the first it counts as `half`, above the second as `more`."""
PROVEN, GOOD, MIXED = 0.9, 0.7, 0.5
"""Lower bounds of the success rate."""
AMPLE, SHORT = 0.5, 0.2
"""What is left of the error budget."""

Finding = tuple[str | None, str]
"""Which finding of the table it is (None: nobody can tell), and what was found in words."""


def risk_of(
    state: State,
    change: Change,
    begin: datetime,
    *,
    conflicts: tuple[Conflict, ...],
    history: History,
    budgets: tuple[Budget, ...],
) -> Risk:
    """The risk of a change that would begin at that moment."""
    policy = state.config.policy
    findings: Mapping[str, Finding] = {
        "tier": _tier(state, change),
        "reach": _reach(state, change),
        "share": _share(state, change),
        "history": _history(history),
        "time": hours.finding(state, change.entity, begin),
        "budget": _budget(state, budgets),
        "rollback": _rollback(state, change),
        "conflict": _conflict(conflicts),
        "check_mode": _check_mode(state, change),
    }
    return scored(policy.risk if policy else DEFAULT_RISK_MODEL, findings)


def scored(model: RiskModel, findings: Mapping[str, Finding]) -> Risk:
    """The points of these findings, and the level of their sum."""
    inputs = tuple(
        RiskInput(
            name=name,
            value=value if finding else f"unknown: {value}",
            points=model.points[f"{name}.{finding}"] if finding else model.worst(name),
        )
        for name, (finding, value) in findings.items()
    )
    score = sum(each.points for each in inputs)
    return Risk(level=model.level_of(score), score=score, inputs=inputs, version=model.digest)


def _tier(state: State, change: Change) -> Finding:
    entity = state.config.service_map.entities.get(change.entity)
    above = state.derived.rests.above(change.entity)
    entities = state.config.service_map.entities
    said = [entities[ref].tier for ref in (change.entity, *above) if ref in entities]
    tiers = [tier for tier in said if tier is not None]
    if entity is None or not tiers:
        return None, "no tier is set"
    return f"{min(tiers)}", f"{min(tiers)}, the highest of the target and what rests on it"


def _reach(state: State, change: Change) -> Finding:
    if change.entity not in state.config.service_map.entities:
        return None, "the target is not on the map"
    number = state.derived.rests.reach(change.entity)
    word = "most" if number >= REACH_MOST else "many" if number >= REACH_MANY else "few"
    return "none" if not number else word, f"{number} rest on it"


def _share(state: State, change: Change) -> Finding:
    entity = state.config.service_map.entities.get(change.entity)
    if entity is None:
        return None, "the target is not on the map"
    if entity.redundancy_group is None:
        return "none", "nothing stands in for it"
    number = len(state.config.service_map.groups[entity.redundancy_group])
    share = 1 / number
    word = "more" if share > SHARE_MORE else "half" if share > SHARE_HALF else "small"
    return word, f"1 of {number} that stand in for each other"


def _history(history: History) -> Finding:
    if history.runs < RUNS_MIN:
        return None, f"{history.runs} runs on this kind of target"
    low = history.success_rate_low
    words = f"{history.successes} of {history.runs} helped, at least {low:.0%} do"
    if history.has_last_failed:
        return "poor" if low < GOOD else "mixed", f"{words}; the last one did not"
    for word, bound in (("proven", PROVEN), ("good", GOOD), ("mixed", MIXED)):
        if low >= bound:
            return word, words
    return "poor", words


def _budget(state: State, budgets: tuple[Budget, ...]) -> Finding:
    if not budgets:
        return "ample", "no availability is promised"
    known = [(each.left, each.entity) for each in budgets if each.left is not None]
    if known and (lowest := min(known))[0] <= 0:
        return "spent", f"nothing left for {state.config.service_map.label(lowest[1])}"
    if len(known) < len(budgets):
        return None, "not watched for long enough"
    left, ref = min(known)
    word = "ample" if left >= AMPLE else "short" if left >= SHORT else "nearly_spent"
    return word, f"{left:.0%} left for {state.config.service_map.label(ref)}"


def _rollback(state: State, change: Change) -> Finding:
    remediation = state.config.remediations[change.remediation]
    if remediation.has_rollback or remediation.is_read_only:
        return "declared", "a rollback is declared"
    return "irreversible", "it cannot be undone"


def _conflict(conflicts: tuple[Conflict, ...]) -> Finding:
    if not conflicts:
        return "none", "nothing is in its way"
    return "found", ", ".join(dict.fromkeys(each.other for each in conflicts[:5]))


def _check_mode(state: State, change: Change) -> Finding:
    remediation = state.config.remediations[change.remediation]
    if remediation.supports_check_mode:
        return "supported", "a dry run tells what it would do"
    return "unsupported", "no dry run can tell what it would do"
