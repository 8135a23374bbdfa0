"""Pages of incidents, and the forms on them."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Literal
from urllib.parse import urlencode

from aiohttp import web
from pydantic import Field

from agent.core import explain
from agent.model.change import Change
from agent.model.entry import (
    CauseConfirmed,
    IncidentAcknowledged,
    IncidentAssigned,
    IncidentCommented,
    IncidentResolved,
    What,
)
from agent.model.incident import Incident, IncidentState, Priority
from agent.web.graph import incident_graph
from agent.web.occurrences import flapping_of, occurrences_of
from agent.web.pages.output import last_lines
from agent.web.pages.render import Page, PageQuery, Renderer, Tab, see_other
from agent.web.permission import Permission
from agent.web.problem import not_found
from agent.web.routes import Call, Handler, Route, Wish
from agent.web.site import Site
from agent.web.views.changes import run_view
from agent.web.views.incidents import IncidentRow, by_urgency, incident_row, incident_view
from agent.web.views.words import counted
from agent.web.writes import write

LIST_MAX = 200
RUNS_SHOWN_MAX = 3
"""Runs with their output on the page of an incident; the newest."""

LONGEST = {"1h": timedelta(hours=1), "4h": timedelta(hours=4), "24h": timedelta(hours=24)}
"""How long an acknowledgement until clear may last at most, as the form offers it."""

TABS = (("open", "Open"), ("resolved", "Resolved"), ("all", "All"))


class IncidentsPageQuery(PageQuery):
    """Which incidents to list."""

    state: Literal["open", "resolved", "all"] = "open"
    priority: Literal["", "P1", "P2", "P3", "P4", "P5"] = ""
    q: str = Field("", max_length=100)
    before: str | None = Field(None, max_length=40)


class AcknowledgeForm(Wish):
    """Until when nobody is told again; empty: told as ever."""

    until: Literal["", "clear", "1h", "4h", "24h"] = ""


class CommentForm(Wish):
    """What somebody says."""

    text: str = Field(min_length=1, max_length=4000)


class AssignForm(Wish):
    """Who shall have it."""

    assignee: str = Field(min_length=1, max_length=200)


class CauseForm(Wish):
    """What the cause was."""

    entity: str = Field(min_length=1, max_length=500)


class IncidentPages:
    """Handlers of everything under /incidents that browsers use."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer

    def routes(self) -> tuple[Route, ...]:
        """What they answer."""
        page, form = self._renderer.page_route, self._form
        return (
            page("/incidents", "incidents", self.list, IncidentsPageQuery),
            page("/incidents/{id}", "one incident", self.show),
            form("acknowledge", "acknowledge", self.acknowledge, AcknowledgeForm),
            form("assign", "assign", self.assign, AssignForm),
            form("comment", "comment", self.comment, CommentForm),
            form("resolve", "say that service is restored", self.resolve),
            form("cause", "confirm the cause", self.confirm, CauseForm),
        )

    def _form(
        self, verb: str, summary: str, handler: Handler, body: type[Wish] | None = None
    ) -> Route:
        path = f"/incidents/{{id}}/{verb}"
        return self._renderer.form_route(path, summary, Permission.RESPOND, handler, body)

    async def list(self, call: Call) -> web.StreamResponse:
        """Incidents, open ones first."""
        wanted, site = call.query_as(IncidentsPageQuery), call.site
        now, service_map = site.clock.now(), site.loop.state.config.service_map
        found = await _listed(site, wanted)
        ranked = by_urgency(found)
        if not (wanted.q or wanted.priority):
            ranked = ranked[:LIST_MAX]
        rows = (incident_row(one, service_map, now) for one in ranked)
        shown = [row for row in rows if _fits(row, wanted)]
        total = len(shown) if wanted.q or wanted.priority else len(found)
        older = ""
        if wanted.state == "all" and len(found) == LIST_MAX:
            older = _address(wanted, before=found[-1].id)
        page = Page(
            template="incidents.html",
            title="Incidents",
            section="incidents",
            topics=("incidents",),
            announce=counted(total, "incident") + " listed",
        )
        tabs = [
            Tab(text=text, href=_address(wanted, state=name), current=name == wanted.state)
            for name, text in TABS
        ]
        priorities = [priority.name for priority in Priority]
        return self._renderer.page(
            call,
            page,
            rows=shown[:LIST_MAX],
            total=total,
            tabs=tabs,
            filters=wanted,
            priorities=priorities,
            older=older,
        )

    async def show(self, call: Call) -> web.StreamResponse:
        """One incident with all that is known about it."""
        site = call.site
        incident = await _incident(site, call.named("id"))
        state, now = site.loop.state, site.clock.now()
        service_map = state.config.service_map
        changes = await _changes(site, incident.changes)
        runs = [run for change in reversed(changes) for run in await site.store.runs_of(change.id)]
        shown = [state.runs.get(run.id, run) for run in runs[-RUNS_SHOWN_MAX:]]
        view = incident_view(
            incident,
            changes=changes,
            timeline=await site.store.timeline(incident.id),
            alerts=await occurrences_of(site, incident.id),
            flapping=flapping_of(state, incident.id),
            whys={one.alert: one.text for one in explain.joined(state, incident)},
            service_map=service_map,
            now=now,
        )
        others = [
            incident_row(one, service_map, now)
            for one in by_urgency(state.incidents.values())
            if one.is_live and one.id != incident.id
        ]
        page = Page(
            template="incident.html",
            title=f"{incident.id} {incident.title}",
            section="incidents",
            topics=(incident.id, *incident.changes, *(run.id for run in shown)),
            announce=f"{incident.id} is {view.row.state.text}: {view.headline}",
        )
        outputs = [run_view(run, await last_lines(site.store, run.id), now) for run in shown]
        return self._renderer.page(
            call,
            page,
            view=view,
            graph=incident_graph(incident, site.catalogues.of(service_map), state.health),
            runs=outputs,
            others=others[:LIST_MAX],
            proposals=incident.proposals,
        )

    async def acknowledge(self, call: Call) -> web.StreamResponse:
        """Take note: response has begun."""
        until = call.body_as(AcknowledgeForm).until
        longest = LONGEST.get(until)
        what = IncidentAcknowledged(
            incident=call.named("id"),
            by=call.identity.name,
            until_clear=bool(until),
            until=call.site.clock.now() + longest if longest else None,
        )
        return await self._done(call, what, "resting" if until else "acknowledged")

    async def assign(self, call: Call) -> web.StreamResponse:
        """Give it to somebody."""
        form = call.body_as(AssignForm)
        what = IncidentAssigned(
            incident=call.named("id"), assignee=form.assignee, by=call.identity.name
        )
        return await self._done(call, what, "assigned")

    async def comment(self, call: Call) -> web.StreamResponse:
        """Say something about it."""
        form = call.body_as(CommentForm)
        what = IncidentCommented(incident=call.named("id"), text=form.text, by=call.identity.name)
        return await self._done(call, what, "commented")

    async def resolve(self, call: Call) -> web.StreamResponse:
        """Say that service is restored."""
        what = IncidentResolved(incident=call.named("id"), by=call.identity.name)
        return await self._done(call, what, "resolved")

    async def confirm(self, call: Call) -> web.StreamResponse:
        """Say what the cause was."""
        entity = call.body_as(CauseForm).entity
        what = CauseConfirmed(incident=call.named("id"), entity=entity, by=call.identity.name)
        return await self._done(call, what, "confirmed")

    async def _done(self, call: Call, what: What, word: str) -> web.StreamResponse:
        back = f"/incidents/{call.named('id')}"
        await write(call, what)
        return see_other(back, word)


