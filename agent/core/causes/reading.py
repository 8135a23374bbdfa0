"""What the signs of an incident weigh: rare ones more, those that many places show less.

The weight of a series is its surprise -ln q (`Experience.probability`), times how specific its
kind is, divided by how many places show the kind now. Not here: whose fault it is (`worth`).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import log, sqrt

from agent.core.belonging import Sign
from agent.core.causes.experience import Experience, value_of, whole_of
from agent.core.causes.lesson import Seen
from agent.model.service import EntityRef

PROBABILITY_FLOOR = 0.002


@dataclass(slots=True)
class Reading:
    """The evidence of one incident, place by place."""

    signs: int = 0
    seen: dict[Seen, None] = field(default_factory=dict)
    by_kind: dict[EntityRef, dict[str, float]] = field(default_factory=dict)
    own: dict[EntityRef, float] = field(default_factory=dict)
    """The part of it that is not about calls."""
    callers: dict[EntityRef, float] = field(default_factory=dict)
    """The share of each caller in the signs that are about calls."""
    value: dict[EntityRef, float] = field(default_factory=dict)
    first: dict[EntityRef, str] = field(default_factory=dict)
    """The weightiest kind of each place, by the name that an alert of it carries."""


def read(signs: Iterable[Sign], experience: Experience) -> Reading:
    """Weigh the signs of an incident by what earlier incidents of its group showed."""
    placed = [(sign, sign.entity) for sign in signs if sign.entity is not None]
    places: dict[str, dict[EntityRef, None]] = {}
    calls: dict[EntityRef, int] = {}
    for sign, entity in placed:
        places.setdefault(sign.kind, {})[whole_of(experience.service_map, entity)] = None
        if sign.peer is not None:
            calls[sign.peer] = calls.get(sign.peer, 0) + 1
    factor = {kind: experience.specificity(kind) / len(found) for kind, found in places.items()}
    reading = Reading(signs=len(placed))
    groups: dict[tuple[EntityRef, str], _Synonyms] = {}
    for sign, entity in placed:
        seen = Seen(entity, sign.kind, sign.name, sign.peer)
        odds = max(PROBABILITY_FLOOR, min(1.0, experience.probability(seen)))
        reading.seen[seen] = None
        group = groups.setdefault((entity, sign.kind), _Synonyms(sign.name))
        group.add(-log(odds) * factor[sign.kind], is_own=sign.peer is None)
    total = sum(calls.values())
    reading.callers = {caller: count / total for caller, count in calls.items()}
    for (entity, kind), group in groups.items():
        reading.by_kind.setdefault(entity, {})[kind] = group.weight
        if group.is_own:
            reading.own[entity] = reading.own.get(entity, 0.0) + group.weight
    for entity, kinds in reading.by_kind.items():
        reading.value[entity] = value_of(kinds.values())
        weightiest = max(sorted(kinds), key=kinds.__getitem__)
        reading.first[entity] = groups[entity, weightiest].name
    return reading


@dataclass(slots=True)
class _Synonyms:
    """The series of one kind at one place: they are not independent, so they add up slowly."""

    name: str
    largest: float = 0.0
    count: int = 0
    is_own: bool = False

    def add(self, weight: float, *, is_own: bool) -> None:
        self.count += 1
        self.largest = max(self.largest, weight)
        self.is_own = self.is_own or is_own

    @property
    def weight(self) -> float:
        return round(self.largest * sqrt(self.count), 4)
