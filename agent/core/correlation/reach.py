"""How far an incident reaches: from its probable cause, from where it began, and where it alerts.

Membership is judged against the cause and not against the nearest member, so that no chain of
neighbours grows without end. The cause may be named wrong at first, or be a place that the map
does not connect; so the place of the first alert counts too, and these two are all. A hub is not
crossed sideways: that two of its many users alert proves nothing, unless it alerts itself.
Distances count places: the parts of a component, such as the instances of a service, are at one
place with it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum

from agent.core.correlation.neighbourhoods import place_of
from agent.model.service import WALK_ENTITIES_MAX, EntityRef, ServiceMap

SIBLINGS_MAX = 20
"""What more than this share is infrastructure: that two of its users alert proves little."""


class Way(IntEnum):
    """How a place is reached from the cause."""

    HERE = 0
    UP = 1
    """It rests on the cause."""
    DOWN = 2
    """The cause rests on it."""
    ASIDE = 3
    """Both have something in common."""


@dataclass(frozen=True, slots=True)
class Step:
    """How a place lies to the cause of an incident."""

    distance: int
    way: Way
    is_from_cause: bool = False
    """Else from where the incident began."""


_HERE = Step(0, Way.HERE)
_CAUSE = Step(0, Way.HERE, is_from_cause=True)


@dataclass(slots=True)
class _Told:
    """What is known of one incident: places only."""

    cause: EntityRef | None
    alerting: dict[EntityRef, Step]
    reached: tuple[EntityRef, ...] = ()


class Reach:
    """Which live incidents an alert at a place may join."""

    def __init__(self, service_map: ServiceMap, hops: int) -> None:
        self._map = service_map
        self._hops = hops
        self._near: dict[EntityRef, dict[str, Step]] = {}
        self._told: dict[str, _Told] = {}
        self._never: dict[str, None] = {}
        self._parts: dict[EntityRef, tuple[EntityRef, ...]] = {}
        self._around: dict[EntityRef, tuple[tuple[EntityRef, ...], tuple[EntityRef, ...]]] = {}

    def of(self, entity: EntityRef) -> Mapping[str, Step]:
        """The live incidents that reach an entity, with how it lies to their causes."""
        return self._near.get(place_of(self._map, entity), {})

    def __eq__(self, other: object) -> bool:
        """Whether alerts would join the same incidents by both."""
        return isinstance(other, Reach) and self._near == other._near

    __hash__ = None  # type: ignore[assignment]

    def changed(
        self, incident: str, entities: Iterable[EntityRef], cause: EntityRef | None
    ) -> None:
        """Say anew what an incident reaches."""
        if incident in self._never:
            return
        self._take_back(incident)
        told = _Told(
            cause=place_of(self._map, cause) if cause is not None else None,
            alerting={place_of(self._map, entity): _HERE for entity in entities},
        )
        steps = dict(told.alerting)
        first = next(iter(told.alerting), None)
        for start in dict.fromkeys((told.cause, first)):
            if start is not None:
                is_cause = start == told.cause
                for place, step in self._walk(start, told.alerting, is_cause=is_cause).items():
                    steps.setdefault(place, step)
        if told.cause is not None:
            steps[told.cause] = _CAUSE
        for place, step in steps.items():
            self._near.setdefault(place, {})[incident] = step
        told.reached = tuple(steps)
        self._told[incident] = told

    def added(self, incident: str, entity: EntityRef) -> None:
        """Another entity alerts in an incident whose cause stays what it is."""
        if incident in self._never:
            return
        told, place = self._told.get(incident), place_of(self._map, entity)
        if told is None:
            self.changed(incident, (entity,), None)
            return
        if place in told.alerting:
            return
        if any(len(others) > SIBLINGS_MAX for others in self.around(place)):
            # A hub that alerts itself may be crossed.
            self.changed(incident, (*told.alerting, place), told.cause)
            return
        told.alerting[place] = _HERE
        near = self._near.setdefault(place, {})
        if incident not in near:
            told.reached = (*told.reached, place)
        if place != told.cause:
            near[incident] = _HERE

    def gone(self, incident: str) -> None:
        """Nothing may join the incident any more."""
        self._never.pop(incident, None)
        self._take_back(incident)

    def never(self, incident: str) -> None:
        """The incident is of many things and reaches nothing, now and later."""
        self._take_back(incident)
        self._never[incident] = None

    def _take_back(self, incident: str) -> None:
        told = self._told.pop(incident, None)
        for place in told.reached if told else ():
            incidents = self._near[place]
            incidents.pop(incident, None)
            if not incidents:
                del self._near[place]

    def around(self, place: EntityRef) -> tuple[tuple[EntityRef, ...], tuple[EntityRef, ...]]:
        """The places that a place rests on, and those that rest on it."""
        found = self._around.get(place)
        if found is None:
            self._around[place] = found = self._look_around(place)
        return found

    def place(self, entity: EntityRef) -> EntityRef:
        """The place of an entity."""
        return place_of(self._map, entity)

    def parts(self, place: EntityRef) -> tuple[EntityRef, ...]:
        """A place with all that is a part of it."""
        self.around(place)
        return self._parts[place]

    def _look_around(self, place: EntityRef) -> tuple[tuple[EntityRef, ...], tuple[EntityRef, ...]]:
        below: dict[EntityRef, None] = {}
        above: dict[EntityRef, None] = {}
        parts = [place]
        for part in parts:
            for lower in self._map.dependencies.get(part, ()):
                whole = place_of(self._map, lower)
                if whole != place:
                    below[whole] = None
                elif lower not in parts:
                    parts.append(lower)
            for upper in self._map.dependants.get(part, ()):
                above[place_of(self._map, upper)] = None
        above.pop(place, None)
        self._parts[place] = tuple(parts)
        return tuple(below), tuple(above)

    def _walk(
        self, start: EntityRef, alerting: Mapping[EntityRef, Step], *, is_cause: bool
    ) -> dict[EntityRef, Step]:
        """Places within the hops; straight ways up and down count before those aside."""
        seen = {start: _HERE}
        level = [start]
        for distance in range(1, self._hops + 1):
            straight: dict[EntityRef, Step] = {}
            aside: dict[EntityRef, Step] = {}
            for place in level:
                way = seen[place].way
                for there, others in zip((Way.DOWN, Way.UP), self.around(place), strict=True):
                    if way in (Way.HERE, there):
                        straight.update(dict.fromkeys(others, Step(distance, there, is_cause)))
                    elif place in alerting or len(others) <= SIBLINGS_MAX:
                        aside.update(dict.fromkeys(others, Step(distance, Way.ASIDE, is_cause)))
            fresh = {place: step for place, step in (aside | straight).items() if place not in seen}
            seen.update(fresh)
            level = list(fresh)
            if len(seen) > WALK_ENTITIES_MAX:
                break
        return seen
