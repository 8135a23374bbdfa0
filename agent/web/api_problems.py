"""Problems: what keeps coming back, what is known of it, and what people do about it."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated

from aiohttp import web
from pydantic import Field

from agent.model.entry import What
from agent.model.incident import TimelineItem
from agent.model.problem import Problem, ProblemState
from agent.model.problem_entries import FixPlanned, KnownErrorRecorded, ProblemMoved
from agent.reporting.problems import ProblemFigures, figures
from agent.web.permission import Permission
from agent.web.problem import not_found
from agent.web.routes import Call, Handler, Route, Wish, answer
from agent.web.site import Site
from agent.web.writes import write

TAG = "Problems"

Words = Annotated[str, Field(min_length=1, max_length=4000)]


class Move(Wish):
    """Where it goes, and what there is to say; to close it, what was learnt."""

    to: ProblemState
    note: str = Field("", max_length=10_000)


class KnownErrorWish(Wish):
    """Why it happens, and what helps until it is mended."""

    cause: Words
    workaround: str = Field("", max_length=4000)
    remediation: str | None = Field(None, max_length=200)


class FixWish(Wish):
    """The change that is to mend it: `CHG-7`, or its address elsewhere."""

    change: Annotated[str, Field(min_length=1, max_length=1000)]
    note: str = Field("", max_length=10_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class FiguresView:
    """A problem in figures; moments are lengths in seconds."""

    incidents: int
    per_week: tuple[int, ...]
    trend: str
    chance: float
    mean_time_between_failures_s: float | None
    downtime_s: float
    cost: float | None
    since_fix: int | None
    rank: int
    share: float
    cumulative: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemView:
    """One problem with its figures among all."""

    problem: Problem
    figures: FiguresView


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemDetail:
    """One problem with its figures and its story."""

    problem: Problem
    figures: FiguresView
    timeline: tuple[TimelineItem, ...]


async def measured_problems(site: Site) -> list[tuple[Problem, ProblemFigures]]:
    """All problems with their figures, those worth mending first on top."""
    known = {one.id: one for one in await site.store.problems()}
    known.update(site.loop.state.problems)
    return [(known[one.problem], one) for one in figures(known.values(), site.clock.now())]


async def get_problems(call: Call) -> web.StreamResponse:
    """Problems in Pareto's order: what is worth mending first stands first."""
    found = await measured_problems(call.site)
    views = tuple(ProblemView(problem=one, figures=_view(told)) for one, told in found)
    return answer(views, tuple[ProblemView, ...])


async def get_problem(call: Call) -> web.StreamResponse:
    """One problem: its incidents, what they have in common, its figures, its story."""
    identifier = call.named("id")
    for problem, told in await measured_problems(call.site):
        if problem.id == identifier:
            timeline = tuple(await call.site.store.timeline(identifier))
            detail = ProblemDetail(problem=problem, figures=_view(told), timeline=timeline)
            return answer(detail, ProblemDetail)
    raise not_found("problem", identifier)


async def move(call: Call) -> web.StreamResponse:
    """Move it on, or back; to close it, `note` says what was learnt."""
    asked, identifier = call.body_as(Move), call.named("id")
    who = call.identity.name
    return await _write(
        call, ProblemMoved(problem=identifier, to=asked.to, by=who, note=asked.note)
    )


async def record_known_error(call: Call) -> web.StreamResponse:
    """Say why it happens, and what helps: new incidents of it open with that."""
    asked = call.body_as(KnownErrorWish)
    what = KnownErrorRecorded(
        problem=call.named("id"),
        cause=asked.cause,
        workaround=asked.workaround,
        remediation=asked.remediation,
        by=call.identity.name,
    )
    return await _write(call, what)


async def plan_fix(call: Call) -> web.StreamResponse:
    """Link the change that is to mend it for good."""
    asked, identifier = call.body_as(FixWish), call.named("id")
    what = FixPlanned(
        problem=identifier, change=asked.change, by=call.identity.name, note=asked.note
    )
    return await _write(call, what)


async def known_problem(call: Call, identifier: str) -> Problem:
    """The problem as it stands; refuses 404 where there never was one."""
    known = call.site.loop.state.problems.get(identifier)
    found = known or await call.site.store.problem(identifier)
    if found is None:
        raise not_found("problem", identifier)
    return found


async def _write(call: Call, what: What) -> web.StreamResponse:
    identifier = (await known_problem(call, call.named("id"))).id
    await write(call, what)
    return answer(await known_problem(call, identifier), Problem)


def _view(told: ProblemFigures) -> FiguresView:
    mean = told.mean_time_between_failures
    return FiguresView(
        incidents=told.incidents,
        per_week=told.per_week,
        trend=told.trend,
        chance=told.chance,
        mean_time_between_failures_s=mean.total_seconds() if mean is not None else None,
        downtime_s=told.downtime.total_seconds(),
        cost=told.cost,
        since_fix=told.since_fix,
        rank=told.rank,
        share=told.share,
        cumulative=told.cumulative,
    )


def _action(word: str, summary: str, handler: Handler, body: type[Wish]) -> Route:
    return Route(
        method="POST",
        path=f"/api/v1/problems/{{id}}/{word}",
        permission=Permission.RESPOND,
        summary=summary,
        tag=TAG,
        handler=handler,
        body=body,
        response=Problem,
        errors=(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
    )


ROUTES = (
    Route(
        method="GET",
        path="/api/v1/problems",
        permission=Permission.READ,
        summary="Problems",
        tag=TAG,
        handler=get_problems,
        response=tuple[ProblemView, ...],
    ),
    Route(
        method="GET",
        path="/api/v1/problems/{id}",
        permission=Permission.READ,
        summary="One problem with its story",
        tag=TAG,
        handler=get_problem,
        response=ProblemDetail,
        errors=(HTTPStatus.NOT_FOUND,),
    ),
    _action("move", "Move a problem on, or back", move, Move),
    _action("known-error", "Record a known error", record_known_error, KnownErrorWish),
    _action("fix", "Plan the fix of a problem", plan_fix, FixWish),
)
