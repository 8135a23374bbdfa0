"""Rules about several alerts: whether what must also fire in the incident does.

Only alerts that fire now count, each for one condition; at most the newest `OTHERS_MAX`.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from agent.core import facts
from agent.core.conditions import Condition, ConditionFailure
from agent.core.state import ActiveAlert, State
from agent.model.incident import Incident
from agent.model.rule import RemediationRule

OTHERS_MAX = 200
"""An incident may have thousands of alerts; only its newest are looked at."""

Fits = tuple[datetime, tuple[int, ...]]
"""When an alert was heard of, and which of the conditions hold for it."""


def is_complete(
    state: State, rule: RemediationRule, active: ActiveAlert, incident: Incident
) -> bool:
    """Whether each of the other conditions holds for another alert, all near in time."""
    conditions = state.derived.rules.also(rule)
    if not conditions:
        return True
    found = [
        (other.heard_at, fits)
        for other in firing(state, incident)
        if other is not active and (fits := _fits(state, conditions, other, incident))
    ]
    return any(
        _can_all_be_met(len(conditions), [fits for _, fits in window])
        for window in _windows(found, active.heard_at, rule.within)
    )


def subjects(
    state: State, newcomer: ActiveAlert, incident: Incident
) -> Iterator[tuple[RemediationRule, ActiveAlert]]:
    """Which rules may be complete with this newcomer, and the alerts that they would act on."""
    for rule, also in state.derived.rules.with_others:
        if any(condition.may_hold(newcomer.alert.labels) for condition in also):
            for other in firing(state, incident):
                if other is not newcomer:
                    yield rule, other


def firing(state: State, incident: Incident) -> list[ActiveAlert]:
    """The newest alerts of an incident that fire and that nothing mutes, the newest first."""
    names = state.members[incident.id].firing
    found: list[ActiveAlert] = []
    for name in reversed(names):
        active = state.alerts[name]
        if not active.suppressed_by:
            found.append(active)
        if len(found) == OTHERS_MAX:
            break
    return found


def _fits(
    state: State, conditions: Sequence[Condition], active: ActiveAlert, incident: Incident
) -> tuple[int, ...]:
    likely = [
        number
        for number, condition in enumerate(conditions)
        if condition.may_hold(active.alert.labels)
    ]
    if not likely:
        return ()
    known = facts.of_alert(state, active, incident)
    fits = []
    for number in likely:
        try:
            if conditions[number].holds(known):
                fits.append(number)
        except ConditionFailure:
            # Counts as "does not hold": the condition is about another kind of alert.
            continue
    return tuple(fits)


def _windows(
    found: Sequence[Fits], subject: datetime, within: timedelta | None
) -> Iterator[list[Fits]]:
    """The alerts of each stretch of this length that holds the subject."""
    if within is None:
        yield list(found)
        return
    for start in {subject: None, **{at: None for at, _ in found}}:
        if start <= subject <= start + within:
            yield [each for each in found if start <= each[0] <= start + within]


def _can_all_be_met(count: int, fits: Sequence[tuple[int, ...]]) -> bool:
    """Whether every condition gets an alert of its own (Kuhn's augmenting paths)."""
    taken: dict[int, int] = {}

    def place(alert: int, tried: dict[int, None]) -> bool:
        for number in fits[alert]:
            if number not in tried:
                tried[number] = None
                if number not in taken or place(taken[number], tried):
                    taken[number] = alert
                    return True
        return False

    for alert in range(len(fits)):
        place(alert, {})
        if len(taken) == count:
            return True
    return False
