"""Services by health: domains, their systems and parts; what is wrong comes first.

An entity that nothing watches is unknown, never up.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Protocol

from agent.model.incident import Incident, IncidentState
from agent.model.service import Entity, EntityKind, EntityRef, Health, ServiceMap
from agent.web.views.catalogue import KINDS, Catalogue, importance, quiet_health
from agent.web.views.words import Badge, Link, Moment, Tone, entity_label, lasting, word

ROWS_MAX = 500
"""Rows on the page; of a larger map the unhealthy and the most important ones are shown."""
DEPTH_MAX = 4
INCIDENTS_SHOWN_MAX = 4

TONES = {
    Health.DOWN: Tone.BAD,
    Health.DEGRADED: Tone.WARN,
    Health.UNKNOWN: Tone.MUTED,
    Health.UP: Tone.GOOD,
}
_WORST_FIRST = list(TONES)
NOWHERE = "Outside of any domain"


class HealthNow(Protocol):
    """The health of an entity that is not simply up."""

    @property
    def health(self) -> Health:
        """What it is."""

    @property
    def since(self) -> datetime:
        """Since when."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRow:
    """One service with its state now."""

    ref: EntityRef
    name: str
    kind: str
    depth: int
    tier: str
    health: Badge
    since: Moment | None
    incidents: tuple[Link, ...]
    incidents_omitted: int
    objective: str
    owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSection:
    """One domain with everything in it."""

    name: str
    rows: tuple[ServiceRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicesView:
    """The whole page."""

    sections: tuple[ServiceSection, ...]
    counts: tuple[Badge, ...]
    shown: int
    total: int


def health_of(
    ref: EntityRef, current: Mapping[EntityRef, HealthNow], *, is_watched: bool
) -> Health:
    """The health of one entity now."""
    now = current.get(ref)
    return now.health if now else quiet_health(is_watched)


def services_view(
    catalogue: Catalogue,
    current: Mapping[EntityRef, HealthNow],
    incidents: Iterable[Incident],
    now: datetime,
    *,
    only_trouble: bool = False,
) -> ServicesView:
    """The page over the whole map; its cost follows what is wrong and shown, not the map."""
    service_map, entities = catalogue.service_map, catalogue.service_map.entities
    touched = [entities[ref] for ref in current if ref in entities and entities[ref].kind in KINDS]
    counts = _counts(catalogue, touched, current)
    kept = _kept(catalogue, touched, current, only_trouble=only_trouble)
    health = {
        entity.ref: health_of(entity.ref, current, is_watched=entity.ref in catalogue.watched)
        for entity in kept
    }
    by_entity = _incidents_by_entity(incidents)
    placed: dict[str, list[tuple[Entity, int]]] = {}
    for name, entity, depth in _tree(kept, health, service_map):
        placed.setdefault(name, []).append((entity, depth))
    sections = [
        ServiceSection(
            name=name,
            rows=tuple(
                _row(
                    entity,
                    depth,
                    health[entity.ref],
                    current=current,
                    by_entity=by_entity,
                    service_map=service_map,
                    now=now,
                )
                for entity, depth in members
            ),
        )
        for name, members in placed.items()
    ]
    in_trouble = counts[Health.DOWN] + counts[Health.DEGRADED]
    return ServicesView(
        sections=tuple(sections),
        counts=tuple(
            Badge(text=f"{counts[one]:,} {word(one)}", tone=TONES[one])
            for one in _WORST_FIRST
            if counts[one]
        ),
        shown=len(kept),
        total=in_trouble if only_trouble else len(catalogue.ranked),
    )


def _counts(
    catalogue: Catalogue, touched: Iterable[Entity], current: Mapping[EntityRef, HealthNow]
) -> Counter[Health]:
    counts = Counter(catalogue.counts)
    for entity in touched:
        counts[quiet_health(entity.ref in catalogue.watched)] -= 1
        counts[current[entity.ref].health] += 1
    return counts


def _kept(
    catalogue: Catalogue,
    touched: Iterable[Entity],
    current: Mapping[EntityRef, HealthNow],
    *,
    only_trouble: bool,
) -> list[Entity]:
    """What is down, then what is degraded, then the most important of the rest; bounded."""
    wrong = [one for one in touched if current[one.ref].health in (Health.DOWN, Health.DEGRADED)]
    wrong.sort(key=lambda one: (_WORST_FIRST.index(current[one.ref].health), *importance(one)))
    if only_trouble:
        return wrong[:ROWS_MAX]
    known = {entity.ref for entity in wrong}
    rest = (entity for entity in catalogue.ranked if entity.ref not in known)
    return [*wrong, *islice(rest, max(0, ROWS_MAX - len(wrong)))][:ROWS_MAX]


def _tree(
    kept: list[Entity], health: Mapping[EntityRef, Health], service_map: ServiceMap
) -> Iterable[tuple[str, Entity, int]]:
    """Entities below what they are part of, each section in the order of its worst member."""
    present = {entity.ref for entity in kept}
    children: dict[EntityRef | None, list[Entity]] = {}
    for entity in kept:
        parent = entity.part_of if entity.part_of in present else None
        children.setdefault(parent, []).append(entity)
    seen: set[EntityRef] = set()

    def walk(entity: Entity, section: str, depth: int) -> Iterable[tuple[str, Entity, int]]:
        if entity.ref in seen:
            return
        seen.add(entity.ref)
        yield section, entity, min(depth, DEPTH_MAX)
        for child in children.get(entity.ref, ()):
            yield from walk(child, section, depth + 1)

    # A domain is last among equals only where nothing in it is wrong: rank by worst descendant.
    roots = children.get(None, [])
    worst = {root.ref: _worst_below(root, children, health) for root in roots}
    for root in sorted(roots, key=lambda one: (worst[one.ref], _section(one, service_map))):
        yield from walk(root, _section(root, service_map), 0)
    for entity in kept:  # members of a circle of part_of have no root
        yield from walk(entity, NOWHERE, 0)


def _worst_below(
    root: Entity,
    children: Mapping[EntityRef | None, list[Entity]],
    health: Mapping[EntityRef, Health],
) -> int:
    worst, waiting, seen = len(_WORST_FIRST), [root], {root.ref}
    while waiting:
        entity = waiting.pop()
        worst = min(worst, _WORST_FIRST.index(health[entity.ref]))
        fresh = [child for child in children.get(entity.ref, ()) if child.ref not in seen]
        seen.update(child.ref for child in fresh)
        waiting.extend(fresh)
    return worst


def _section(entity: Entity, service_map: ServiceMap) -> str:
    """The domain above an entity."""
    seen: set[EntityRef] = set()
    current: Entity | None = entity
    while current is not None and current.ref not in seen:
        if current.kind is EntityKind.DOMAIN:
            return current.label
        seen.add(current.ref)
        current = service_map.entities.get(current.part_of) if current.part_of else None
    return NOWHERE


def _incidents_by_entity(incidents: Iterable[Incident]) -> dict[EntityRef, list[Incident]]:
    found: dict[EntityRef, list[Incident]] = {}
    for incident in incidents:
        if incident.state is IncidentState.OPEN:
            for ref in dict.fromkeys((*incident.entities, *incident.services)):
                found.setdefault(ref, []).append(incident)
    return found


def _row(
    entity: Entity,
    depth: int,
    health: Health,
    *,
    current: Mapping[EntityRef, HealthNow],
    by_entity: Mapping[EntityRef, list[Incident]],
    service_map: ServiceMap,
    now: datetime,
) -> ServiceRow:
    since, own = current.get(entity.ref), by_entity.get(entity.ref, [])
    return ServiceRow(
        ref=entity.ref,
        name=entity.label,
        kind=word(entity.kind),
        depth=depth,
        tier=f"Tier {entity.tier}" if entity.tier else "",
        health=Badge(text=word(health), tone=TONES[health]),
        since=lasting(since.since, None, now) if since else None,
        incidents=tuple(
            Link(text=incident.id, href=f"/incidents/{incident.id}")
            for incident in own[:INCIDENTS_SHOWN_MAX]
        ),
        incidents_omitted=max(0, len(own) - INCIDENTS_SHOWN_MAX),
        objective=f"{entity.objective:g} %" if entity.objective else "",
        owner=entity_label(entity.owner, service_map) if entity.owner else "",
    )
