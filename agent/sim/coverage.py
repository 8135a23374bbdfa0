"""Which rules a scenario made hold: what never did was never tested.

Not here: playing scenarios (`scenario`), or telling of them (`cli.test`).
"""

from collections.abc import Iterator

from agent.core import facts
from agent.core.conditions import ConditionFailure
from agent.core.state import State
from agent.model.rule import Config


def rules_of(config: Config) -> tuple[str, ...]:
    """Every rule that could hold, as `kind NAME`, in the order in which they are written."""
    policy = config.policy.rules if config.policy else ()
    return (
        *(f"remediation rule {rule.name}" for rule in config.remediation_rules),
        *(f"policy rule {rule.name}" for rule in policy),
        *(f"inhibit rule {rule.name}" for rule in config.inhibit_rules),
        *(f"route {route.name}" for route in config.routes),
        *(f"ticketing {rule.name}" for rule in config.ticketing),
    )


def holding(state: State) -> Iterator[str]:
    """The rules that hold at this moment, or by which something was decided."""
    for active in state.alerts.values():
        for muter in active.suppressed_by:
            kind, _, name = muter.partition(":")
            if kind == "inhibit":
                yield f"inhibit rule {name}"
        incident = state.incidents.get(active.incident or "")
        if incident is None:
            continue
        known = facts.of_alert(state, active, incident)
        for rule, condition in state.derived.rules.may_match(active.alert.labels):
            try:
                if condition.holds(known):
                    yield f"remediation rule {rule.name}"
            except ConditionFailure:
                # It cannot be told, so it does not hold.
                continue
    for change in state.changes.values():
        if change.decision is not None and change.decision.rule is not None:
            yield f"policy rule {change.decision.rule}"
    for incident in state.incidents.values():
        for route, about in state.derived.routes:
            if facts.concerns(state, incident, about):
                yield f"route {route.name}"
        for ticketing, about in state.derived.ticketing:
            if facts.concerns(state, incident, about):
                yield f"ticketing {ticketing.name}"
