"""Pages of problems and of changes that others made, and the forms on them."""

from aiohttp import web
from pydantic import Field

from agent.model.entry import What
from agent.model.problem import ProblemState
from agent.model.problem_entries import (
    FixPlanned,
    KnownErrorRecorded,
    ProblemMoved,
    SuspectConfirmed,
    SuspectDismissed,
)
from agent.web.api_incidents import known_incident
from agent.web.api_problems import measured_problems
from agent.web.pages.render import Page, PageQuery, Renderer, see_other
from agent.web.permission import Permission
from agent.web.problem import not_found
from agent.web.review import review_of
from agent.web.routes import Call, Route, Wish
from agent.web.views.problems import problem_page, problem_rows
from agent.web.views.reported import reported_rows
from agent.web.writes import write

LIST_MAX = 200


class ReportedQuery(PageQuery):
    """From where on."""

    before: str | None = Field(None, max_length=40)


class MoveForm(Wish):
    """Where it goes."""

    to: ProblemState
    note: str = Field("", max_length=4000)


class KnownErrorForm(Wish):
    """Why it happens, and what helps."""

    cause: str = Field(min_length=1, max_length=4000)
    workaround: str = Field("", max_length=4000)
    remediation: str = Field("", max_length=200)


class FixForm(Wish):
    """What is to mend it."""

    change: str = Field(min_length=1, max_length=1000)
    note: str = Field("", max_length=4000)


class SuspectForm(Wish):
    """Which change."""

    change: str = Field(min_length=1, max_length=40)


class ProblemPages:
    """Handlers of /problems, /reported, reviews and suspects."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer

    def routes(self) -> tuple[Route, ...]:
        """What they answer."""
        page, form, respond = (
            self._renderer.page_route,
            self._renderer.form_route,
            Permission.RESPOND,
        )
        known = "/problems/{id}/known-error"
        return (
            page("/problems", "problems", self.list),
            page("/problems/{id}", "one problem", self.show),
            page("/reported", "changes that others made", self.reported, ReportedQuery),
            page("/incidents/{id}/review", "the review of an incident", self.review),
            form("/problems/{id}/move", "move a problem", respond, self.move, MoveForm),
            form(known, "record a known error", respond, self.know, KnownErrorForm),
            form("/problems/{id}/fix", "plan a fix", respond, self.fix, FixForm),
            form("/incidents/{id}/suspect", "confirm", respond, self.confirm, SuspectForm),
            form("/incidents/{id}/unsuspect", "dismiss", respond, self.dismiss, SuspectForm),
        )

    async def list(self, call: Call) -> web.StreamResponse:
        """Problems, the dearest first."""
        site = call.site
        service_map = site.loop.state.config.service_map
        rows = problem_rows(await measured_problems(site), service_map, site.clock.now())
        page = Page(
            template="problems.html", title="Problems", section="problems", topics=("problems",)
        )
        return self._renderer.page(call, page, rows=rows)

    async def show(self, call: Call) -> web.StreamResponse:
        """One problem with all that is known about it."""
        site, identifier = call.site, call.named("id")
        found = [pair for pair in await measured_problems(site) if pair[0].id == identifier]
        if not found:
            raise not_found("problem", identifier)
        (problem, told), config = found[0], site.loop.state.config
        view = problem_page(
            problem,
            told,
            await site.store.timeline(identifier),
            config.service_map,
            site.clock.now(),
        )
        page = Page(
            template="problem.html",
            title=f"{problem.id} {problem.title}",
            section="problems",
            topics=(problem.id,),
            announce=f"{problem.id} is {view.row.state.text}",
        )
        names = sorted(config.remediations)
        return self._renderer.page(call, page, view=view, remediations=names)

    async def reported(self, call: Call) -> web.StreamResponse:
        """Changes that others made, the last heard of first."""
        site, before = call.site, call.query_as(ReportedQuery).before
        found = await site.store.reported(limit=LIST_MAX, before=before)
        service_map = site.loop.state.config.service_map
        page = Page(
            template="reported.html",
            title="Changes of others",
            section="changes",
            topics=("reported",),
        )
        return self._renderer.page(
            call,
            page,
            rows=reported_rows(found, service_map, site.clock.now()),
            older=f"/reported?before={found[-1].id}" if len(found) == LIST_MAX else "",
        )

    async def review(self, call: Call) -> web.StreamResponse:
        """The review of an incident."""
        incident = await known_incident(call, call.named("id"))
        told = await review_of(call.site, incident)
        page = Page(
            template="review.html",
            title=f"Review of {incident.id}",
            section="incidents",
            topics=(incident.id, *incident.changes),
        )
        return self._renderer.page(call, page, review=told)

    async def move(self, call: Call) -> web.StreamResponse:
        """Move it on, or back."""
        form, who = call.body_as(MoveForm), call.identity.name
        what = ProblemMoved(problem=call.named("id"), to=form.to, by=who, note=form.note)
        return await _done(call, what, "problem-moved")

    async def know(self, call: Call) -> web.StreamResponse:
        """Say why it happens, and what helps."""
        form = call.body_as(KnownErrorForm)
        what = KnownErrorRecorded(
            problem=call.named("id"),
            cause=form.cause,
            workaround=form.workaround,
            remediation=form.remediation or None,
            by=call.identity.name,
        )
        return await _done(call, what, "known")

    async def fix(self, call: Call) -> web.StreamResponse:
        """Link the change that is to mend it."""
        form, who = call.body_as(FixForm), call.identity.name
        what = FixPlanned(
            problem=call.named("id"), change=form.change.strip(), by=who, note=form.note
        )
        return await _done(call, what, "planned")

    async def confirm(self, call: Call) -> web.StreamResponse:
        """This change led to it."""
        change = call.body_as(SuspectForm).change
        incident = call.named("id")
        await write(call, SuspectConfirmed(incident=incident, change=change, by=_who(call)))
        return see_other(f"/incidents/{incident}", "suspected")

    async def dismiss(self, call: Call) -> web.StreamResponse:
        """This change has nothing to do with it."""
        change = call.body_as(SuspectForm).change
        incident = call.named("id")
        await write(call, SuspectDismissed(incident=incident, change=change, by=_who(call)))
        return see_other(f"/incidents/{incident}", "dismissed")


async def _done(call: Call, what: What, word: str) -> web.StreamResponse:
    await write(call, what)
    return see_other(f"/problems/{call.named('id')}", word)


def _who(call: Call) -> str:
    return call.identity.name
