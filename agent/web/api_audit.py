"""The audit log: how it stands, its events, what proves them, and whose names it still knows."""

import base64
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from aiohttp import web
from pydantic import Field

from agent.runtime.audit.desk import AuditDesk, Proof, Standing
from agent.runtime.audit.log import Event
from agent.web.audit_site import desk_of
from agent.web.permission import Permission
from agent.web.problem import not_found
from agent.web.routes import Call, Route, Wish, answer

TAG = "Audit"
NUMBER_MAX = 2**53


class EventsQuery(Wish):
    """From where on, or about what."""

    after: int = Field(-1, ge=-1, le=NUMBER_MAX, description="Number of the last event seen.")
    limit: int = Field(100, ge=1, le=1000)
    subject: str | None = Field(
        None, max_length=100, description="Only events about it: CHG-7, RUN-7, INC-7, PRB-7."
    )


class ProofQuery(Wish):
    """Of what is to be proved: that an event is in the log, or that a beginning of it is one."""

    event: int | None = Field(None, ge=0, le=NUMBER_MAX, description="Number of an event.")
    older: int | None = Field(
        None, ge=1, le=NUMBER_MAX, description="Size of an older tree, instead of an event."
    )
    size: int | None = Field(
        None, ge=1, le=NUMBER_MAX, description="Of the tree to prove it in; default: today's."
    )


class Forgetting(Wish):
    """Whose name is to be erased."""

    name: str = Field(min_length=1, max_length=300)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryView:
    """What a place outside was told last."""

    destination: str
    size: int
    at: datetime | None
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditStatus:
    """How the audit log stands."""

    size: int
    root: str
    first: int
    """The first event of which the text is kept."""
    key: str
    """What checks the checkpoints: note it outside of the agent."""
    checkpoint_size: int | None
    checkpoint_at: datetime | None
    checkpoint: str | None
    """The newest signed note."""
    deliveries: tuple[DeliveryView, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventView:
    """One event. `text` is what was hashed, byte for byte."""

    number: int
    at: datetime
    kind: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """Whether there was such a name."""

    was_known: bool


async def get_audit(call: Call) -> web.StreamResponse:
    """Size and head of the log, the newest checkpoint, and who has which."""
    return answer(status_of(await desk_of(call).standing()), AuditStatus)


async def get_events(call: Call) -> web.StreamResponse:
    """Events in order. The names of people are commitments."""
    query, desk = call.query_as(EventsQuery), desk_of(call)
    found = await _events(desk, query)
    return answer(tuple(map(event_view, found)), tuple[EventView, ...])


async def get_proof(call: Call) -> web.StreamResponse:
    """The hashes that lead from an event to the root, or from an older root to this one."""
    query, desk = call.query_as(ProofQuery), desk_of(call)
    found = None
    if query.event is not None and query.older is None:
        found = await desk.inclusion(query.event, query.size)
    elif query.older is not None and query.event is None:
        found = await desk.consistency(query.older, query.size)
    if found is None:
        raise not_found("proof of", str(query.event if query.event is not None else query.older))
    return answer(found, Proof)


async def forget(call: Call) -> web.StreamResponse:
    """Erase a name: the log stays in order, and nobody can tell any more whose deeds these were."""
    was_known = await desk_of(call).forget(call.body_as(Forgetting).name)
    return answer(Forgotten(was_known=was_known), Forgotten)


def event_view(event: Event) -> EventView:
    """An event as the API shows it."""
    return EventView(
        number=event.number, at=event.at, kind=event.kind, text=event.body.decode("utf-8")
    )


def status_of(standing: Standing) -> AuditStatus:
    """The standing as the API and the console show it."""
    newest = standing.checkpoint
    return AuditStatus(
        size=standing.head.size,
        root=base64.b64encode(standing.head.root).decode(),
        first=standing.first,
        key=standing.key,
        checkpoint_size=newest.size if newest else None,
        checkpoint_at=newest.at if newest else None,
        checkpoint=newest.note if newest else None,
        deliveries=tuple(
            DeliveryView(
                destination=each.destination, size=each.size, at=each.at, problem=each.problem
            )
            for each in standing.deliveries
        ),
        problems=standing.problems,
    )


async def _events(desk: AuditDesk, query: EventsQuery) -> list[Event]:
    if query.subject is None:
        return await desk.events(query.after, query.limit)
    found = [each for each in await desk.about(query.subject) if each.number > query.after]
    return found[: query.limit]


ROUTES = (
    Route(
        method="GET",
        path="/api/v1/audit",
        permission=Permission.READ,
        summary="How the audit log stands",
        tag=TAG,
        handler=get_audit,
        response=AuditStatus,
        errors=(HTTPStatus.NOT_FOUND,),
    ),
    Route(
        method="GET",
        path="/api/v1/audit/events",
        permission=Permission.READ,
        summary="Events of the audit log",
        tag=TAG,
        handler=get_events,
        query=EventsQuery,
        response=tuple[EventView, ...],
        errors=(HTTPStatus.NOT_FOUND,),
    ),
    Route(
        method="GET",
        path="/api/v1/audit/proof",
        permission=Permission.READ,
        summary="Proof of an event, or of an older tree",
        tag=TAG,
        handler=get_proof,
        query=ProofQuery,
        response=Proof,
        errors=(HTTPStatus.NOT_FOUND,),
    ),
    Route(
        method="POST",
        path="/api/v1/audit/forget",
        permission=Permission.ADMIN,
        summary="Erase a name from the audit log",
        tag=TAG,
        handler=forget,
        body=Forgetting,
        response=Forgotten,
        errors=(HTTPStatus.NOT_FOUND,),
    ),
)
