"""The page of how far rules go by themselves, and the forms on it and on incidents."""

from aiohttp import web
from pydantic import Field

from agent.core.autonomy.told import told
from agent.model.autonomy import Mode
from agent.model.autonomy_entries import (
    AutonomyResumed,
    AutonomyStopped,
    BreakerReset,
    ModeDemoted,
    ModePromoted,
    ProposalTaken,
)
from agent.model.entry import What
from agent.web.pages.render import Page, Renderer, see_other
from agent.web.permission import Permission
from agent.web.routes import Call, Route, Wish
from agent.web.views.autonomy import autonomy_page
from agent.web.writes import write


class NoteForm(Wish):
    """Why; an empty word is none."""

    note: str = Field(min_length=1, max_length=4000)


class PromoteForm(Wish):
    """What is signed."""

    to: Mode
    binding: str = Field(min_length=1, max_length=300)


class DemoteForm(Wish):
    """How far at most."""

    to: Mode


class ResetForm(Wish):
    """Which breaker."""

    breaker: str = Field(min_length=1, max_length=1000)


class TakeForm(Wish):
    """Which proposal."""

    case: str = Field(min_length=1, max_length=40)


class AutonomyPages:
    """Handlers of /autonomy, and of taking up what rules propose."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer

    def routes(self) -> tuple[Route, ...]:
        """What they answer."""
        page, form = self._renderer.page_route, self._renderer.form_route
        approve, respond, stop = Permission.APPROVE, Permission.RESPOND, Permission.CANCEL
        rule = "/autonomy/rules/{name}"
        return (
            page("/autonomy", "how far rules go", self.show),
            form("/autonomy/stop", "stop all rules", stop, self.stop, NoteForm),
            form("/autonomy/resume", "resume", approve, self.resume, NoteForm),
            form("/autonomy/reset", "reset a breaker", approve, self.reset, ResetForm),
            form(f"{rule}/promote", "sign a promotion", approve, self.promote, PromoteForm),
            form(f"{rule}/demote", "demote a rule", respond, self.demote, DemoteForm),
            form("/incidents/{id}/take", "take it up", Permission.REQUEST, self.take, TakeForm),
        )

    async def show(self, call: Call) -> web.StreamResponse:
        """Rules with their modes and scores, and where automation has stopped."""
        site = call.site
        view = autonomy_page(told(site.loop.state), site.clock.now())
        page = Page(
            template="autonomy.html", title="Autonomy", section="autonomy", topics=("autonomy",)
        )
        return self._renderer.page(call, page, view=view)

    async def stop(self, call: Call) -> web.StreamResponse:
        """From now on no rule starts anything."""
        note = call.body_as(NoteForm).note
        return await _done(call, AutonomyStopped(by=call.identity.name, note=note), "stopped")

    async def resume(self, call: Call) -> web.StreamResponse:
        """Rules go as far as they may again."""
        who, note = call.identity, call.body_as(NoteForm).note
        return await _done(
            call, AutonomyResumed(by=who.name, roles=who.roles, note=note), "resumed"
        )

    async def reset(self, call: Call) -> web.StreamResponse:
        """Let automation try again there."""
        who, name = call.identity, call.body_as(ResetForm).breaker
        return await _done(call, BreakerReset(breaker=name, by=who.name, roles=who.roles), "reset")

    async def promote(self, call: Call) -> web.StreamResponse:
        """Sign a step up of what was seen."""
        form, who = call.body_as(PromoteForm), call.identity
        what = ModePromoted(
            rule=call.named("name"),
            to=form.to,
            binding=form.binding,
            by=who.name,
            roles=who.roles,
        )
        return await _done(call, what, "promoted")

    async def demote(self, call: Call) -> web.StreamResponse:
        """Let a rule go no further."""
        to, by = call.body_as(DemoteForm).to, call.identity.name
        return await _done(call, ModeDemoted(rule=call.named("name"), to=to, by=by), "demoted")

    async def take(self, call: Call) -> web.StreamResponse:
        """What a rule proposes becomes the request of whoever takes it up."""
        incident, case = call.named("id"), call.body_as(TakeForm).case
        await write(call, ProposalTaken(incident=incident, case=case, by=call.identity.name))
        return see_other(f"/incidents/{incident}", "taken")


async def _done(call: Call, what: What, word: str) -> web.StreamResponse:
    await write(call, what)
    return see_other("/autonomy", word)
