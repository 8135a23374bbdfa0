"""Calendars: what applies when and why, and the forward schedule of change as iCalendar."""

from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus

from aiohttp import web
from pydantic import AwareDatetime, Field

from agent.core.timetable import Named
from agent.model.calendar import Calendar, CalendarPurpose
from agent.model.interval import Interval
from agent.web.permission import Permission
from agent.web.problem import not_found, refuse
from agent.web.routes import Call, Route, Wish, answer
from agent.web.schedule_ics import MEDIA_TYPE, schedule

TAG = "Calendars"
WINDOWS_MAX = 2_000
LOOKED_AT = timedelta(days=14)


class WindowsQuery(Wish):
    """Which windows."""

    since: AwareDatetime | None = Field(None, alias="from", description="Default: now.")
    until: AwareDatetime | None = Field(None, alias="to", description="Default: 14 days later.")
    entity: str | None = Field(None, max_length=300, description="Only those that concern it.")


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowView:
    """One occurrence of a calendar's entry: what it does, for whom, who made it and why."""

    calendar: str
    interval: Interval
    purposes: tuple[CalendarPurpose, ...]
    entities: tuple[str, ...]
    """With everything that they rest on; empty: everybody."""
    summary: str
    who: str
    why: str
    zone: str
    """In which zone it was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowsView:
    """The windows of a span of time."""

    span: Interval
    windows: tuple[WindowView, ...]
    is_cut: bool
    """Whether there are more than are shown."""
    unreadable: tuple[str, ...]
    """Calendars that cannot be read for all of the span: nothing runs where they cannot."""
    readable: Interval | None
    """For which time all calendars were worked out; null where one is missing."""


async def get_windows(call: Call) -> web.StreamResponse:
    """Windows of all calendars that touch a span of time, in order."""
    query, state = call.query_as(WindowsQuery), call.site.loop.state
    if query.entity is not None and query.entity not in state.config.service_map.entities:
        raise not_found("entity", query.entity)
    since = query.since or call.site.clock.now()
    until = query.until or since + LOOKED_AT
    if until <= since:
        raise refuse(HTTPStatus.BAD_REQUEST, "`to` must be after `from`.")
    span = Interval(since, until)
    timetable = state.derived.timetable(state.calendars)
    found = dict.fromkeys(
        named
        for purpose in CalendarPurpose
        for named in timetable.meeting(purpose, query.entity, span)
        if query.entity is not None
    )
    if query.entity is None:
        found = dict.fromkeys(_all(tuple(state.calendars.values()), span))
    windows = sorted(found, key=lambda named: (named.window.interval, named.calendar))
    view = WindowsView(
        span=span,
        windows=tuple(_view(named) for named in windows[:WINDOWS_MAX]),
        is_cut=len(windows) > WINDOWS_MAX,
        unreadable=tuple(
            name for name in state.config.calendars if not _reads(state.calendars.get(name), span)
        ),
        readable=_readable(state.config.calendars, tuple(state.calendars.values())),
    )
    return answer(view, WindowsView)


async def get_schedule(call: Call) -> web.StreamResponse:
    """Open changes with the time at which they would run, change windows and freezes."""
    site = call.site
    content = schedule(site.loop.state, site.clock.now())
    headers = {"Content-Disposition": 'inline; filename="changes.ics"'}
    return web.Response(body=content, content_type=MEDIA_TYPE, charset="utf-8", headers=headers)


def _all(calendars: tuple[Calendar, ...], span: Interval) -> list[Named]:
    return [
        Named(calendar.name, window)
        for calendar in calendars
        for window in calendar.windows
        if window.interval.clip(span) is not None
    ]


def _reads(calendar: Calendar | None, span: Interval) -> bool:
    if calendar is None or calendar.unreadable(span.start) is not None:
        return False
    return span.end <= calendar.horizon.end


def _readable(wanted: tuple[str, ...], calendars: tuple[Calendar, ...]) -> Interval | None:
    if len(calendars) < len(wanted) or not calendars:
        return None
    start = max(calendar.horizon.start for calendar in calendars)
    end = min(calendar.horizon.end for calendar in calendars)
    return Interval(start, end) if start < end else None


def _view(named: Named) -> WindowView:
    window = named.window
    return WindowView(
        calendar=named.calendar,
        interval=window.interval,
        purposes=window.purposes,
        entities=window.entities,
        summary=window.summary,
        who=window.who,
        why=window.why,
        zone=window.zone,
    )


ROUTES = (
    Route(
        method="GET",
        path="/api/v1/calendars/windows",
        permission=Permission.READ,
        summary="What applies when",
        tag=TAG,
        handler=get_windows,
        query=WindowsQuery,
        response=WindowsView,
        errors=(HTTPStatus.NOT_FOUND,),
    ),
    Route(
        method="GET",
        path="/api/v1/changes.ics",
        permission=Permission.READ,
        summary="The forward schedule of change",
        tag=TAG,
        handler=get_schedule,
        media_type=MEDIA_TYPE,
        response=str,
    ),
)
