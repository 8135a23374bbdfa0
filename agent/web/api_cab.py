"""Deciding together: agendas and bulk decisions, what is owed, and who stands in for whom."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Literal

from aiohttp import web
from pydantic import AwareDatetime, Field

from agent.core.policy.authority import person_of
from agent.model.change_entries import DelegationGiven, DelegationWithdrawn
from agent.model.people import SCOPE, Delegation
from agent.model.reason import Reason
from agent.web.cab import Agenda, Owed, agenda_of, owed_in
from agent.web.permission import Permission
from agent.web.problem import ProblemError, not_found, refuse
from agent.web.routes import Call, Route, Wish, answer
from agent.web.words_of_people import approval, rejection
from agent.web.writes import write

TAG = "Board"
DECISIONS_MAX = 500
"""In one request."""
HOURS_DEFAULT = 7 * 24
HOURS_MAX = 366 * 24

Name = Annotated[str, Field(min_length=1, max_length=300)]
Note = Annotated[str, Field(max_length=10_000)]


class AgendaQuery(Wish):
    """How far ahead."""

    hours: int = Field(HOURS_DEFAULT, ge=1, le=HOURS_MAX, description="From now on.")


class BoardDecision(Wish):
    """A decision on one change, with the binding that the agenda showed; a no needs its reason."""

    change: Name
    binding: Name
    decision: Literal["approve", "reject"]
    note: Note = ""


class BoardDecisions(Wish):
    """What was decided. Each item stands for itself: one that is refused stops no other."""

    decisions: Annotated[tuple[BoardDecision, ...], Field(min_length=1, max_length=DECISIONS_MAX)]


class DelegationWish(Wish):
    """Who decides in the place of the one who asks, until when, on what."""

    to: Name
    starts_at: AwareDatetime | None = None
    ends_at: AwareDatetime
    scopes: Annotated[
        tuple[Annotated[str, Field(pattern=SCOPE.pattern)], ...], Field(max_length=32)
    ] = ()
    note: Note = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What became of one item; `reason` and `text` where it was refused."""

    change: str
    decision: str
    is_recorded: bool
    reason: Reason | None = None
    text: str = ""


async def get_agenda(call: Call) -> web.StreamResponse:
    """What a board sits down with: changes that wait, with risk, conflicts and history; duties."""
    site = call.site
    within = timedelta(hours=call.query_as(AgendaQuery).hours)
    return answer(agenda_of(site.loop.state, site.clock.now(), within), Agenda)


async def decide(call: Call) -> web.StreamResponse:
    """Record decisions, each by itself and bound to what the agenda showed; answers for each."""
    asked = call.body_as(BoardDecisions).decisions
    return answer(await decide_all(call, asked), tuple[Decided, ...])


async def decide_all(call: Call, asked: tuple[BoardDecision, ...]) -> tuple[Decided, ...]:
    """What became of each, in the order given. A second word on one change is refused as any."""
    return tuple([await _decide_one(call, one) for one in asked])


async def get_duties(call: Call) -> web.StreamResponse:
    """Emergencies that nobody has answered for, and changes that nobody has reviewed."""
    return answer(owed_in(call.site.loop.state), Owed)


async def get_delegations(call: Call) -> web.StreamResponse:
    """Who decides in whose place, now or later; those that are over are not shown."""
    now = call.site.clock.now()
    known = call.site.loop.state.delegations.values()
    shown = tuple(one for one in known if one.withdrawn_at is None and now < one.ends_at)
    return answer(shown, tuple[Delegation, ...])


async def delegate(call: Call) -> web.StreamResponse:
    """Let another person decide in one's place, for a time."""
    asked = call.body_as(DelegationWish)
    said = delegation_of(call, asked.to, asked.starts_at, asked.ends_at, asked.scopes, asked.note)
    made = (await write(call, said)).created
    assert made is not None, "a delegation that was not refused has an id"
    given = call.site.loop.state.delegations[made]
    return answer(given, Delegation, HTTPStatus.CREATED)


