"""The part of the map that an incident touches, placed in layers for a drawing on the server.

What rests on others stands above them, so that a cause is found at the bottom. Pure and
deterministic: a node keeps its place from one page to the next while the map stays the same.
Not a graph library: a bounded neighbourhood needs layers, two sweeps and straight curves.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from agent.model.incident import Incident
from agent.model.service import EntityRef, ServiceMap
from agent.web.views.catalogue import Catalogue
from agent.web.views.services import TONES, HealthNow, health_of
from agent.web.views.words import Tone, entity_label, word

NODES_MAX = 32
ROW_MAX = 4
"""A wider layer is broken into rows, so that the drawing fits beside the text."""
HOPS_MAX = 3
SWEEPS = 4
LABEL_CHARACTERS_MAX = 20
NODE_WIDTH, NODE_HEIGHT = 164, 46
GAP_X, GAP_Y, MARGIN = 20, 48, 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A box of the drawing; `x`, `y` are its upper left corner."""

    ref: EntityRef
    label: str
    short: str
    kind: str
    health: str
    tone: Tone
    role: str
    """`cause`, `alerting`, `hit` or nothing."""
    x: int
    y: int
    rests_on: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """A line from what depends down to what it rests on, as an SVG path."""

    path: str
    hot: bool
    """Both ends are hit: the way that the failure took."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """A drawing with its size; `omitted` entities were too many to draw."""

    width: int
    height: int
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    omitted: int


def incident_graph(
    incident: Incident, catalogue: Catalogue, current: Mapping[EntityRef, HealthNow]
) -> Graph | None:
    """The drawing for an incident; None where the map knows nothing of it."""
    service_map = catalogue.service_map
    refs, omitted = _neighbourhood(incident, service_map)
    if not refs:
        return None
    drawn = set(refs)
    edges = [
        (upper, lower)
        for upper in refs
        for lower in service_map.dependencies.get(upper, ())
        if lower in drawn
    ]
    layers = _layers(refs, edges)
    places, width, height = _places(layers)
    hit = {*incident.entities, *incident.services, *(cause.entity for cause in incident.causes[:1])}
    below: dict[EntityRef, list[EntityRef]] = {}
    for upper, lower in edges:
        below.setdefault(upper, []).append(lower)

    def node(ref: EntityRef) -> Node:
        health = health_of(ref, current, is_watched=ref in catalogue.watched)
        label = entity_label(ref, service_map)
        return Node(
            ref=ref,
            label=label,
            short=_clipped(label),
            kind=service_map.entities[ref].type or word(service_map.entities[ref].kind),
            health=word(health),
            tone=TONES[health],
            role=_role(ref, incident),
            x=places[ref][0],
            y=places[ref][1],
            rests_on=tuple(entity_label(lower, service_map) for lower in below.get(ref, ())),
        )

    return Graph(
        width=width,
        height=height,
        nodes=tuple(node(ref) for layer in layers for ref in layer),
        edges=tuple(
            Edge(
                path=_curve(places[upper], places[lower]),
                hot=upper in hit and lower in hit,
            )
            for upper, lower in _direct(edges)
        ),
        omitted=omitted,
    )


def _neighbourhood(incident: Incident, service_map: ServiceMap) -> tuple[list[EntityRef], int]:
    """Causes, where alerts fire and who is hit; then what lies around the cause, nearest first."""
    wanted: dict[EntityRef, None] = {}
    own = [cause.entity for cause in incident.causes] + [*incident.entities, *incident.services]
    for ref in own:
        wanted[ref] = None
    for ref in own[:1]:
        for walk in (service_map.above(ref, HOPS_MAX), service_map.below(ref, 1)):
            for found, _ in walk:
                wanted[found] = None
    known = [ref for ref in wanted if ref in service_map.entities]
    return known[:NODES_MAX], max(0, len(known) - NODES_MAX)


def _layers(
    refs: Sequence[EntityRef], edges: Iterable[tuple[EntityRef, EntityRef]]
) -> list[list[EntityRef]]:
    """Entities by their longest way down from the top, each layer ordered to cross few lines."""
    upper_of: dict[EntityRef, list[EntityRef]] = {ref: [] for ref in refs}
    lower_of: dict[EntityRef, list[EntityRef]] = {ref: [] for ref in refs}
    for upper, lower in edges:
        upper_of[lower].append(upper)
        lower_of[upper].append(lower)
    depth = dict.fromkeys(refs, 0)
    # A circle would push its members down for ever: as many rounds as nodes, and no deeper.
    for _ in range(len(refs)):
        moved = False
        for ref in refs:
            wanted = max((depth[upper] + 1 for upper in upper_of[ref]), default=0)
            if depth[ref] < wanted < len(refs):
                depth[ref], moved = wanted, True
        if not moved:
            break
    levels = sorted(set(depth.values()))
    layers = [sorted(ref for ref in refs if depth[ref] == level) for level in levels]
    for sweep in range(SWEEPS):
        downwards = sweep % 2 == 0
        neighbours = upper_of if downwards else lower_of
        for layer in layers if downwards else reversed(layers):
            position = {ref: _share(layers, ref) for ref in refs}
            layer.sort(key=lambda ref: _middle(ref, neighbours, position))
    return layers


def _direct(edges: Sequence[tuple[EntityRef, EntityRef]]) -> list[tuple[EntityRef, EntityRef]]:
    """Edges that no longer way stands for: the drawing says the same with fewer lines."""
    lower_of: dict[EntityRef, set[EntityRef]] = {}
    for upper, lower in edges:
        lower_of.setdefault(upper, set()).add(lower)

    def reaches(start: EntityRef, end: EntityRef) -> bool:
        seen, waiting = {start}, [start]
        while waiting:
            for lower in sorted(lower_of.get(waiting.pop(), ())):
                if lower == end:
                    return True
                if lower not in seen:
                    seen.add(lower)
                    waiting.append(lower)
        return False

    kept = []
    for upper, lower in edges:
        lower_of[upper].discard(lower)
        if not reaches(upper, lower):
            lower_of[upper].add(lower)
            kept.append((upper, lower))
    return kept


def _share(layers: Sequence[Sequence[EntityRef]], ref: EntityRef) -> float:
    layer = next(layer for layer in layers if ref in layer)
    return (layer.index(ref) + 0.5) / len(layer)


def _middle(
    ref: EntityRef,
    neighbours: Mapping[EntityRef, Sequence[EntityRef]],
    position: Mapping[EntityRef, float],
) -> float:
    near = [position[other] for other in neighbours[ref]]
    return sum(near) / len(near) if near else position[ref]


def _places(
    layers: Sequence[Sequence[EntityRef]],
) -> tuple[dict[EntityRef, tuple[int, int]], int, int]:
    rows = [layer[i : i + ROW_MAX] for layer in layers for i in range(0, len(layer), ROW_MAX)]
    widest = max(len(row) for row in rows)
    width = widest * (NODE_WIDTH + GAP_X) - GAP_X + 2 * MARGIN
    height = len(rows) * (NODE_HEIGHT + GAP_Y) - GAP_Y + 2 * MARGIN
    places: dict[EntityRef, tuple[int, int]] = {}
    for level, row in enumerate(rows):
        taken = len(row) * (NODE_WIDTH + GAP_X) - GAP_X
        left = (width - taken) // 2
        for index, ref in enumerate(row):
            places[ref] = (
                left + index * (NODE_WIDTH + GAP_X),
                MARGIN + level * (NODE_HEIGHT + GAP_Y),
            )
    return places, width, height


def _curve(upper: tuple[int, int], lower: tuple[int, int]) -> str:
    x1, y1 = upper[0] + NODE_WIDTH // 2, upper[1] + NODE_HEIGHT
    x2, y2 = lower[0] + NODE_WIDTH // 2, lower[1]
    bend = max(GAP_Y, abs(y2 - y1)) // 2
    return f"M{x1} {y1}C{x1} {y1 + bend} {x2} {y2 - bend} {x2} {y2}"


def _role(ref: EntityRef, incident: Incident) -> str:
    if ref == incident.cause:
        return "cause"
    if ref in incident.entities:
        return "alerting"
    return "hit" if ref in incident.services else ""


def _clipped(label: str) -> str:
    too_long = len(label) > LABEL_CHARACTERS_MAX
    return label[: LABEL_CHARACTERS_MAX - 1] + "…" if too_long else label
