"""The service map and its health now."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from itertools import islice

from aiohttp import web
from pydantic import Field

from agent.core.state import State
from agent.model.service import Entity, EntityKind, EntityRef, Health
from agent.web.api_views import PAGE_ITEMS_MAX, Page
from agent.web.permission import Permission
from agent.web.problem import not_found
from agent.web.routes import Call, Route, Wish, answer
from agent.web.slices import ITEMS_PER_SLICE
from agent.web.views.catalogue import quiet_health

TAG = "Map"
HOPS_MAX = 6
NODES_MAX = 500


class EntitiesQuery(Wish):
    """Which entities."""

    kind: EntityKind | None = None
    owner: str | None = Field(None, max_length=300)
    health: Health | None = None
    limit: int = Field(100, ge=1, le=PAGE_ITEMS_MAX)
    after: str = Field("", max_length=300, description="Reference of the last one seen.")


class EntityQuery(Wish):
    """Which entity, and how far around it."""

    ref: str = Field(max_length=300, description="`kind:namespace/name`.")
    hops: int = Field(1, ge=1, le=HOPS_MAX)


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityView:
    """An entity with its health now."""

    ref: EntityRef
    kind: EntityKind
    name: str
    title: str
    description: str
    type: str
    owner: EntityRef | None
    tier: int | None
    cost_per_hour: float | None
    """What an hour of downtime costs, in the map's one currency."""
    part_of: EntityRef | None
    depends_on: tuple[EntityRef, ...]
    """All that it rests on, parts and host included."""
    dependants: tuple[EntityRef, ...]
    matches: tuple[tuple[str, ...], ...]
    """Alternatives of matchers by which alerts are placed here."""
    health: Health
    since: datetime | None
    """Since when the health is what it is, where that is known."""
    incident: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbourhood:
    """An entity with what it rests on and what rests on it, nearest first."""

    entity: EntityView
    below: tuple[EntityView, ...]
    above: tuple[EntityView, ...]
    is_complete: bool
    """False where there was more than one answer may hold."""


async def get_entities(call: Call) -> web.StreamResponse:
    """Entities in the order of their references."""
    query, state = call.query_as(EntitiesQuery), call.site.loop.state
    entities, seen = state.config.service_map.entities, _watched(call)
    refs = sorted(ref for ref in entities if ref > query.after)
    found: list[EntityView] = []
    for start in range(0, len(refs), ITEMS_PER_SLICE):
        part = refs[start : start + ITEMS_PER_SLICE]
        views = (entity_view(state, entities[ref], is_watched=ref in seen) for ref in part)
        found += (view for view in views if _is_wanted(view, query))
        if len(found) >= query.limit:
            break
        await asyncio.sleep(0)
    items = tuple(found[: query.limit])
    more = items[-1].ref if len(items) == query.limit else None
    return answer(Page(items=items, next=more), Page[EntityView])


def _is_wanted(view: EntityView, query: EntitiesQuery) -> bool:
    return (
        (query.kind is None or view.kind is query.kind)
        and (query.owner is None or view.owner == query.owner)
        and (query.health is None or view.health is query.health)
    )


async def get_neighbourhood(call: Call) -> web.StreamResponse:
    """One entity and its surroundings, with health."""
    query, state = call.query_as(EntityQuery), call.site.loop.state
    service_map = state.config.service_map
    entity = service_map.entities.get(query.ref)
    if entity is None:
        raise not_found("entity", query.ref)
    seen = _watched(call)
    below = list(islice(service_map.below(query.ref, query.hops), NODES_MAX + 1))
    above = list(islice(service_map.above(query.ref, query.hops), NODES_MAX + 1))
    answered = Neighbourhood(
        entity=entity_view(state, entity, is_watched=query.ref in seen),
        below=_views(state, below, seen),
        above=_views(state, above, seen),
        is_complete=len(below) <= NODES_MAX and len(above) <= NODES_MAX,
    )
    return answer(answered, Neighbourhood)


def _watched(call: Call) -> frozenset[EntityRef]:
    return call.site.catalogues.of(call.site.loop.state.config.service_map).watched


def entity_view(state: State, entity: Entity, *, is_watched: bool) -> EntityView:
    """The entity as the API shows it."""
    service_map, now = state.config.service_map, state.health.get(entity.ref)
    return EntityView(
        ref=entity.ref,
        kind=entity.kind,
        name=entity.name,
        title=entity.title,
        description=entity.description,
        type=entity.type,
        owner=entity.owner,
        tier=entity.tier,
        cost_per_hour=entity.cost_per_hour,
        part_of=entity.part_of,
        depends_on=service_map.dependencies.get(entity.ref, ()),
        dependants=service_map.dependants.get(entity.ref, ()),
        matches=tuple(tuple(map(str, matchers)) for matchers in entity.matches),
        health=now.health if now else quiet_health(is_watched),
        since=now.since if now else None,
        incident=now.incident if now else None,
    )


def _views(
    state: State, reached: Sequence[tuple[EntityRef, int]], seen: frozenset[EntityRef]
) -> tuple[EntityView, ...]:
    entities = state.config.service_map.entities
    return tuple(
        entity_view(state, entities[ref], is_watched=ref in seen) for ref, _ in reached[:NODES_MAX]
    )


ROUTES = (
    Route(
        method="GET",
        path="/api/v1/map/entities",
        permission=Permission.READ,
        summary="Entities with their health",
        tag=TAG,
        handler=get_entities,
        query=EntitiesQuery,
        response=Page[EntityView],
    ),
    Route(
        method="GET",
        path="/api/v1/map/neighbourhood",
        permission=Permission.READ,
        summary="One entity and its surroundings",
        tag=TAG,
        handler=get_neighbourhood,
        query=EntityQuery,
        response=Neighbourhood,
        errors=(HTTPStatus.NOT_FOUND,),
    ),
)
