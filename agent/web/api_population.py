"""The population check of an auditor: is anything outside of the record, did anything break it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time
from http import HTTPStatus

from aiohttp import web
from pydantic import Field

from agent.core.policy.standard import version_of
from agent.core.state import State
from agent.model.calendar import CalendarPurpose
from agent.model.change import Change, Run
from agent.model.interval import Interval
from agent.reporting.changes.population import Finding, gaps
from agent.reporting.changes.violations import Frozen, Known, violations
from agent.web.api_periods import window_of
from agent.web.audit_site import desk_of
from agent.web.permission import Permission
from agent.web.routes import Call, Route, Wish, answer

TAG = "Audit"


class PopulationQuery(Wish):
    """Which time."""

    period: str = Field(
        "30d", max_length=20, description="2026-10, 2026-Q4, 2026-W41, 2026 or 30d."
    )
    zone: str = Field("UTC", max_length=60, description="Whose calendar `period` is of (IANA).")


@dataclass(frozen=True, slots=True, kw_only=True)
class Population:
    """Runs against changes, both ways, and changes against what was decided."""

    start: datetime
    end: datetime
    audited_since: datetime | None
    """What was before that is held against no audit log."""
    changes: int
    """Alive in that time."""
    runs: int
    """Asked for in that time."""
    remainders: tuple[Finding, ...]
    """What stands on one side only. Empty is well."""
    violations: tuple[Finding, ...]
    """Empty is well."""
    unknown: tuple[Finding, ...]
    """What can no longer be told."""


async def get_population(call: Call) -> web.StreamResponse:
    """Every run has its change, and every change that ran its runs; none broke what was decided."""
    query = call.query_as(PopulationQuery)
    window = window_of(query.period, query.zone, call.site.clock.now())
    return answer(await population_of(call, window), Population)


async def population_of(call: Call, window: Interval) -> Population:
    """The check over a time."""
    store, desk, state = call.site.store, desk_of(call), call.site.loop.state
    since = await desk.since()
    changes = {change.id: change for change in await store.changes_alive(window)}
    runs = {run.id: run for run in await store.runs_in(window)}
    asked = len(runs)
    printed = await store.printed_in(window)
    audited = await desk.runs_between(window)
    named = {run for each in changes.values() for run in (each.run, each.rollback_run) if run}
    # What was asked for before that time may still print, or end, in it.
    for name in sorted({*printed, *audited, *named} - runs.keys()):
        if (earlier := await store.run(name)) is not None:
            runs[name] = earlier
    for name in sorted({run.change for run in runs.values()} - changes.keys()):
        if (other := await store.change(name)) is not None:
            changes[name] = other
    found = gaps(
        changes=changes,
        runs=tuple(runs.values()),
        printed=printed,
        audited_runs={*audited, *await desk.known([*runs]), *_before(runs.values(), since)},
        audited_changes={*await desk.known([*changes]), *_before(changes.values(), since)},
        told=await desk.last_told([*changes]),
    )
    judged = violations(
        tuple(changes.values()),
        [run for run in runs.values() if run.launched_at and window.contains(run.launched_at)],
        Known(
            launches=await desk.played([*runs]),
            frozen=_frozen(state),
            alone=_alone(state),
            expires=_expiries(state),
            now=call.site.clock.now(),
        ),
    )
    return Population(
        start=window.start,
        end=window.end,
        audited_since=since,
        changes=len(changes),
        runs=asked,
        remainders=found,
        violations=tuple(each for each in judged if each.kind != "unknown"),
        unknown=tuple(each for each in judged if each.kind == "unknown"),
    )


def _before(items: Iterable[Run | Change], since: datetime | None) -> set[str]:
    """What was asked for before there was an audit log."""
    return {item.id for item in items if since is None or item.requested_at < since}


def _frozen(state: State) -> Frozen:
    def frozen(change: Change, at: datetime) -> bool | None:
        known = [state.calendars.get(name) for name in state.config.calendars]
        if any(calendar is None or not calendar.horizon.contains(at) for calendar in known):
            return None
        timetable = state.derived.timetable(state.calendars)
        met = timetable.open_at(CalendarPurpose.FREEZE, change.entity, at)
        return next(met, None) is not None

    return frozen


def _alone(state: State) -> Mapping[str, frozenset[str]]:
    """Of the policy in force; older ones are in the audit log, with who wrote them."""
    policy = state.config.policy
    if policy is None:
        return {}
    edits = (edit for edit in policy.edits if edit.approved_by in (None, edit.author))
    return {policy.digest: frozenset(edit.author for edit in edits)}


def _expiries(state: State) -> Mapping[str, datetime]:
    """Of the templates in force; an older version of one ended at the latest with it."""
    policy = state.config.policy
    return {
        version_of(each): datetime.combine(each.expires, time(), UTC)
        for each in (policy.standard if policy else ())
    }


ROUTES = (
    Route(
        method="GET",
        path="/api/v1/audit/population",
        permission=Permission.READ,
        summary="Runs against changes, and changes against what was decided",
        tag=TAG,
        handler=get_population,
        query=PopulationQuery,
        response=Population,
        errors=(HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY),
    ),
)
