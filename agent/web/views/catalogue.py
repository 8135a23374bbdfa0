"""What follows from the map alone: which entities are watched, and which matter most.

Worked out once a map and kept by whoever asks: with 50,000 entities a page cannot do it each time.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from agent.model.service import Entity, EntityKind, EntityRef, Health, ServiceMap

KINDS = (
    EntityKind.DOMAIN,
    EntityKind.SYSTEM,
    EntityKind.COMPONENT,
    EntityKind.RESOURCE,
    EntityKind.API,
)
"""What the page of services shows; people and teams are owners there."""
WATCHED_HOPS_MAX = 6
NO_TIER = 9


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The entities of a map as the page of services needs them."""

    service_map: ServiceMap
    watched: frozenset[EntityRef]
    ranked: tuple[Entity, ...]
    """Everything that is shown, the most important first."""
    counts: Mapping[Health, int]
    """How many are up and unknown while nothing is wrong."""

    @classmethod
    def of(cls, service_map: ServiceMap) -> "Catalogue":
        """The catalogue of a map."""
        seen = watched(service_map)
        shown = [entity for entity in service_map.entities.values() if entity.kind in KINDS]
        return cls(
            service_map=service_map,
            watched=seen,
            ranked=tuple(sorted(shown, key=importance)),
            counts=Counter(quiet_health(entity.ref in seen) for entity in shown),
        )


def importance(entity: Entity) -> tuple[int, int, str]:
    """The order among equals in health: tier, kind, name."""
    return entity.tier or NO_TIER, KINDS.index(entity.kind), entity.label.casefold()


def quiet_health(is_watched: bool) -> Health:
    """The health of what no incident touches: unknown where no alert could ever tell."""
    return Health.UP if is_watched else Health.UNKNOWN


def watched(service_map: ServiceMap) -> frozenset[EntityRef]:
    """Entities that alerts are matched to, and everything that rests on one of them."""
    seen = {ref for ref, entity in service_map.entities.items() if entity.matches}
    waiting = list(seen)
    while waiting:
        for above in service_map.dependants.get(waiting.pop(), ()):
            if above not in seen:
                seen.add(above)
                waiting.append(above)
    return frozenset(seen)


def is_watched(ref: EntityRef, service_map: ServiceMap) -> bool:
    """The same for one entity, without a look at the whole map; near below is far enough."""
    entities = service_map.entities
    if ref in entities and entities[ref].matches:
        return True
    return any(entities[below].matches for below, _ in service_map.below(ref, WATCHED_HOPS_MAX))
