"""Operators correct what belongs together: merge, split, move, unrelated."""

from typing import Annotated

from aiohttp import web
from pydantic import Field

from agent.model.entry import AlertsDeclaredUnrelated, AlertsMoved, IncidentsMerged
from agent.model.incident import Incident
from agent.web.api_incidents import Name, action, known_incident, who, write_about
from agent.web.routes import Call, Wish, answer
from agent.web.writes import write

CORRECTED_AT_ONCE_MAX = 1000

Fingerprint = Annotated[str, Field(min_length=1, max_length=64)]
Chosen = Annotated[tuple[Fingerprint, ...], Field(min_length=1, max_length=CORRECTED_AT_ONCE_MAX)]
Note = Annotated[str, Field(max_length=4_000)]


class Merge(Wish):
    """The incident that this one belongs to."""

    into: Name


class Split(Wish):
    """Alerts, by their fingerprints, that are an incident of their own."""

    alerts: Chosen
    note: Note = ""


class Move(Wish):
    """Alerts, by their fingerprints, and the incident that they belong to."""

    alerts: Chosen
    into: Name
    note: Note = ""


class Unrelated(Wish):
    """Alerts or places that have nothing to do with this incident; at least one of either."""

    alerts: Annotated[tuple[Fingerprint, ...], Field(max_length=CORRECTED_AT_ONCE_MAX)] = ()
    entities: Annotated[tuple[Name, ...], Field(max_length=100)] = ()
    note: Note = ""


async def merge(call: Call) -> web.StreamResponse:
    """Say that it is part of another one, which goes on."""
    into = (await known_incident(call, call.body_as(Merge).into)).id
    return await write_about(
        call, IncidentsMerged(incident=call.named("id"), into=into, by=who(call))
    )


async def split(call: Call) -> web.StreamResponse:
    """Say that alerts of it are another incident; the answer is the new one."""
    wish = call.body_as(Split)
    source = await known_incident(call, call.named("id"))
    what = AlertsMoved(
        incident=source.id, alerts=wish.alerts, into=None, by=who(call), note=wish.note
    )
    created = (await write(call, what)).created
    assert created is not None, "what is not refused is split"
    return answer(await known_incident(call, created), Incident)


async def move(call: Call) -> web.StreamResponse:
    """Say that alerts of it belong to another incident; they come back to that one, not to this."""
    wish = call.body_as(Move)
    into = (await known_incident(call, wish.into)).id
    what = AlertsMoved(
        incident=call.named("id"), alerts=wish.alerts, into=into, by=who(call), note=wish.note
    )
    return await write_about(call, what)


async def unrelated(call: Call) -> web.StreamResponse:
    """Say that alerts or places have nothing to do with it: they leave, and stay away."""
    wish = call.body_as(Unrelated)
    what = AlertsDeclaredUnrelated(
        incident=call.named("id"),
        alerts=wish.alerts,
        entities=wish.entities,
        by=who(call),
        note=wish.note,
    )
    return await write_about(call, what)


ROUTES = (
    action("merge", "Merge into another incident", merge, Merge),
    action("split", "Split alerts off", split, Split),
    action("move", "Move alerts to another incident", move, Move),
    action("unrelated", "Say what has nothing to do with it", unrelated, Unrelated),
)
