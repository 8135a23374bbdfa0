"""The forms by which people correct what belongs together; they stand on an incident's page."""

from aiohttp import web
from pydantic import Field

from agent.model.entry import AlertsDeclaredUnrelated, AlertsMoved, IncidentsMerged
from agent.web.pages.render import Renderer, see_other
from agent.web.permission import Permission
from agent.web.routes import Call, Handler, Route, Wish
from agent.web.writes import write


class MergeForm(Wish):
    """Where it goes on."""

    into: str = Field(min_length=1, max_length=40)


class ChosenForm(Wish):
    """Alerts and places that somebody chose, and what they are to become; empty: not said."""

    alerts: tuple[str, ...] = Field((), max_length=200)
    entities: tuple[str, ...] = Field((), max_length=200)
    into: str = Field("", max_length=40)
    note: str = Field("", max_length=4000)


class CorrectionPages:
    """Handlers of the forms; each leads back to an incident."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer

    def routes(self) -> tuple[Route, ...]:
        """What they answer."""
        form = self._form
        return (
            form("merge", "merge", self.merge, MergeForm),
            form("split", "split alerts off", self.split, ChosenForm),
            form("move", "move alerts to another incident", self.move, ChosenForm),
            form("unrelated", "say what is unrelated", self.unrelated, ChosenForm),
        )

    def _form(self, verb: str, summary: str, handler: Handler, body: type[Wish]) -> Route:
        path = f"/incidents/{{id}}/{verb}"
        return self._renderer.form_route(path, summary, Permission.RESPOND, handler, body)

    async def merge(self, call: Call) -> web.StreamResponse:
        """Let it go on in another one."""
        into = call.body_as(MergeForm).into.strip()
        what = IncidentsMerged(incident=call.named("id"), into=into, by=call.identity.name)
        await write(call, what)
        return see_other(f"/incidents/{call.named('id')}", "merged")

    async def split(self, call: Call) -> web.StreamResponse:
        """Make the chosen alerts an incident of their own, and go there."""
        form = call.body_as(ChosenForm)
        moved = self._moved(call, form, None)
        created = (await write(call, moved)).created or moved.incident
        return see_other(f"/incidents/{created}", "split")

    async def move(self, call: Call) -> web.StreamResponse:
        """Give the chosen alerts to another incident."""
        form = call.body_as(ChosenForm)
        await write(call, self._moved(call, form, form.into.strip()))
        return see_other(f"/incidents/{call.named('id')}", "moved")

    async def unrelated(self, call: Call) -> web.StreamResponse:
        """Send the chosen alerts and places away."""
        form = call.body_as(ChosenForm)
        what = AlertsDeclaredUnrelated(
            incident=call.named("id"),
            alerts=form.alerts,
            entities=form.entities,
            by=call.identity.name,
            note=form.note,
        )
        await write(call, what)
        return see_other(f"/incidents/{call.named('id')}", "unrelated")

    def _moved(self, call: Call, form: ChosenForm, into: str | None) -> AlertsMoved:
        return AlertsMoved(
            incident=call.named("id"),
            alerts=form.alerts,
            into=into,
            by=call.identity.name,
            note=form.note,
        )
