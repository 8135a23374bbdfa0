"""Who is hit by an incident, and how much that matters: told from the map, upwards.

Worked out once for each entity that begins to alert, and kept; an incident of a thousand alerts
on one entity asks the map once.
"""

import heapq

from agent.core.derived import HOPS_MAX
from agent.core.state import Members, State
from agent.model.incident import Level
from agent.model.service import EntityRef

HIT_MAX = 200
"""No more are looked at; an incident that hits this many is the largest there is."""
SERVICES_NAMED_MAX = 20


def spread(state: State, members: Members, entity: EntityRef) -> None:
    """An entity began to alert: it is hit, and so is what rests on it."""
    service_map = state.config.service_map
    if len(members.hit) >= HIT_MAX or entity not in service_map.entities:
        return
    for ref in (entity, *(upper for upper, _ in service_map.above(entity, HOPS_MAX))):
        if ref not in members.hit:
            members.hit[ref] = None
            tier = service_map.entities[ref].tier
            if tier is not None and (members.tier is None or tier < members.tier):
                members.tier = tier


def services(state: State, members: Members) -> tuple[EntityRef, ...]:
    """Who is hit, the business's own names first."""
    order = state.derived.business_order
    known = [ref for ref in members.hit if ref in order]
    return tuple(heapq.nsmallest(SERVICES_NAMED_MAX, known, key=order.__getitem__))


def level(members: Members) -> Level:
    """From the highest tier that is hit; where nobody set a tier, medium."""
    if members.tier is None:
        return Level.MEDIUM
    return {1: Level.HIGH, 2: Level.MEDIUM}.get(members.tier, Level.LOW)
