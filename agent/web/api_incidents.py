"""Incidents: what is broken, for whom, why, and what people say and do about it."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Literal

from aiohttp import web
from pydantic import AwareDatetime, Field

from agent.model.entry import (
    CauseConfirmed,
    IncidentAcknowledged,
    IncidentAssigned,
    IncidentCommented,
    IncidentResolved,
    What,
)
from agent.model.incident import Incident, IncidentState
from agent.web.api_views import IncidentDetail, ListQuery, Page, change_view, next_of
from agent.web.occurrences import flapping_of, occurrences_of
from agent.web.permission import Permission
from agent.web.problem import not_found
from agent.web.routes import Call, Handler, Route, Wish, answer
from agent.web.writes import write

TAG = "Incidents"

Words = Annotated[str, Field(min_length=1, max_length=10_000)]
Name = Annotated[str, Field(min_length=1, max_length=200)]


class IncidentsQuery(ListQuery):
    """Which incidents."""

    state: tuple[IncidentState, ...] = ()
    entity: str | None = Field(None, max_length=300, description="Only those that touch it.")


class Acknowledgement(Wish):
    """How long nobody shall be told again. Without a body: told as ever."""

    until: Literal["clear"] | AwareDatetime | None = Field(
        None, description="`clear`, or a moment at the latest; it ends earlier when it gets worse."
    )


class Assignment(Wish):
    """Who shall have it; null takes it from whoever has it."""

    assignee: Name | None


class Comment(Wish):
    """What there is to say."""

    text: Words


class Resolution(Wish):
    """That service is restored."""

    note: Annotated[str, Field(max_length=10_000)] = ""


class ConfirmedCause(Wish):
    """What it was."""

    entity: Name


async def get_incidents(call: Call) -> web.StreamResponse:
    """Incidents, newest first."""
    query = call.query_as(IncidentsQuery)
    found = await call.site.store.incidents(
        states=query.state, entity=query.entity, limit=query.limit, before=query.before
    )
    page = Page(items=tuple(found), next=next_of(found, query.limit))
    return answer(page, Page[Incident])


async def get_incident(call: Call) -> web.StreamResponse:
    """One incident: causes with reasons, timeline, alerts, tickets, changes and runs."""
    store, incident = call.site.store, await known_incident(call, call.named("id"))
    changes = [await store.change(identifier) for identifier in incident.changes]
    runs = [run for name in incident.changes for run in await store.runs_of(name)]
    detail = IncidentDetail(
        incident=incident,
        timeline=tuple(await store.timeline(incident.id)),
        alerts=await occurrences_of(call.site, incident.id),
        changes=tuple(change_view(change) for change in changes if change is not None),
        runs=tuple(runs),
        flapping=flapping_of(call.site.loop.state, incident.id),
        problem=await store.problem(incident.problem) if incident.problem else None,
    )
    return answer(detail, IncidentDetail)


async def acknowledge(call: Call) -> web.StreamResponse:
    """Say that somebody is on it; with `until`, that nobody is told again until it is clear."""
    until = call.body_as(Acknowledgement).until
    what = IncidentAcknowledged(
        incident=call.named("id"),
        by=who(call),
        until_clear=until is not None,
        until=until if isinstance(until, datetime) else None,
    )
    return await write_about(call, what)


async def assign(call: Call) -> web.StreamResponse:
    """Give it to somebody, or take it from them."""
    assignee = call.body_as(Assignment).assignee
    what = IncidentAssigned(incident=call.named("id"), assignee=assignee, by=who(call))
    return await write_about(call, what)


async def comment(call: Call) -> web.StreamResponse:
    """Say something; tickets of the incident are told as well."""
    text = call.body_as(Comment).text
    what = IncidentCommented(incident=call.named("id"), text=text, by=who(call))
    return await write_about(call, what)


async def resolve(call: Call) -> web.StreamResponse:
    """Say that service is restored, whatever the alerts say."""
    note = call.body_as(Resolution).note
    return await write_about(
        call, IncidentResolved(incident=call.named("id"), by=who(call), note=note)
    )


async def confirm_cause(call: Call) -> web.StreamResponse:
    """Say what the cause was."""
    entity = call.body_as(ConfirmedCause).entity
    if entity not in call.site.loop.state.config.service_map.entities:
        raise not_found("entity", entity)
    what = CauseConfirmed(incident=call.named("id"), entity=entity, by=who(call))
    return await write_about(call, what)


async def known_incident(call: Call, identifier: str) -> Incident:
    """The incident as it stands; refuses 404 where there never was one."""
    state = call.site.loop.state
    found = state.incidents.get(identifier) or await call.site.store.incident(identifier)
    if found is None:
        raise not_found("incident", identifier)
    return found


async def write_about(call: Call, what: What) -> web.StreamResponse:
    """Write down what somebody says of the incident of this path; answers with it as it is then."""
    await known_incident(call, call.named("id"))
    await write(call, what)
    return answer(await known_incident(call, call.named("id")), Incident)


def who(call: Call) -> str:
    """The name that the story says."""
    return call.identity.name


def action(word: str, summary: str, handler: Handler, body: type[Wish] | None = None) -> Route:
    """A route by which somebody acts on one incident."""
    return Route(
        method="POST",
        path=f"/api/v1/incidents/{{id}}/{word}",
        permission=Permission.RESPOND,
        summary=summary,
        tag=TAG,
        handler=handler,
        body=body,
        response=Incident,
        errors=(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
    )


ROUTES = (
    Route(
        method="GET",
        path="/api/v1/incidents",
        permission=Permission.READ,
        summary="Incidents",
        tag=TAG,
        handler=get_incidents,
        query=IncidentsQuery,
        response=Page[Incident],
    ),
    Route(
        method="GET",
        path="/api/v1/incidents/{id}",
        permission=Permission.READ,
        summary="One incident with its story",
        tag=TAG,
        handler=get_incident,
        response=IncidentDetail,
        errors=(HTTPStatus.NOT_FOUND,),
    ),
    action("acknowledge", "Acknowledge", acknowledge, Acknowledgement),
    action("assign", "Assign", assign, Assignment),
    action("comment", "Comment", comment, Comment),
    action("resolve", "Resolve", resolve, Resolution),
    action("cause", "Confirm the cause", confirm_cause, ConfirmedCause),
)
