"""How changes fared in a period: DORA's figures per service, ITIL's over all."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus

from aiohttp import web
from pydantic import Field

from agent.model.service import EntityRef
from agent.reporting.changes.figures import (
    Delivery,
    Enablement,
    Origin,
    Spread,
    deliveries,
    enablement,
    own_deployments,
    reported_deployments,
)
from agent.web.api_periods import window_of
from agent.web.api_population import population_of
from agent.web.permission import Permission
from agent.web.routes import Call, Route, Wish, answer

TAG = "Reports"
REPORTED_MARGIN = timedelta(days=7)
"""A reported change that began before the period may end in it."""
METHOD = (
    "deployment = a change that started, counted when it was over; lead time = from the request to "
    "its verified end; failed = failed, rolled back, or confirmed by a person as what led to an "
    "incident; recovery = until service was restored; rework = made necessary by an incident, or "
    "an emergency; what rules did by themselves and what tools reported stand apart; median and "
    "p90 by nearest rank, none below three; unknown is in no rate"
)


class FiguresQuery(Wish):
    """Which time, and where."""

    period: str = Field(
        "30d", max_length=20, description="2026-10, 2026-Q4, 2026-W41, 2026 or 30d."
    )
    zone: str = Field("UTC", max_length=60, description="Whose calendar `period` is of (IANA).")
    entity: str | None = Field(None, max_length=300, description="One reference; default: all.")


@dataclass(frozen=True, slots=True, kw_only=True)
class SpreadView:
    """Seconds; null below three values."""

    count: int
    median_s: float | None
    p90_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceChanges:
    """DORA's figures of one service and one origin."""

    entity: EntityRef | None
    """Null: what was changed is not on the map."""
    origin: Origin
    deployments: int
    per_week: float
    lead_time: SpreadView
    succeeded: int
    failed: int
    unknown: int
    fail_rate: float | None
    recovery: SpreadView
    recovery_unknown: int
    rework: int
    rework_unknown: int
    rework_rate: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AllChanges:
    """ITIL's figures. Durations are seconds; backlogs are those of now."""

    requested: int
    by_type: Mapping[str, int]
    emergency_share: float | None
    closed: Mapping[str, int]
    executed: int
    success_rate: float | None
    unauthorised: int | None
    """Null where there is no audit log to hold the record against."""
    awaiting_approval: int
    oldest_approval_s: float | None
    retro_open: int
    retro_overdue: int
    reviews_open: int
    reviews_overdue: int
    approval_time: SpreadView


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeFigures:
    """How changes fared in one half-open window."""

    start: datetime
    end: datetime
    method: str
    services: tuple[ServiceChanges, ...]
    all: AllChanges


async def get_figures(call: Call) -> web.StreamResponse:
    """Frequency, lead time, fail rate, recovery and rework per service; shares and backlogs."""
    query, store, now = call.query_as(FiguresQuery), call.site.store, call.site.clock.now()
    window = window_of(query.period, query.zone, now)
    changes = await store.changes_alive(window)
    incidents = {each.id: each for each in await store.incidents_alive(window)}
    wider = type(window)(window.start - REPORTED_MARGIN, window.end)
    told = await store.reported_in(wider)
    deployments = (
        *own_deployments(changes, incidents, window),
        *reported_deployments(told, incidents.values(), window),
    )
    wanted = [each for each in deployments if query.entity in (None, each.entity)]
    unauthorised = None
    if call.site.audit is not None:
        found = await population_of(call, window)
        unauthorised = len({each.subject for each in (*found.remainders, *found.violations)})
    figures = enablement(
        [each for each in changes if query.entity in (None, each.entity)], window=window, now=now
    )
    report = ChangeFigures(
        start=window.start,
        end=window.end,
        method=METHOD,
        services=tuple(map(_service, deliveries(wanted, window))),
        all=_all(figures, unauthorised),
    )
    return answer(report, ChangeFigures)


def _service(delivery: Delivery) -> ServiceChanges:
    return ServiceChanges(
        entity=delivery.entity,
        origin=delivery.origin,
        deployments=delivery.deployments,
        per_week=delivery.per_week,
        lead_time=_spread(delivery.lead_time),
        succeeded=delivery.succeeded,
        failed=delivery.failed,
        unknown=delivery.unknown,
        fail_rate=delivery.fail_rate,
        recovery=_spread(delivery.recovery),
        recovery_unknown=delivery.recovery_unknown,
        rework=delivery.rework,
        rework_unknown=delivery.rework_unknown,
        rework_rate=delivery.rework_rate,
    )


def _all(figures: Enablement, unauthorised: int | None) -> AllChanges:
    return AllChanges(
        requested=figures.requested,
        by_type=figures.by_type,
        emergency_share=figures.emergency_share,
        closed=figures.closed,
        executed=figures.executed,
        success_rate=figures.success_rate,
        unauthorised=unauthorised,
        awaiting_approval=figures.awaiting_approval,
        oldest_approval_s=_seconds(figures.oldest_approval),
        retro_open=figures.retro_open,
        retro_overdue=figures.retro_overdue,
        reviews_open=figures.reviews_open,
        reviews_overdue=figures.reviews_overdue,
        approval_time=_spread(figures.approval_time),
    )


def _spread(spread: Spread) -> SpreadView:
    return SpreadView(
        count=spread.count, median_s=_seconds(spread.median), p90_s=_seconds(spread.p90)
    )


def _seconds(length: timedelta | None) -> float | None:
    return None if length is None else length.total_seconds()


ROUTES = (
    Route(
        method="GET",
        path="/api/v1/reports/changes",
        permission=Permission.READ,
        summary="How changes fared",
        tag=TAG,
        handler=get_figures,
        query=FiguresQuery,
        response=ChangeFigures,
        errors=(HTTPStatus.UNPROCESSABLE_ENTITY,),
    ),
)
