"""What follows from the map alone: which entities are watched, and which matter most.

Worked out once a map and kept by whoever asks: with 50,000 entities a page cannot do it each time.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from agent.model.service import Entity, EntityKind, EntityRef, Health, ServiceMap, watched

KINDS = (
    EntityKind.DOMAIN,
    EntityKind.SYSTEM,
    EntityKind.COMPONENT,
    EntityKind.RESOURCE,
    EntityKind.API,
)
"""What the page of services shows; people and teams are owners there."""
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
