"""How alike two incidents are: by their likely causes, and by what those showed.

Not here: which incidents are compared, and what is made of it (`taught`, `patterns`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import log1p, sqrt

from agent.core.causes.lesson import Lesson
from agent.model.service import EntityRef, ServiceMap

CAUSE_SHARE = 0.5
NEIGHBOURS_MAX = 50


def likeness(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    """The cosine of two profiles, 0 to 1; 0 where one is empty."""
    product = sum(weight * other.get(kind, 0.0) for kind, weight in one.items())
    if not product:
        return 0.0
    squares = sum(w * w for w in one.values()) * sum(w * w for w in other.values())
    return product / sqrt(squares)


@dataclass(slots=True)
class Shape:
    """What one incident looked like, or several of one pattern added up."""

    incidents: int = 0
    beliefs: dict[EntityRef, float] = field(default_factory=dict)
    profile: dict[str, float] = field(default_factory=dict)
    """What the first cause, its parts and what it hosts showed, by kind."""
    clarity: float = 0.0
    """The belief in the first cause."""
    size: float = 0.0
    """The logarithm of the number of signs."""

    def add(self, other: "Shape") -> None:
        """One more incident of the pattern."""
        self.incidents += other.incidents
        for mine, more in ((self.beliefs, other.beliefs), (self.profile, other.profile)):
            for key, weight in more.items():
                mine[key] = mine.get(key, 0.0) + weight
        self.clarity += other.clarity
        self.size += other.size

    def alike(self, other: "Shape") -> float:
        """How alike an incident is to those of a pattern, 0 to 1.

        Half by the likely causes, half by what the first of them showed. The less clear the
        causes are, the more the number of signs stands in for the latter.
        """
        clarity = sqrt(other.clarity * self.clarity / self.incidents)
        small, large = sorted((other.size, self.size / self.incidents))
        shown = clarity * likeness(other.profile, self.profile) + (1.0 - clarity) * small / large
        same = likeness(other.beliefs, self.beliefs)
        return CAUSE_SHARE * same + (1.0 - CAUSE_SHARE) * shown


def shape_of(service_map: ServiceMap, lesson: Lesson) -> Shape:
    """What the incident of a lesson looked like."""
    shape = Shape(incidents=1, beliefs=dict(lesson.beliefs), size=log1p(lesson.signs))
    shape.clarity = max(lesson.beliefs.values(), default=0.0)
    for ref in _with_parts(service_map, lesson.cause) if lesson.cause else ():
        for kind, weight in lesson.evidence.get(ref, {}).items():
            shape.profile[kind] = shape.profile.get(kind, 0.0) + weight
    return shape


def _with_parts(service_map: ServiceMap, cause: EntityRef) -> list[EntityRef]:
    entities = service_map.entities
    below = service_map.dependencies.get(cause, ())[:NEIGHBOURS_MAX]
    above = service_map.dependants.get(cause, ())[:NEIGHBOURS_MAX]
    parts = [ref for ref in below if entities[ref].part_of == cause]
    return [cause, *parts, *(ref for ref in above if entities[ref].runs_on == cause)]
