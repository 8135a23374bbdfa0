"""What the lessons of one group of neighbours teach: counters that a ranking looks up.

Derived from the lessons alone, in their order, so that a table that grew lesson by lesson and one
that is built anew are the same to the last bit. Nothing here is kept in a snapshot.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import sqrt
from statistics import median

from agent.core.causes.alike import Shape, shape_of
from agent.core.causes.lesson import Lesson, Seen
from agent.model.incident import NO_CLEAR_EVIDENCE
from agent.model.service import EntityKind, EntityRef, ServiceMap

PSEUDO_INCIDENTS = 6.0
"""An entity's own past counts against this many incidents of what is usual for its node type."""
VARIANCE_FLOOR = 1.5
INCIDENTS_FOR_A_MEDIAN = 3
WHOLES = (EntityKind.COMPONENT, EntityKind.RESOURCE)
"""What has parts that stand for it; a system or a domain is a heading, not a thing that fails."""


@dataclass(slots=True)
class Moments:
    """Sums of a figure and of its square."""

    first: float = 0.0
    second: float = 0.0

    def add(self, value: float) -> None:
        """One more value."""
        self.first += value
        self.second += value * value


@dataclass(slots=True)
class Spread:
    """In how many places a kind of alert shows when it shows."""

    incidents: int = 0
    rarity: float = 0.0
    """The sum of 1 / places."""


