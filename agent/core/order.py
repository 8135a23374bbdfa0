"""In which order the health of entities is worked out: what one rests on before what rests on it.

Entities that rest on each other in a circle form one unit and are judged together. Not here: what
their health is (`health`).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from agent.model.service import EntityRef, ServiceMap

_Node = tuple[str, str]
"""An entity, or a redundancy group: what rests on a member looks at all members."""


@dataclass(frozen=True, slots=True)
class Order:
    """The rank of every entity, lower ones first, and the circles among them."""

    rank: dict[EntityRef, int]
    circles: dict[EntityRef, tuple[EntityRef, ...]]
    """Entity to all members of its circle; most maps have none."""


def order_of(service_map: ServiceMap) -> Order:
    """The order of a map (Tarjan's strongly connected components, without recursion)."""
    rank: dict[EntityRef, int] = {}
    circles: dict[EntityRef, tuple[EntityRef, ...]] = {}
    for number, unit in enumerate(_units(service_map)):
        members = tuple(sorted(name for kind, name in unit if kind == "entity"))
        for ref in members:
            rank[ref] = number
            if len(members) > 1:
                circles[ref] = members
    return Order(rank, circles)


def _below(service_map: ServiceMap, node: _Node) -> Iterator[_Node]:
    kind, name = node
    if kind == "group":
        yield from (("entity", ref) for ref in service_map.groups[name])
        return
    for ref in service_map.dependencies.get(name, ()):
        yield "entity", ref
        group = service_map.entities[ref].redundancy_group
        if group:
            yield "group", group


def _units(service_map: ServiceMap) -> Iterator[list[_Node]]:
    """Strongly connected components, dependencies first."""
    index: dict[_Node, int] = {}
    low: dict[_Node, int] = {}
    waiting: dict[_Node, None] = {}
    for ref in service_map.entities:
        start = ("entity", ref)
        if start in index:
            continue
        index[start] = low[start] = len(index)
        waiting[start] = None
        path: list[tuple[_Node, Iterator[_Node]]] = [(start, _below(service_map, start))]
        while path:
            node, following = path[-1]
            lower = next(following, None)
            if lower is None:
                path.pop()
                if path:
                    above = path[-1][0]
                    low[above] = min(low[above], low[node])
                if low[node] == index[node]:
                    yield _unit(waiting, node)
            elif lower not in index:
                index[lower] = low[lower] = len(index)
                waiting[lower] = None
                path.append((lower, _below(service_map, lower)))
            elif lower in waiting:
                low[node] = min(low[node], index[lower])


def _unit(waiting: dict[_Node, None], node: _Node) -> list[_Node]:
    unit: list[_Node] = []
    while True:
        last, _ = waiting.popitem()
        unit.append(last)
        if last == node:
            return unit
