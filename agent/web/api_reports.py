"""Reports over the API: availability of services in a window, with everything it rests on."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

from aiohttp import web
from pydantic import AwareDatetime, Field

from agent.core.state import State
from agent.model.incident import EVERYTHING, Incident, IncidentState
from agent.model.interval import Interval
from agent.model.service import EntityKind, EntityRef
from agent.reporting.availability import Availability, Convention, availability
from agent.web.api_periods import window_of
from agent.web.permission import Permission
from agent.web.problem import refuse
from agent.web.routes import Call, Route, Wish, answer

TAG = "Reports"
ENTITIES_MAX = 500
WINDOW_DEFAULT = timedelta(days=30)
INCIDENTS_MAX = 10_000
_SERVICES = (EntityKind.DOMAIN, EntityKind.SYSTEM, EntityKind.COMPONENT, EntityKind.API)


class AvailabilityQuery(Wish):
    """Which window, and which entities."""

    period: str | None = Field(
        None,
        max_length=20,
        description="2026-10, 2026-Q4, 2026-W41, 2026 or 30d, instead of `start` and `end`.",
    )
    zone: str = Field("UTC", max_length=60, description="Whose calendar `period` is of (IANA).")
    excused: Convention = Field(
        Convention.LEFT_OUT, description="What excused time counts as; the method says which."
    )
    start: AwareDatetime | None = Field(None, description="Default: 30 days before the end.")
    end: AwareDatetime | None = Field(None, description="Default: now.")
    entity: str | None = Field(None, max_length=300, description="One reference; default: all.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceAvailability:
    """One row. Durations are seconds inside the window; shares are from 0 to 1."""

    entity: EntityRef
    title: str
    objective: float | None
    """Promised availability, as a share."""
    availability: float | None
    """Null where nothing is known of the whole window."""
    lowest: float | None
    highest: float | None
    """The range between all unknown time down and all of it up."""
    agreed_s: float
    down_s: float
    degraded_s: float
    excused_s: float
    unknown_s: float
    outages: int
    restorations_s: tuple[float, ...]
    mean_time_to_restore_s: float | None
    """MTRS; null below three outages."""
    incidents: tuple[str, ...]
    restored_by_automation: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AvailabilityReport:
    """Availability of services in one half-open window."""

    start: datetime
    end: datetime
    watched_since: datetime | None
    method: str
    services: tuple[ServiceAvailability, ...]


METHODS = {
    Convention.LEFT_OUT: "availability = (agreed time - unplanned downtime) / agreed time; "
    "agreed time = window - excused - unknown; degraded time counts as up; overlaps count once; "
    "unknown is never up",
    Convention.COUNTS_AS_UP: "availability = (agreed time - unplanned downtime) / agreed time; "
    "agreed time = window - unknown; excused and degraded time count as up; overlaps count once; "
    "unknown is never up",
}


async def get_availability(call: Call) -> web.StreamResponse:
    """Availability per service: promised, measured, with its range, its outages and its unknown."""
    query, state, now = (
        call.query_as(AvailabilityQuery),
        call.site.loop.state,
        call.site.clock.now(),
    )
    window = _window(query, now)
    seen = call.site.catalogues.of(state.config.service_map).watched
    refs = _chosen(state, query.entity, seen)
    intervals = await call.site.store.intervals([*refs, EVERYTHING], window)
    incidents = {
        incident.id: incident
        for incident in await call.site.store.incidents(limit=INCIDENTS_MAX)
        if incident.state is not IncidentState.MERGED
    }
    rows = tuple(
        _row(
            state,
            availability(
                ref,
                [item for item in intervals if item.entity in (ref, EVERYTHING)],
                window=window,
                known_until=now,
                watched_since=state.watching_since if ref in seen else None,
                convention=query.excused,
            ),
            incidents,
        )
        for ref in refs
    )
    report = AvailabilityReport(
        start=window.start,
        end=window.end,
        watched_since=state.watching_since,
        method=METHODS[query.excused],
        services=rows,
    )
    return answer(report, AvailabilityReport)


def _window(query: AvailabilityQuery, now: datetime) -> Interval:
    if query.period is not None:
        if query.start or query.end:
            problem = "Either `period` or `start` and `end`."
            raise refuse(HTTPStatus.UNPROCESSABLE_ENTITY, problem)
        return window_of(query.period, query.zone, now)
    end = (query.end or now).astimezone(UTC)
    start = (query.start or end - WINDOW_DEFAULT).astimezone(UTC)
    if start >= end:
        raise refuse(HTTPStatus.UNPROCESSABLE_ENTITY, "`end` must be after `start`.")
    return Interval(start, end)


def _chosen(state: State, entity: str | None, seen: frozenset[EntityRef]) -> list[EntityRef]:
    """The one that was asked for, or every service that some alert could tell about."""
    service_map = state.config.service_map
    if entity is not None:
        if entity not in service_map.entities:
            raise refuse(HTTPStatus.NOT_FOUND, f"The map has no entity {entity}.")
        return [entity]
    found = [
        ref for ref, item in service_map.entities.items() if item.kind in _SERVICES and ref in seen
    ]
    found.sort(key=lambda ref: (_SERVICES.index(service_map.entities[ref].kind), ref))
    return found[:ENTITIES_MAX]


def _row(
    state: State, measured: Availability, incidents: dict[str, Incident]
) -> ServiceAvailability:
    entity = state.config.service_map.entities[measured.entity]
    named = tuple(
        dict.fromkeys(incident for outage in measured.outages for incident in outage.incidents)
    )
    mean = measured.mean_time_to_restore
    return ServiceAvailability(
        entity=measured.entity,
        title=entity.label,
        objective=None if entity.objective is None else entity.objective / 100,
        availability=measured.share,
        lowest=measured.lowest,
        highest=measured.highest,
        agreed_s=measured.agreed.total_seconds(),
        down_s=measured.down.total_seconds(),
        degraded_s=measured.degraded.total_seconds(),
        excused_s=measured.excused.total_seconds(),
        unknown_s=measured.unknown.total_seconds(),
        outages=len(measured.outages),
        restorations_s=tuple(length.total_seconds() for length in measured.restorations),
        mean_time_to_restore_s=mean.total_seconds() if mean else None,
        incidents=named,
        restored_by_automation=sum(
            1 for name in named if name in incidents and incidents[name].automated
        ),
    )


ROUTES = (
    Route(
        method="GET",
        path="/api/v1/reports/availability",
        permission=Permission.READ,
        summary="Availability of services",
        tag=TAG,
        handler=get_availability,
        query=AvailabilityQuery,
        response=AvailabilityReport,
        errors=(HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY),
    ),
)
