"""What rests on what, kept ready for the gate: walks of the map are made once and remembered.

Not here: what follows from it (`risk`, `conflicts`, `budget`).
"""

from typing import TypeVar

from agent.model.service import EntityRef, ServiceMap

Value = TypeVar("Value")

NEAR_HOPS = 3
"""Changes further apart on the map than this are in nobody's way."""
FAR_HOPS = 8
"""Nothing is told to rest on what is further away."""
KEPT_MAX = 2_000
"""Walks of so many entities are remembered, then all are forgotten and made anew."""


class Rests:
    """Bounded walks over one map, remembered."""

    def __init__(self, service_map: ServiceMap) -> None:
        self._map = service_map
        self._below: dict[EntityRef, dict[EntityRef, int]] = {}
        self._above: dict[EntityRef, dict[EntityRef, int]] = {}
        self._reach: dict[EntityRef, int] = {}
        self._promised: dict[EntityRef, tuple[EntityRef, ...]] = {}

    def below(self, ref: EntityRef) -> dict[EntityRef, int]:
        """What the entity rests on nearby, with the distance."""
        known = self._below.get(ref)
        if known is None:
            known = _kept(self._below, ref, dict(self._map.below(ref, NEAR_HOPS)))
        return known

    def above(self, ref: EntityRef) -> dict[EntityRef, int]:
        """What rests on the entity nearby, with the distance."""
        known = self._above.get(ref)
        if known is None:
            known = _kept(self._above, ref, dict(self._map.above(ref, NEAR_HOPS)))
        return known

    def reach(self, ref: EntityRef) -> int:
        """How many entities rest on it, however far within `FAR_HOPS`."""
        self._walk(ref)
        return self._reach[ref]

    def promised(self, ref: EntityRef) -> tuple[EntityRef, ...]:
        """The entity and what rests on it, as far as an availability was promised for them."""
        self._walk(ref)
        return self._promised[ref]

    def _walk(self, ref: EntityRef) -> None:
        if ref in self._reach:
            return
        above = [upper for upper, _ in self._map.above(ref, FAR_HOPS)]
        entities = self._map.entities
        promised = (
            each
            for each in (ref, *above)
            if each in entities and entities[each].objective is not None
        )
        _kept(self._promised, ref, tuple(promised))
        _kept(self._reach, ref, len(above))


def _kept(memory: dict[EntityRef, Value], ref: EntityRef, value: Value) -> Value:
    if len(memory) >= KEPT_MAX:
        memory.clear()
    memory[ref] = value
    return value
