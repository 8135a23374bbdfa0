"""In which order the health of entities is worked out: what one rests on before what rests on it.

Entities that rest on each other in a circle form one knot and are judged together. Not here: what
their health is (`health`).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from agent.model.knots import knots
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
    """The order of a map."""
    rank: dict[EntityRef, int] = {}
    circles: dict[EntityRef, tuple[EntityRef, ...]] = {}
    nodes = (("entity", ref) for ref in service_map.entities)
    for number, knot in enumerate(knots(nodes, lambda node: _below(service_map, node))):
        members = tuple(sorted(name for kind, name in knot if kind == "entity"))
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
