"""The agent about itself: alive, ready, measured, configured, documented."""

import asyncio
from dataclasses import dataclass
from datetime import datetime

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from agent.model.calendar import Calendar
from agent.model.interval import Interval
from agent.web.body import JSON
from agent.web.permission import Permission
from agent.web.routes import SERVED, Call, Route, answer

TAG = "Agent"
PLAIN = "text/plain"
METRICS_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarStatus:
    """A calendar and the time for which it was worked out."""

    name: str
    windows: int
    horizon: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigStatus:
    """What is in force."""

    version: str
    started_at: datetime
    digest: str
    policy_digest: str | None
    """Null where there is no readable policy: then nothing may run."""
    entities: int
    remediations: tuple[str, ...]
    remediation_rules: int
    inhibit_rules: int
    routes: int
    watches: int
    heartbeats: int
    calendars_wanted: tuple[str, ...]
    calendars: tuple[CalendarStatus, ...]
    alerts: int
    incidents: int
    effects_waiting: int
    problems: tuple[str, ...]
    """What is not as the files say it should be."""


async def healthy(_: Call) -> web.StreamResponse:
    """Whether the process answers at all."""
    return web.Response(text="OK")


async def ready(_: Call) -> web.StreamResponse:
    """Whether alerts are taken: they are as soon as this answers, whatever the rule files hold."""
    return web.Response(text="OK")


async def metrics(call: Call) -> web.StreamResponse:
    """Our own metrics, as Prometheus reads them."""
    async with asyncio.timeout(METRICS_TIMEOUT_S):
        content = await asyncio.to_thread(generate_latest, call.site.registry)
    return web.Response(body=content, headers={"Content-Type": CONTENT_TYPE_LATEST})


async def config_status(call: Call) -> web.StreamResponse:
    """What is in force, by digest and in numbers."""
    site, state = call.site, call.site.loop.state
    config = state.config
    status = ConfigStatus(
        version=site.about.version,
        started_at=site.about.started_at,
        digest=config.digest,
        policy_digest=config.policy.digest if config.policy else None,
        entities=len(config.service_map.entities),
        remediations=tuple(sorted(config.remediations)),
        remediation_rules=len(config.remediation_rules),
        inhibit_rules=len(config.inhibit_rules),
        routes=len(config.routes),
        watches=len(config.watches),
        heartbeats=len(config.heartbeats),
        calendars_wanted=config.calendars,
        calendars=tuple(_calendar(calendar) for calendar in state.calendars.values()),
        alerts=len(state.alerts),
        incidents=sum(incident.is_live for incident in state.incidents.values()),
        effects_waiting=sum(1 for _ in state.outbox.all()),
        problems=tuple(site.about.problems()),
    )
    return answer(status, ConfigStatus)


async def openapi(call: Call) -> web.StreamResponse:
    """This document."""
    # Its library is large, and most agents are never asked.
    from agent.web.openapi import document  # noqa: PLC0415

    routes = call.request[SERVED].table.routes
    text = await asyncio.to_thread(document, routes, call.site.about.version)
    return web.Response(text=text, content_type=JSON)


def _calendar(calendar: Calendar) -> CalendarStatus:
    return CalendarStatus(
        name=calendar.name, windows=len(calendar.windows), horizon=calendar.horizon
    )


ROUTES = (
    Route(
        method="GET",
        path="/-/healthy",
        permission=None,
        summary="Is it alive",
        tag=TAG,
        handler=healthy,
        media_type=PLAIN,
        response=str,
    ),
    Route(
        method="GET",
        path="/-/ready",
        permission=None,
        summary="Does it take alerts",
        tag=TAG,
        handler=ready,
        media_type=PLAIN,
        response=str,
    ),
    Route(
        method="GET",
        path="/metrics",
        permission=Permission.READ,
        summary="Metrics",
        tag=TAG,
        handler=metrics,
        media_type=PLAIN,
        response=str,
    ),
    Route(
        method="GET",
        path="/api/v1/config",
        permission=Permission.READ,
        summary="What is in force",
        tag=TAG,
        handler=config_status,
        response=ConfigStatus,
    ),
    Route(
        method="GET",
        path="/api/openapi.json",
        permission=Permission.READ,
        summary="This document",
        tag=TAG,
        handler=openapi,
        response=dict[str, object],
    ),
)
