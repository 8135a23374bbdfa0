"""Where on the service map an alert belongs, found by lookup and not by trying every entity."""

from agent.core.matching import Predicate, compile_all
from agent.model.labels import Labels, MatchOperator
from agent.model.service import EntityRef, ServiceMap


class Places:
    """The matchers of all entities, indexed by the labels that they compare for equality."""

    def __init__(self, service_map: ServiceMap) -> None:
        self._exact: dict[tuple[str, ...], dict[tuple[str, ...], list[_Place]]] = {}
        for ref, entity in service_map.entities.items():
            for matchers in entity.matches:
                equal = sorted(
                    (m.name, m.value) for m in matchers if m.operator is MatchOperator.EQUAL
                )
                rest = [m for m in matchers if m.operator is not MatchOperator.EQUAL]
                names = tuple(name for name, _ in equal)
                values = tuple(value for _, value in equal)
                place = _Place(ref, len(matchers), compile_all(rest) if rest else None)
                self._exact.setdefault(names, {}).setdefault(values, []).append(place)
        self._service_map = service_map
        self._named: dict[str, EntityRef] | None = None

    def find(self, labels: Labels) -> EntityRef | None:
        """The entity with the most matchers that all hold; ties go to the smaller reference."""
        best: _Place | None = None
        for names, index in self._exact.items():
            places = index.get(tuple([labels.get(name, "") for name in names]))
            if places is None:
                continue
            for place in places:
                if (best is None or place.precedes(best)) and place.takes(labels):
                    best = place
        return best.ref if best else None

    def named(self, word: str) -> EntityRef | None:
        """The entity that a word means: its reference, its name, or what its alerts call it.

        Where several are meant, the smallest reference.
        """
        if word in self._service_map.entities:
            return word
        if self._named is None:
            self._named = _names(self._service_map)
        return self._named.get(word)


def _names(service_map: ServiceMap) -> dict[str, EntityRef]:
    """Every word that stands for an entity; what its own matcher says counts more than a name."""
    by_name: dict[str, EntityRef] = {}
    by_value: dict[str, EntityRef] = {}
    for ref in sorted(service_map.entities):
        entity = service_map.entities[ref]
        by_name.setdefault(entity.name, ref)
        for matchers in entity.matches:
            if len(matchers) == 1 and matchers[0].operator is MatchOperator.EQUAL:
                by_value.setdefault(matchers[0].value, ref)
    return by_name | by_value


class _Place:
    __slots__ = ("matchers", "ref", "rest")

    def __init__(self, ref: EntityRef, matchers: int, rest: Predicate | None) -> None:
        self.ref, self.matchers, self.rest = ref, matchers, rest

    def takes(self, labels: Labels) -> bool:
        return self.rest is None or self.rest(labels)

    def precedes(self, other: "_Place") -> bool:
        return (-self.matchers, self.ref) < (-other.matchers, other.ref)
