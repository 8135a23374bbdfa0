"""Pages of changes and runs, and the forms that decide on them."""

from collections.abc import Sequence
from typing import Literal
from urllib.parse import urlencode

from aiohttp import web
from pydantic import Field

from agent.core.policy.authority import person_of
from agent.model.change import Change, ChangeState, Closure, Run
from agent.model.duty import ReviewOutcome
from agent.model.entry import ChangeCancelled
from agent.web.judged import judged_view
from agent.web.pages.output import last_lines
from agent.web.pages.render import Page, PageQuery, Renderer, Tab, see_other
from agent.web.permission import Permission
from agent.web.problem import not_found
from agent.web.routes import Call, Route, Wish
from agent.web.site import Site
from agent.web.views.changes import change_page, change_row, run_view, waiting_first
from agent.web.views.words import capital, counted
from agent.web.words_of_people import (
    answer_for,
    approval,
    lent_to,
    reconciliation,
    rejection,
    review_of,
    withdrawal,
)
from agent.web.writes import write

LIST_MAX = 200

TABS = (("all", "All"), ("open", "Under way"), ("awaiting_approval", "Waiting for approval"))


class ChangesPageQuery(PageQuery):
    """Which changes to list."""

    state: Literal["all", "open", "awaiting_approval"] = "all"
    before: str | None = Field(None, max_length=40)


class DecideForm(Wish):
    """A person's word on exactly what `binding` names."""

    decision: Literal["approve", "reject"]
    binding: str = Field(min_length=1, max_length=200)
    note: str = Field("", max_length=1000)


class CancelForm(Wish):
    """Why it shall stop."""

    note: str = Field("", max_length=1000)


class RetroForm(Wish):
    """The answer for an emergency that ran."""

    decision: Literal["approve", "reject"]
    note: str = Field("", max_length=1000)


class ReviewForm(Wish):
    """What a look back found."""

    outcome: ReviewOutcome
    text: str = Field(min_length=1, max_length=4000)
    lessons: str = Field("", max_length=4000)
    problem: str = Field("", max_length=40)


class ReconcileForm(Wish):
    """How it ended, and how somebody knows."""

    closure: Literal["success", "failed", "rolled_back"]
    note: str = Field(min_length=1, max_length=1000)


