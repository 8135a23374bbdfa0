"""How much at once: one change a target, few over the fleet, never too many of a group."""

from datetime import datetime

from agent.core.policy.answers import deferred
from agent.core.state import State
from agent.model.change import Change, ChangeState
from agent.model.policy import Decision
from agent.model.reason import Reason

UNDER_WAY = (
    ChangeState.STARTING,
    ChangeState.RUNNING,
    ChangeState.VERIFYING,
    ChangeState.UNKNOWN,
)
"""States in which a change holds its target."""


def concurrency(state: State, change: Change, at: datetime) -> Decision | None:
    """Nothing else is under way on the target, and not too much elsewhere."""
    under_way = others_under_way(state, change)
    for other in under_way:
        shared = {host.name for host in change.hosts} & {host.name for host in other.hosts}
        if other.entity == change.entity or shared:
            return deferred(Reason.CONCURRENCY, f"{other.id} is under way on the same target")
    policy = state.config.policy
    if policy is not None and len(under_way) >= policy.concurrency_max:
        return deferred(Reason.CONCURRENCY, f"{len(under_way)} changes are under way already")
    return None


def blast_radius(state: State, change: Change, at: datetime) -> Decision | None:
    """Enough of a redundancy group is left alone."""
    entity = state.config.service_map.entities.get(change.entity)
    remediation = state.config.remediations[change.remediation]
    if entity is None or entity.redundancy_group is None:
        return None
    group = state.config.service_map.groups[entity.redundancy_group]
    busy = {change.entity, *(o.entity for o in others_under_way(state, change))} & set(group)
    if len(busy) > 1 and len(busy) / len(group) > remediation.redundancy_share_max:
        return deferred(
            Reason.BLAST_RADIUS, f"{len(busy)} of {len(group)} in {entity.redundancy_group}"
        )
    return None


def others_under_way(state: State, change: Change) -> list[Change]:
    """The other changes that hold their targets now."""
    return [
        other
        for other in state.changes.values()
        if other.id != change.id and other.state in UNDER_WAY
    ]
