"""What conditions of policy may look at: the change, its target, incident, calendar and history.

A value that nobody knows is left out, never defaulted: `has_` and `is_known` facts ask before.
"""

import re
from datetime import datetime

from agent.core import facts
from agent.core.conditions import Fact, Facts, Scope
from agent.core.policy import hours
from agent.core.policy.budget import Budget
from agent.core.policy.history import History
from agent.core.state import State
from agent.model.calendar import CalendarPurpose
from agent.model.change import Change
from agent.model.policy import INPUT_TEXT_MAX, INPUTS_MAX, Conflict
from agent.model.risk import Risk

_NAME = re.compile(r"\b(?:change|service|incident|calendar|history)\.\w+|\bnow\b")
ALWAYS_KEPT = ("change.type", "change.remediation", "change.risk", "change.risk_score")
"""What every decision keeps, whatever its rule looked at."""


def facts_of(
    state: State,
    change: Change,
    at: datetime,
    *,
    conflicts: tuple[Conflict, ...],
    risk: Risk,
    history: History,
    budgets: tuple[Budget, ...],
) -> Facts:
    """All that is known of a change at this moment."""
    incident = state.incidents.get(change.incident) if change.incident else None
    values: dict[str, Fact] = {
        **_change(state, change, conflicts, risk),
        **facts.service_facts(state, change.entity),
        **_service(state, change, budgets),
        **(facts.incident_facts(incident) if incident else {}),
        **_calendar(state, change, at),
        "history.runs": history.runs,
        "history.successes": history.successes,
        "history.failures": history.failures,
        "history.success_rate_low": history.success_rate_low,
        "history.last_failed": history.has_last_failed,
        "now": at,
    }
    return Facts(Scope.POLICY, values)


def inputs(known: Facts, texts: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """The facts that these conditions look at, with what every decision keeps, in words."""
    names = dict.fromkeys(ALWAYS_KEPT)
    for text in texts:
        names.update(dict.fromkeys(_NAME.findall(text)))
    found = [
        (name, _words(known.values[name])) if name in known.values else (name, "unknown")
        for name in names
        if name in known.scope.variables
    ]
    return tuple(found[:INPUTS_MAX])


def in_words(known: Facts) -> tuple[tuple[str, str], ...]:
    """All that conditions can look at, in words, by name; what nobody knows says so."""
    return tuple(
        (name, _words(known.values[name]) if name in known.values else "unknown")
        for name in sorted(known.scope.variables)
    )


def _change(
    state: State, change: Change, conflicts: tuple[Conflict, ...], risk: Risk
) -> dict[str, Fact]:
    remediation = state.config.remediations[change.remediation]
    return {
        "change.type": change.type.value,
        "change.remediation": change.remediation,
        "change.requested_by": change.requested_by,
        "change.is_automatic": change.requested_by.startswith("rule:"),
        "change.is_reversible": remediation.has_rollback or remediation.is_read_only,
        "change.has_check_mode": remediation.supports_check_mode,
        "change.attempt": change.attempt,
        "change.mode": change.mode.value if change.mode is not None else "none",
        "change.hosts": len(change.hosts),
        "change.parameters": {name: str(value) for name, value in change.parameters.items()},
        "change.risk": risk.level.value,
        "change.risk_score": risk.score,
        "change.has_conflict": bool(conflicts),
        "change.conflicts": list(dict.fromkeys(each.kind.value for each in conflicts)),
        "change.reach": state.derived.rests.reach(change.entity),
        "change.has_incident": change.incident in state.incidents,
    }


def _service(state: State, change: Change, budgets: tuple[Budget, ...]) -> dict[str, Fact]:
    entity = state.config.service_map.entities.get(change.entity)
    left = [each.left for each in budgets if each.left is not None]
    values: dict[str, Fact] = {
        "service.has_tier": entity is not None and entity.tier is not None,
        "service.has_owner": entity is not None and entity.owner is not None,
        "service.has_objective": bool(budgets),
        "service.is_budget_known": bool(budgets) and len(left) == len(budgets),
    }
    if left:
        values["service.budget_left"] = min(left)
    now = state.health.get(change.entity)
    values["service.health"] = now.health.value if now else "up"
    return values


def _calendar(state: State, change: Change, at: datetime) -> dict[str, Fact]:
    is_business_hours = hours.is_business_hours(state, change.entity, at)
    values: dict[str, Fact] = {
        "calendar.is_frozen": hours.is_open(state, CalendarPurpose.FREEZE, change.entity, at),
        "calendar.is_permitted": hours.is_open(state, CalendarPurpose.PERMIT, change.entity, at),
        "calendar.open": list(hours.open_windows(state, change.entity, at)),
        "calendar.has_business_hours": is_business_hours is not None,
    }
    if is_business_hours is not None:
        values["calendar.is_business_hours"] = is_business_hours
    return values


def _words(value: Fact) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.3f}"
    if isinstance(value, list):
        return ", ".join(value)[:INPUT_TEXT_MAX] or "none"
    return str(value)[:INPUT_TEXT_MAX]
