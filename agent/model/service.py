"""The service map: entities as Backstage names them, and bounded walks over what depends on what.

Business processes, people, suppliers and sites are entities like any other.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from agent.model.labels import Matcher
from agent.model.remediation import Host

EntityRef = str
"""`kind:namespace/name` in lower case, as Backstage writes it."""

WALK_ENTITIES_MAX = 2000
"""A walk stops here: the map may hold a hub under everything."""


class EntityKind(StrEnum):
    """What an entity is."""

    DOMAIN = "domain"
    SYSTEM = "system"
    COMPONENT = "component"
    RESOURCE = "resource"
    API = "api"
    GROUP = "group"
    USER = "user"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """One thing that services are made of, with what the watch has to know about it."""

    ref: EntityRef
    kind: EntityKind
    name: str
    title: str = ""
    description: str = ""
    type: str = ""
    lifecycle: str = ""
    owner: EntityRef | None = None
    depends_on: tuple[EntityRef, ...] = ()
    part_of: EntityRef | None = None
    provides_apis: tuple[EntityRef, ...] = ()
    tier: int | None = None
    """1 is what the business cannot be without; None: nobody said."""
    matches: tuple[tuple[Matcher, ...], ...] = ()
    """Alternatives; an alert whose labels satisfy all matchers of one belongs here."""
    metrics: tuple[Matcher, ...] = ()
    """Labels of its series; all compare for equality. Values for the templates of signals."""
    redundancy_group: str | None = None
    """Entities that stand in for each other; while one of them lives, dependants only degrade."""
    host: Host | None = None
    runs_on: EntityRef | None = None
    objective: float | None = None
    """Promised availability in percent per calendar month."""
    objective_window: timedelta | None = None
    """Over which time its error budget is reckoned; None: the default."""
    min_up: int | None = None
    """So many members of its redundancy group must stay healthy; None: nobody said."""
    supplier: EntityRef | None = None
    known_as: Mapping[str, str] = field(default_factory=dict)
    """What other tools call it, by Backstage's annotation of that."""
    cost_per_hour: float | None = None
    """What an hour of downtime costs, in the map's one currency."""

    @property
    def label(self) -> str:
        """What people call it."""
        return self.title or self.name


@dataclass(frozen=True, slots=True)
class ServiceMap:
    """All entities and both directions of their dependencies. Circles are allowed, walks end."""

    entities: Mapping[EntityRef, Entity]
    dependencies: Mapping[EntityRef, tuple[EntityRef, ...]] = field(default_factory=dict)
    dependants: Mapping[EntityRef, tuple[EntityRef, ...]] = field(default_factory=dict)
    groups: Mapping[str, tuple[EntityRef, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, entities: Mapping[EntityRef, Entity]) -> "ServiceMap":
        """The map of these entities. A part depends on nothing by being a part: the whole does.

        What an entity depends on: its `dependsOn`, its host (`runs_on`), its parts, its supplier.
        """
        down: dict[EntityRef, dict[EntityRef, None]] = {ref: {} for ref in entities}
        up: dict[EntityRef, dict[EntityRef, None]] = {ref: {} for ref in entities}
        groups: dict[str, list[EntityRef]] = {}
        for ref, entity in entities.items():
            below = [*entity.depends_on, entity.runs_on, entity.supplier]
            pairs = [(ref, lower) for lower in below if lower]
            if entity.part_of:
                pairs.append((entity.part_of, ref))
            for upper, lower in pairs:
                if upper in entities and lower in entities and upper != lower:
                    down[upper][lower] = None
                    up[lower][upper] = None
            if entity.redundancy_group:
                groups.setdefault(entity.redundancy_group, []).append(ref)
        return cls(
            entities=entities,
            dependencies={ref: tuple(refs) for ref, refs in down.items()},
            dependants={ref: tuple(refs) for ref, refs in up.items()},
            groups={name: tuple(refs) for name, refs in groups.items()},
        )

    def below(self, ref: EntityRef, hops: int) -> Iterator[tuple[EntityRef, int]]:
        """What `ref` rests on, nearest first, with the distance; `ref` itself is not given."""
        return _walk(self.dependencies, ref, hops)

    def above(self, ref: EntityRef, hops: int) -> Iterator[tuple[EntityRef, int]]:
        """What rests on `ref`, nearest first, with the distance; `ref` itself is not given."""
        return _walk(self.dependants, ref, hops)

    def label(self, ref: EntityRef) -> str:
        """What people call the entity; the reference itself where the map does not know it."""
        entity = self.entities.get(ref)
        return entity.label if entity else ref


def _walk(
    edges: Mapping[EntityRef, tuple[EntityRef, ...]], start: EntityRef, hops: int
) -> Iterator[tuple[EntityRef, int]]:
    seen = {start}
    level = [start]
    for distance in range(1, hops + 1):
        following: list[EntityRef] = []
        for ref in level:
            for neighbour in edges.get(ref, ()):
                if neighbour in seen:
                    continue
                if len(seen) > WALK_ENTITIES_MAX:
                    return
                seen.add(neighbour)
                following.append(neighbour)
                yield neighbour, distance
        level = following


def watched(service_map: ServiceMap) -> frozenset[EntityRef]:
    """The entities that are watched: an alert can tell about them.

    An entity is watched when it, or something that it rests on however far below, has matchers.
    One look at the whole map: ask once and keep the answer for as long as the map is the same.
    """
    seen = {ref for ref, entity in service_map.entities.items() if entity.matches}
    waiting = list(seen)
    while waiting:
        for above in service_map.dependants[waiting.pop()]:
            if above not in seen:
                seen.add(above)
                waiting.append(above)
    return frozenset(seen)


EMPTY_MAP = ServiceMap.of({})


class Health(StrEnum):
    """The state of an entity in an interval of time. `unknown` is never counted as up."""

    UP = "up"
    DEGRADED = "degraded"
    DOWN = "down"
    UNKNOWN = "unknown"