async def _incident(site: Site, identifier: str) -> Incident:
    found = site.loop.state.incidents.get(identifier) or await site.store.incident(identifier)
    if found is None:
        raise not_found("incident", identifier)
    return found


async def _changes(site: Site, identifiers: Iterable[str]) -> list[Change]:
    """The changes, newest first; the loop's own word where it still has one."""
    found: list[Change] = []
    for identifier in identifiers:
        known = site.loop.state.changes.get(identifier)
        change = known or await site.store.change(identifier)
        if change is not None:
            found.append(change)
    return sorted(found, key=lambda change: change.requested_at, reverse=True)


async def _listed(site: Site, wanted: IncidentsPageQuery) -> Sequence[Incident]:
    if wanted.state == "all":
        return await site.store.incidents(limit=LIST_MAX, before=wanted.before)
    state = IncidentState(wanted.state)
    return [one for one in site.loop.state.incidents.values() if one.state is state]


def _fits(row: IncidentRow, wanted: IncidentsPageQuery) -> bool:
    if wanted.priority and row.priority != wanted.priority:
        return False
    said = " ".join((row.id, row.title, row.impact, row.cause, row.owner, row.assignee)).casefold()
    return all(part in said for part in wanted.q.casefold().split())


def _address(wanted: IncidentsPageQuery, **other: str) -> str:
    kept = {"state": wanted.state, "priority": wanted.priority, "q": wanted.q, **other}
    return f"/incidents?{urlencode({name: value for name, value in kept.items() if value})}"
