"""Changes that others made, the story of an entity, and what people say of suspects."""

from http import HTTPStatus

from aiohttp import web
from pydantic import Field

from agent.model.incident import Incident, TimelineItem
from agent.model.problem_entries import SuspectConfirmed, SuspectDismissed
from agent.model.reported import ReportedChange
from agent.web.api_incidents import known_incident
from agent.web.api_views import ListQuery, Page
from agent.web.permission import Permission
from agent.web.problem import not_found
from agent.web.routes import Call, Handler, Route, Wish, answer
from agent.web.writes import write

TAG = "Reported changes"


class StoryQuery(Wish):
    """Of which entity."""

    ref: str = Field(min_length=1, max_length=300, description="Reference of the entity.")


async def get_reported(call: Call) -> web.StreamResponse:
    """Changes that others made, the last heard of first."""
    query = call.query_as(ListQuery)
    found = await call.site.store.reported(limit=query.limit, before=query.before)
    more = found[-1].id if len(found) == query.limit else None
    return answer(Page(items=tuple(found), next=more), Page[ReportedChange])


async def get_reported_change(call: Call) -> web.StreamResponse:
    """One of them."""
    identifier = call.named("id")
    state = call.site.loop.state
    found = state.reported.get(identifier) or await call.site.store.reported_change(identifier)
    if found is None:
        raise not_found("reported change", identifier)
    return answer(found, ReportedChange)


async def get_story(call: Call) -> web.StreamResponse:
    """What happened to an entity, oldest first: changes that others made on it."""
    ref = call.query_as(StoryQuery).ref
    if ref not in call.site.loop.state.config.service_map.entities:
        raise not_found("entity", ref)
    return answer(tuple(await call.site.store.timeline(ref)), tuple[TimelineItem, ...])


async def confirm(call: Call) -> web.StreamResponse:
    """Say that this change led to the incident."""
    identifier = (await known_incident(call, call.named("id"))).id
    who, change = call.identity.name, call.named("change")
    await write(call, SuspectConfirmed(incident=identifier, change=change, by=who))
    return answer(await known_incident(call, identifier), Incident)


async def dismiss(call: Call) -> web.StreamResponse:
    """Say that this change has nothing to do with the incident."""
    identifier = (await known_incident(call, call.named("id"))).id
    who, change = call.identity.name, call.named("change")
    await write(call, SuspectDismissed(incident=identifier, change=change, by=who))
    return answer(await known_incident(call, identifier), Incident)


def _verdict(word: str, summary: str, handler: Handler) -> Route:
    return Route(
        method="POST",
        path=f"/api/v1/incidents/{{id}}/suspects/{{change}}/{word}",
        permission=Permission.RESPOND,
        summary=summary,
        tag=TAG,
        handler=handler,
        response=Incident,
        errors=(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
    )


ROUTES = (
    Route(
        method="GET",
        path="/api/v1/reported",
        permission=Permission.READ,
        summary="Changes that others made",
        tag=TAG,
        handler=get_reported,
        query=ListQuery,
        response=Page[ReportedChange],
    ),
    Route(
        method="GET",
        path="/api/v1/reported/{id}",
        permission=Permission.READ,
        summary="One change that others made",
        tag=TAG,
        handler=get_reported_change,
        response=ReportedChange,
        errors=(HTTPStatus.NOT_FOUND,),
    ),
    Route(
        method="GET",
        path="/api/v1/map/story",
        permission=Permission.READ,
        summary="What happened to an entity",
        tag=TAG,
        handler=get_story,
        query=StoryQuery,
        response=tuple[TimelineItem, ...],
        errors=(HTTPStatus.NOT_FOUND,),
    ),
    _verdict("confirm", "Confirm a suspect", confirm),
    _verdict("dismiss", "Dismiss a suspect", dismiss),
)