@dataclass(slots=True)
class Experience:
    """The past of one group, as far as its lessons are kept."""

    service_map: ServiceMap
    incidents: int = 0
    series: dict[Seen, int] = field(default_factory=dict)
    """In how many incidents each showed."""
    firings: dict[str, int] = field(default_factory=dict)
    """By kind: the sum of the same over its series."""
    series_of: dict[str, int] = field(default_factory=dict)
    """By kind: how many series it has."""
    spreads: dict[str, Spread] = field(default_factory=dict)
    weights: dict[EntityRef, dict[str, float]] = field(default_factory=dict)
    """The sum of the evidence by place and kind."""
    values: dict[EntityRef, Moments] = field(default_factory=dict)
    entities_of: dict[str, dict[EntityRef, None]] = field(default_factory=dict)
    """By node type: the entities that ever showed a sign."""
    callers: dict[EntityRef, float] = field(default_factory=dict)
    """The sum of the shares of a caller in the calls that were complained of."""
    sizes: list[int] = field(default_factory=list)
    confirmed: list[Lesson] = field(default_factory=list)
    patterns: dict[str, Shape] = field(default_factory=dict)
    """By label: what the incidents of each pattern looked like."""
    _types: dict[str, tuple[float, float]] = field(default_factory=dict)

    def add(self, lesson: Lesson) -> None:
        """One more incident is over."""
        self.incidents += 1
        self._types.clear()
        self.sizes.append(lesson.signs)
        if lesson.confirmed_by is not None and lesson.cause is not None:
            self.confirmed.append(lesson)
        if lesson.pattern is not None and lesson.pattern != NO_CLEAR_EVIDENCE:
            shape = shape_of(self.service_map, lesson)
            self.patterns.setdefault(lesson.pattern, Shape()).add(shape)
        self._add_series(lesson)
        self._add_values(lesson)

    def _add_series(self, lesson: Lesson) -> None:
        places: dict[str, dict[EntityRef, None]] = {}
        for seen in lesson.seen:
            known = self.series.get(seen, 0)
            self.series[seen] = known + 1
            self.firings[seen.kind] = self.firings.get(seen.kind, 0) + 1
            if not known:
                self.series_of[seen.kind] = self.series_of.get(seen.kind, 0) + 1
            places.setdefault(seen.kind, {})[whole_of(self.service_map, seen.entity)] = None
        for kind, found in places.items():
            spread = self.spreads.setdefault(kind, Spread())
            spread.incidents += 1
            spread.rarity += 1.0 / len(found)

    def _add_values(self, lesson: Lesson) -> None:
        for entity, kinds in lesson.evidence.items():
            self.values.setdefault(entity, Moments()).add(value_of(kinds.values()))
            known = self.weights.setdefault(entity, {})
            for kind, weight in kinds.items():
                known[kind] = known.get(kind, 0.0) + weight
            known_of = self.entities_of.setdefault(node_type(self.service_map, entity), {})
            known_of[entity] = None
        for caller, share in lesson.callers.items():
            self.callers[caller] = self.callers.get(caller, 0.0) + share

    def surprise(self, entity: EntityRef, value: float) -> float:
        """How far a value is above what is usual for the entity, in standard deviations.

        Mean and variance over all incidents, nothing where it was silent, shrunk to those of its
        node type. Without a past there is nothing to compare with, so little is made of it.
        """
        own = self.values.get(entity, _NOTHING)
        first, second = self._usual_of_type(entity)
        weight = self.incidents + PSEUDO_INCIDENTS
        mean = (own.first + PSEUDO_INCIDENTS * first) / weight
        square = (own.second + PSEUDO_INCIDENTS * second) / weight
        return (value - mean) / sqrt(max(0.0, square - mean * mean) + VARIANCE_FLOOR)

    def specificity(self, kind: str) -> float:
        """Near 2 for a kind of alert that shows in one place when it shows, near 0 for a chorus."""
        spread = self.spreads.get(kind, _NOWHERE)
        return 2.0 * (spread.rarity + 0.5) / (spread.incidents + 1)

    def probability(self, seen: Seen) -> float:
        """How likely it is that an incident of this group shows this sign."""
        kind, count = seen.kind, self.incidents
        usual = (self.firings.get(kind, 0) + 0.08) / (count * self.series_of.get(kind, 0) + 4)
        return (self.series.get(seen, 0) + 0.3 * usual) / (count + 0.3)

    def usual_share(self, caller: EntityRef) -> float:
        """The share that the caller has in the calls that incidents complain of."""
        return self.callers.get(caller, 0.0) / (self.incidents + 1)

    def unusual(self, entity: EntityRef, kinds: Mapping[str, float]) -> dict[str, float]:
        """What is above the mean weight of each kind at a place; one incident of none is added."""
        known, count = self.weights.get(entity, {}), self.incidents + 1
        above = {kind: weight - known.get(kind, 0.0) / count for kind, weight in kinds.items()}
        return {kind: weight for kind, weight in above.items() if weight > 0.0}

    def usual_size(self) -> float | None:
        """The median number of signs of an incident; None while too few are known."""
        return median(self.sizes) if self.incidents >= INCIDENTS_FOR_A_MEDIAN else None

    def _usual_of_type(self, entity: EntityRef) -> tuple[float, float]:
        name = node_type(self.service_map, entity)
        if name not in self._types:
            alike = self.entities_of.get(name, {})
            count = max(1, self.incidents * len(alike))
            values = [self.values[other] for other in alike]
            self._types[name] = (
                sum(value.first for value in values) / count,
                sum(value.second for value in values) / count,
            )
        return self._types[name]


def value_of(weights: Iterable[float]) -> float:
    """What the evidence of an entity is worth together; the root keeps the many from shouting."""
    return sqrt(sum(weights))


def whole_of(service_map: ServiceMap, ref: EntityRef) -> EntityRef:
    """The service of an instance; itself where it is not a part of a service on the map."""
    entity = service_map.entities.get(ref)
    if entity is None or entity.part_of is None:
        return ref
    whole = service_map.entities.get(entity.part_of)
    return ref if whole is None or whole.kind not in WHOLES else whole.ref


def node_type(service_map: ServiceMap, ref: EntityRef) -> str:
    """What an entity is compared with: others of its kind and type, parts with parts."""
    entity = service_map.entities.get(ref)
    if entity is None:
        return ""
    part = "part of " if whole_of(service_map, ref) != ref else ""
    return f"{part}{entity.kind}/{entity.type}"


_NOTHING = Moments()
_NOWHERE = Spread()
