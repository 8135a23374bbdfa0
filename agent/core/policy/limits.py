"""How much at once: one change a target, few over the fleet, never too many of a group.

Decisions made together hold together: what was allowed a moment ago counts as under way already.
Not here: what is in the way by its place on the map (`conflicts`).
"""

from dataclasses import replace
from datetime import datetime

from agent.core.changes.targets import entities_of
from agent.core.policy.answers import LOOK_AGAIN, deferred
from agent.core.policy.memory import FLEET_STARTS_MAX, FleetStart
from agent.core.state import State
from agent.model.change import Change, ChangeState
from agent.model.policy import Decision
from agent.model.reason import Reason
from agent.model.remediation import Target
from agent.model.service import EntityRef, Health

UNDER_WAY = (
    ChangeState.STARTING,
    ChangeState.RUNNING,
    ChangeState.VERIFYING,
    ChangeState.UNKNOWN,
)
"""States in which a change holds its target."""
KEYS = ("host", "service", "owner")
"""Concurrency keys whose value is looked up; any other is a word that stands for itself."""


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


def concurrency_keys(state: State, change: Change, at: datetime) -> Decision | None:
    """No change under way shares a key that either of the two declares."""
    mine = _declared(state, change)
    for other in others_under_way(state, change):
        for key in dict.fromkeys((*mine, *_declared(state, other))):
            if key not in KEYS:
                is_shared = key in mine and key in _declared(state, other)
            else:
                is_shared = bool(_values(state, change, key) & _values(state, other, key))
            if is_shared:
                text = f"{other.id} is under way, and no two share one {key}"
                return deferred(Reason.CONCURRENCY, text)
    return None


def redundancy(state: State, change: Change, at: datetime) -> Decision | None:
    """Enough of a redundancy group is left alone, and so many stay healthy as the map demands.

    A member that is down takes nothing away when a person has it repaired. A rule counts it like
    any other: where a whole group is said to be down, people look first. What takes a group one by
    one is asked about each of its members as if it were the one; a member that is only degraded
    serves meanwhile, one that is down has to be repaired first.
    """
    remediation = state.config.remediations[change.remediation]
    taken = entities_of(state.config.service_map, change.entity, remediation)
    answers = (_one_away(state, replace(change, entity=ref), at) for ref in taken)
    return next((answer for answer in answers if answer is not None), None)


def _one_away(state: State, change: Change, at: datetime) -> Decision | None:
    service_map = state.config.service_map
    entity = service_map.entities.get(change.entity)
    if entity is None or entity.redundancy_group is None:
        return None
    group = service_map.groups[entity.redundancy_group]
    busy = {change.entity, *(o.entity for o in others_under_way(state, change))} & set(group)
    remediation = state.config.remediations[change.remediation]
    counts = tuple(Health) if remediation.target is Target.ENTITY else (Health.DOWN,)
    ill = {ref for ref in group if ref in state.health and state.health[ref].health in counts}
    now = state.health.get(change.entity)
    is_down = now is not None and now.health is Health.DOWN
    away = busy if is_down else busy | ill
    share = remediation.redundancy_share_max
    if len(away) > 1 and len(away) / len(group) > share:
        text = f"{len(away)} of {len(group)} in {entity.redundancy_group} would be away at once"
        return _in_a_moment(at, text)
    wanted = min_up(state, entity.redundancy_group)
    left = len(group) - len(busy | ill)
    if left >= wanted or (is_down and change.requested_by.startswith("person:")):
        return None
    text = f"{left} healthy would stay of {entity.redundancy_group}, and {wanted} must"
    return _in_a_moment(at, text)


def fleet(state: State, change: Change, at: datetime) -> Decision | None:
    """The remediation was not begun on more targets of late than it says."""
    remediation = state.config.remediations[change.remediation]
    if remediation.fleet_max is None:
        return None
    begun = state.gate.fleet.get(change.remediation, ())
    recent = {start.entity: start.at for start in begun if start.at + remediation.fleet_window > at}
    for other in others_under_way(state, change):
        if other.remediation == change.remediation:
            recent.setdefault(other.entity, at)
    recent.pop(change.entity, None)
    if len(recent) < remediation.fleet_max:
        return None
    text = (
        f"{change.remediation} was begun on {len(recent)} targets of late, and no more are allowed"
    )
    return deferred(
        Reason.BLAST_RADIUS, text, until=min(recent.values()) + remediation.fleet_window
    )


def min_up(state: State, group: str) -> int:
    """How many members of a group must stay healthy: the most that one of them says, else none."""
    service_map = state.config.service_map
    said = (service_map.entities[ref].min_up for ref in service_map.groups[group])
    return max((number for number in said if number is not None), default=0)


def note_start(state: State, change: Change, at: datetime) -> None:
    """A run of the change begins: it counts for the fleet."""
    remediation = state.config.remediations.get(change.remediation)
    if remediation is None or remediation.fleet_max is None:
        return
    begun = state.gate.fleet.setdefault(change.remediation, [])
    begun.append(FleetStart(at=at, entity=change.entity))
    since = at - remediation.fleet_window
    kept = [start for start in begun if start.at > since][-FLEET_STARTS_MAX:]
    state.gate.fleet[change.remediation] = kept


def others_under_way(state: State, change: Change) -> list[Change]:
    """The other changes that hold their targets now."""
    return [
        other
        for other in state.changes.values()
        if other.id != change.id and other.state in UNDER_WAY
    ]


def _in_a_moment(at: datetime, text: str) -> Decision:
    """Health changes without a word to those who wait: worth asking again soon."""
    return deferred(Reason.BLAST_RADIUS, text, until=at + LOOK_AGAIN)


def _declared(state: State, change: Change) -> tuple[str, ...]:
    remediation = state.config.remediations.get(change.remediation)
    return remediation.concurrency_keys if remediation else ()


def _values(state: State, change: Change, key: str) -> set[str | EntityRef]:
    if key == "host":
        return {host.name for host in change.hosts}
    entity = state.config.service_map.entities.get(change.entity)
    if key == "service":
        return {entity.part_of or entity.ref} if entity else {change.entity}
    return {entity.owner} if entity and entity.owner else set()
