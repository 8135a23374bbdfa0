"""Which parts of the service map hang together more among themselves than with the rest.

Greedy modularity (Clauset, Newman, Moore: Finding community structure in very large networks,
2004) over all kinds of edges, direction left out, ties by reference. The size of the whole map is
counted as `SCALE` edges at most: the neighbourhoods of one corner do not grow because another
corner does. Nothing is random, so two agents with one map have the same neighbourhoods.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from agent.model.service import EntityKind, EntityRef, ServiceMap

WHOLES_MAX = 8
"""A part of a part of a part ends here: a map may hold circles."""
PASSES_MAX = 8
SCALE = 500
"""Two neighbourhoods with one edge between them part when their degrees multiply to twice this."""
_WHOLES = (EntityKind.COMPONENT, EntityKind.RESOURCE)

_Links = list[dict[int, int]]
"""Places by number: other place to the number of edges."""


@dataclass(frozen=True, slots=True)
class Neighbourhoods:
    """The neighbourhoods of one map, each named by the smallest place in it."""

    place: dict[EntityRef, EntityRef]
    """A part of a component, such as an instance of a service, to its whole; others to itself."""
    of: dict[EntityRef, str]
    """Place to its neighbourhood; places without an edge have none."""
    size: dict[str, int] = field(default_factory=dict)
    """How many places."""
    links: dict[str, dict[str, int]] = field(default_factory=dict)
    """Neighbouring neighbourhoods, with the number of edges between them."""


def neighbourhoods_of(service_map: ServiceMap) -> Neighbourhoods:
    """The neighbourhoods of a map: about a second for 50,000 entities and 125,000 edges."""
    place = {ref: place_of(service_map, ref) for ref in service_map.entities}
    names = sorted(set(place.values()))
    number = {ref: index for index, ref in enumerate(names)}
    links, degree = _links(service_map, {ref: number[whole] for ref, whole in place.items()})
    loose = {ref for ref, edges in zip(names, degree, strict=True) if not edges}
    home = _settle(links, degree)
    return _named(
        place, {ref: to for ref, to in zip(names, home, strict=True) if ref not in loose}, links
    )


def place_of(service_map: ServiceMap, ref: EntityRef) -> EntityRef:
    """The whole that an entity is a part of, as an instance is of its service; else itself."""
    entities = service_map.entities
    place = ref
    for _ in range(WHOLES_MAX):
        entity = entities.get(place)
        upper = entities.get(entity.part_of) if entity and entity.part_of else None
        if upper is None or upper.kind not in _WHOLES:
            return place
        place = upper.ref
    return ref


def _links(service_map: ServiceMap, number: dict[EntityRef, int]) -> tuple[_Links, list[int]]:
    """How many edges lead from each place to which other, and how many it has in all."""
    count = max(number.values(), default=-1) + 1
    links: _Links = [{} for _ in range(count)]
    degree = [0] * count
    for upper, lowers in _edges(service_map):
        one = number[upper]
        here = links[one]
        degree[one] += len(lowers)
        for lower in lowers:
            other = number[lower]
            degree[other] += 1
            if one != other:
                here[other] = links[other][one] = here.get(other, 0) + 1
    return links, degree


def _edges(service_map: ServiceMap) -> Iterator[tuple[EntityRef, Sequence[EntityRef]]]:
    entities = service_map.entities
    for ref, lowers in service_map.dependencies.items():
        provided = entities[ref].provides_apis
        apis = [api for api in provided if api in entities and api != ref] if provided else ()
        if lowers or apis:
            yield ref, (*lowers, *apis)


def _settle(links: _Links, degree: list[int]) -> list[int]:
    """Place to the number of its neighbourhood; leaves in `links` those between them."""
    twice = 2 * min(SCALE, sum(degree) // 2 or 1)
    home = list(range(len(links)))
    while True:
        moved = _move_all(links, degree, twice)
        if all(to == place for place, to in enumerate(moved)):
            return home
        home = [moved[to] for to in home]
        _contract(links, degree, moved)


def _move_all(links: _Links, degree: list[int], twice: int) -> list[int]:
    """Let each place move to the neighbour's home where it gains most, until none wants to."""
    home = list(range(len(links)))
    total = list(degree)
    order: Iterable[int] = [place for place, others in enumerate(links) if others]
    for _ in range(PASSES_MAX):
        restless: set[int] = set()
        for place in order:
            here, share = home[place], degree[place] / twice
            weights: dict[int, int] = {}
            for other, weight in links[place].items():
                there = home[other]
                weights[there] = weights.get(there, 0) + weight
            total[here] -= degree[place]
            best, best_gain = here, weights.get(here, 0) - share * total[here]
            for there, weight in weights.items():
                gain = weight - share * total[there]
                if gain > best_gain or (gain == best_gain and there < best):
                    best, best_gain = there, gain
            total[best] += degree[place]
            if best != here:
                home[place] = best
                restless.update(links[place])
        if not restless:
            break
        order = sorted(restless)
    return home


def _contract(links: _Links, degree: list[int], home: list[int]) -> None:
    """Make one place of all that share a home."""
    sums = [0] * len(degree)
    for place, to in enumerate(home):
        sums[to] += degree[place]
    degree[:] = sums
    joined: _Links = [{} for _ in links]
    for place, others in enumerate(links):
        here = home[place]
        row = joined[here]
        for other, weight in others.items():
            there = home[other]
            if there != here:
                row[there] = row.get(there, 0) + weight
    links[:] = joined


def _named(
    place: dict[EntityRef, EntityRef], home: dict[EntityRef, int], links: _Links
) -> Neighbourhoods:
    """Every neighbourhood by the smallest place in it."""
    name: dict[int, str] = {}
    of: dict[EntityRef, str] = {}
    size: dict[str, int] = {}
    for ref, to in home.items():
        of[ref] = called = name.setdefault(to, ref)
        size[called] = size.get(called, 0) + 1
    between = {
        called: {name[other]: weight for other, weight in sorted(links[to].items())}
        for to, called in name.items()
    }
    return Neighbourhoods(place, of, size, between)
