"""The page of the audit log."""

from datetime import timedelta

from aiohttp import web

from agent.model.interval import Interval
from agent.web.api_audit import status_of
from agent.web.api_population import population_of
from agent.web.audit_site import desk_of
from agent.web.pages.render import Page, Renderer
from agent.web.routes import Call, Route
from agent.web.views.audit import Place, audit_view

CHECKED = timedelta(days=30)


class AuditPages:
    """Handler of /audit."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer

    def routes(self) -> tuple[Route, ...]:
        """What it answers."""
        return (self._renderer.page_route("/audit", "the audit log", self.show),)

    async def show(self, call: Call) -> web.StreamResponse:
        """How far others vouch for the log, and the population check of the last thirty days."""
        now = call.site.clock.now()
        status = status_of(await desk_of(call).standing())
        found = await population_of(call, Interval(now - CHECKED, now))
        view = audit_view(
            size=status.size,
            root=status.root,
            key=status.key,
            signed=status.checkpoint_size or 0,
            signed_at=status.checkpoint_at,
            places=[
                Place(name=each.destination, size=each.size, at=each.at, problem=each.problem)
                for each in status.deliveries
            ],
            problems=status.problems,
            counted_runs=found.runs,
            counted_changes=found.changes,
            findings=(*found.remainders, *found.violations),
            unknown=found.unknown,
            now=now,
        )
        page = Page(template="audit.html", title="Audit log", section="changes")
        return self._renderer.page(call, page, view=view)