async def withdraw(call: Call) -> web.StreamResponse:
    """End a delegation now. What was said under it stands."""
    await write(call, withdrawn_delegation(call, call.named("id")))
    return web.Response(status=HTTPStatus.NO_CONTENT)


def delegation_of(  # noqa: PLR0917 - the parts of a delegation
    call: Call,
    to: str,
    starts_at: datetime | None,
    ends_at: datetime,
    scopes: tuple[str, ...],
    note: str,
) -> DelegationGiven:
    """What the one who asks hands on. Refuses 404 a person without any token."""
    site, who = call.site, call.identity
    known = [one for one in site.keyring.records() if person_of(one.identity) == person_of(to)]
    if not known:
        raise not_found("person", to)
    return DelegationGiven(
        by=who.name,
        to=known[0].identity,
        roles=who.roles,
        starts_at=starts_at or site.clock.now(),
        ends_at=ends_at,
        scopes=scopes,
        is_service=who.is_service or all(one.is_service for one in known),
        note=note,
    )


def withdrawn_delegation(call: Call, identifier: str) -> DelegationWithdrawn:
    """The end of a delegation, by whoever asks."""
    who = call.identity
    return DelegationWithdrawn(
        delegation=identifier, by=who.name, is_admin=Permission.ADMIN in who.permissions
    )


async def _decide_one(call: Call, one: BoardDecision) -> Decided:
    known = call.site.loop.state.changes.get(one.change)
    try:
        if known is None:
            raise not_found("change", one.change)
        if one.decision == "reject" and one.binding != known.binding:
            text = "it is not what the agenda showed any more: look at it again"
            raise refuse(HTTPStatus.CONFLICT, text, reason=Reason.APPROVAL_VOID)
        if one.decision == "approve":
            await write(call, approval(call, one.change, one.binding, one.note))
        else:
            await write(call, rejection(call, one.change, one.note))
    except ProblemError as error:
        return Decided(
            change=one.change,
            decision=one.decision,
            is_recorded=False,
            reason=Reason(error.problem.reason) if error.problem.reason else Reason.NOT_FOUND,
            text=error.problem.detail,
        )
    return Decided(change=one.change, decision=one.decision, is_recorded=True)


ROUTES = (
    Route(
        method="GET",
        path="/api/v1/cab/agenda",
        permission=Permission.READ,
        summary="Agenda of a change advisory board",
        tag=TAG,
        handler=get_agenda,
        query=AgendaQuery,
        response=Agenda,
    ),
    Route(
        method="POST",
        path="/api/v1/cab/decisions",
        permission=Permission.DECIDE,
        summary="Record what a board decided",
        tag=TAG,
        handler=decide,
        body=BoardDecisions,
        response=tuple[Decided, ...],
    ),
    Route(
        method="GET",
        path="/api/v1/duties",
        permission=Permission.READ,
        summary="What people owe: late approvals and reviews",
        tag=TAG,
        handler=get_duties,
        response=Owed,
    ),
    Route(
        method="GET",
        path="/api/v1/delegations",
        permission=Permission.READ,
        summary="Who decides in whose place",
        tag=TAG,
        handler=get_delegations,
        response=tuple[Delegation, ...],
    ),
    Route(
        method="POST",
        path="/api/v1/delegations",
        permission=Permission.DECIDE,
        summary="Delegate",
        tag=TAG,
        handler=delegate,
        body=DelegationWish,
        response=Delegation,
        status=HTTPStatus.CREATED,
        errors=(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
    ),
    Route(
        method="DELETE",
        path="/api/v1/delegations/{id}",
        permission=Permission.DECIDE,
        summary="End a delegation",
        tag=TAG,
        handler=withdraw,
        status=HTTPStatus.NO_CONTENT,
        errors=(HTTPStatus.CONFLICT,),
    ),
)