class ChangePages:
    """Handlers of everything under /changes and /runs that browsers use."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer

    def routes(self) -> tuple[Route, ...]:
        """What they answer."""
        page, form = self._renderer.page_route, self._renderer.form_route
        approve, cancel = Permission.DECIDE, Permission.CANCEL
        return (
            page("/changes", "changes, and what waits for approval", self.list, ChangesPageQuery),
            page("/changes/{id}", "one change", self.show),
            page("/runs/{id}", "one run with its output", self.run),
            form("/changes/{id}/decide", "approve or reject", approve, self.decide, DecideForm),
            form("/changes/{id}/withdraw", "take back", approve, self.withdraw, CancelForm),
            form("/changes/{id}/retro", "answer afterwards", approve, self.retro, RetroForm),
            form("/changes/{id}/review", "review", Permission.RESPOND, self.review, ReviewForm),
            form("/changes/{id}/reconcile", "reconcile", cancel, self.reconcile, ReconcileForm),
            form("/changes/{id}/cancel", "stop a change", cancel, self.cancel, CancelForm),
        )

    async def list(self, call: Call) -> web.StreamResponse:
        """Changes: what waits for a person first."""
        wanted, site = call.query_as(ChangesPageQuery), call.site
        now, service_map = site.clock.now(), site.loop.state.config.service_map
        found = await _listed(site, wanted)
        rows = [change_row(one, service_map, now) for one in waiting_first(found)]
        is_approvals = wanted.state == "awaiting_approval"
        older = ""
        if wanted.state == "all" and len(found) == LIST_MAX:
            older = f"/changes?{urlencode({'before': found[-1].id})}"
        tabs = [
            Tab(text=text, href=f"/changes?state={name}", current=name == wanted.state)
            for name, text in TABS
        ]
        page = Page(
            template="changes.html",
            title="Approvals" if is_approvals else "Changes",
            section="approvals" if is_approvals else "changes",
            topics=("changes",),
            announce=counted(len(rows), "change") + " listed",
        )
        return self._renderer.page(call, page, rows=rows, tabs=tabs, filters=wanted, older=older)

    async def show(self, call: Call) -> web.StreamResponse:
        """One change: what will run, where, why, what was decided, how it went."""
        site = call.site
        change = await _change(site, call.named("id"))
        state, now = site.loop.state, site.clock.now()
        runs = [state.runs.get(run.id, run) for run in await site.store.runs_of(change.id)]
        trigger = state.alerts.get(change.trigger) if change.trigger else None
        view = change_page(
            change,
            trigger_name=trigger.alert.name if trigger else "",
            remediations=state.config.remediations,
            runs=[run_view(run, await last_lines(site.store, run.id), now) for run in runs],
            timeline=await site.store.timeline(change.id),
            service_map=state.config.service_map,
            now=now,
        )
        page = Page(
            template="change.html",
            title=f"{change.id} {view.row.title}",
            section="changes",
            topics=(change.id, *(run.id for run in runs)),
            announce=f"{change.id} is {view.row.state.text}",
        )
        person, decision = person_of(call.identity.name), change.decision
        held = {*call.identity.roles, *(role for one in lent_to(call) for role in one.roles)}
        return self._renderer.page(
            call,
            page,
            view=view,
            judged=judged_view(state, change, now),
            is_unknown=change.state is ChangeState.UNKNOWN,
            may_decide=decision is not None and not held.isdisjoint(decision.roles),
            has_approved=change.is_open
            and change.run is None
            and any(person_of(one.by) == person for one in change.approvals),
        )

    async def run(self, call: Call) -> web.StreamResponse:
        """One run with its output."""
        site = call.site
        run = await _run(site, call.named("id"))
        change = await _change(site, run.change)
        view = run_view(run, await last_lines(site.store, run.id), site.clock.now())
        page = Page(
            template="run.html",
            title=f"{run.id} {change.title}",
            section="changes",
            topics=(run.id,),
            announce=f"{run.id} is {view.state.text}",
        )
        title = f"{capital(view.phase)}: {change.title or change.remediation}"
        return self._renderer.page(call, page, run=view, title=title)

    async def decide(self, call: Call) -> web.StreamResponse:
        """Approve or reject exactly what the page showed."""
        form, change = call.body_as(DecideForm), call.named("id")
        if form.decision == "approve":
            await write(call, approval(call, change, form.binding, form.note))
            return see_other(f"/changes/{change}", "approved")
        await write(call, rejection(call, change, form.note))
        return see_other(f"/changes/{change}", "rejected")

    async def withdraw(self, call: Call) -> web.StreamResponse:
        """Take one's own approval back."""
        change = call.named("id")
        await write(call, withdrawal(call, change, call.body_as(CancelForm).note))
        return see_other(f"/changes/{change}", "withdrawn")

    async def retro(self, call: Call) -> web.StreamResponse:
        """Answer for an emergency that ran."""
        form, change = call.body_as(RetroForm), call.named("id")
        is_yes = form.decision == "approve"
        await write(call, answer_for(call, change, form.note, approves=is_yes))
        return see_other(f"/changes/{change}", "answered")

    async def review(self, call: Call) -> web.StreamResponse:
        """Record a look back."""
        form, change = call.body_as(ReviewForm), call.named("id")
        problem = form.problem.strip() or None
        said = review_of(call, change, form.outcome, form.text, form.lessons, problem)
        await write(call, said)
        return see_other(f"/changes/{change}", "reviewed")

    async def reconcile(self, call: Call) -> web.StreamResponse:
        """Say what a lost run did."""
        form, change = call.body_as(ReconcileForm), call.named("id")
        await write(call, reconciliation(call, change, Closure(form.closure), form.note))
        return see_other(f"/changes/{change}", "reconciled")

    async def cancel(self, call: Call) -> web.StreamResponse:
        """Stop a change; a run under way is ended."""
        note, change = call.body_as(CancelForm).note, call.named("id")
        await write(call, ChangeCancelled(change=change, by=call.identity.name, note=note))
        return see_other(f"/changes/{change}", "cancelled")


async def _listed(site: Site, wanted: ChangesPageQuery) -> Sequence[Change]:
    if wanted.state == "all":
        return await site.store.changes(limit=LIST_MAX, before=wanted.before)
    known = site.loop.state.changes.values()
    if wanted.state == "open":
        return [one for one in known if one.is_open]
    return [one for one in known if one.state is ChangeState.AWAITING_APPROVAL]


async def _change(site: Site, identifier: str) -> Change:
    found = site.loop.state.changes.get(identifier) or await site.store.change(identifier)
    if found is None:
        raise not_found("change", identifier)
    return found


async def _run(site: Site, identifier: str) -> Run:
    found = site.loop.state.runs.get(identifier) or await site.store.run(identifier)
    if found is None:
        raise not_found("run", identifier)
    return found
