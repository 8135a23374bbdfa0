"""The page of silences: list, add after a preview, end."""

import secrets
from datetime import timedelta
from typing import Literal

from aiohttp import web
from pydantic import Field

from agent.config.matchers import MATCHERS_MAX, parse_matchers
from agent.core.matching import compile_all
from agent.model.entry import SilenceAdded, SilenceExpired
from agent.model.labels import Matcher
from agent.model.silence import Silence
from agent.web.pages.render import Page, Renderer, see_other
from agent.web.permission import Permission
from agent.web.preview import preview_of
from agent.web.routes import Call, Route, Wish
from agent.web.views.silences import SilenceForm, silence_rows
from agent.web.writes import write

HOURS_MAX = 720.0


class SilenceWish(Wish):
    """What somebody wants silent."""

    matchers: str = Field(max_length=4000)
    hours: float = Field(gt=0, le=HOURS_MAX)
    comment: str = Field("", max_length=500)
    do: Literal["preview", "add"]


class SilencePages:
    """Handlers of /silences."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer

    def routes(self) -> tuple[Route, ...]:
        """What they answer."""
        page, form, silence = (
            self._renderer.page_route,
            self._renderer.form_route,
            Permission.SILENCE,
        )
        return (
            page("/silences", "silences", self.list),
            form("/silences", "preview or add a silence", silence, self.add, SilenceWish),
            form("/silences/{id}/expire", "end a silence", silence, self.expire),
        )

    async def list(self, call: Call) -> web.StreamResponse:
        """Silences, those in force first."""
        return self._show(call, SilenceForm())

    async def add(self, call: Call) -> web.StreamResponse:
        """Show what a silence would mute, or add it."""
        wish = call.body_as(SilenceWish)
        matchers, problem = _matchers(wish)
        typed = SilenceForm(
            matchers=wish.matchers,
            hours=f"{wish.hours:g}",
            comment=wish.comment,
            problem=problem,
            preview=None if problem else await preview_of(call.site.loop.state, matchers),
        )
        if problem or wish.do == "preview":
            return self._show(call, typed)
        now = call.site.clock.now()
        silence = Silence(
            id=secrets.token_hex(16),
            matchers=matchers,
            starts_at=now,
            ends_at=now + timedelta(hours=wish.hours),
            created_by=call.identity.name,
            comment=wish.comment,
            updated_at=now,
        )
        await write(call, SilenceAdded(silence=silence))
        return see_other("/silences", "silenced")

    async def expire(self, call: Call) -> web.StreamResponse:
        """End a silence now."""
        await write(call, SilenceExpired(id=call.named("id"), by=call.identity.name))
        return see_other("/silences", "expired")

    def _show(self, call: Call, form: SilenceForm) -> web.Response:
        rows = silence_rows(call.site.loop.state.silences.values(), call.site.clock.now())
        page = Page(
            template="silences.html", title="Silences", section="silences", topics=("silences",)
        )
        return self._renderer.page(call, page, rows=rows, form=form)


def _matchers(wish: SilenceWish) -> tuple[tuple[Matcher, ...], str]:
    """The matchers, or what is wrong with them in a sentence."""
    lines = [line for line in wish.matchers.splitlines() if line.strip()]
    try:
        matchers = tuple(matcher for line in lines for matcher in parse_matchers(line))
        matches_all = compile_all(matchers)({})
    except ValueError as error:
        return (), f"The matchers cannot be read: {error}."
    if not matchers:
        return (), 'Write at least one matcher, such as alertname="DiskFull".'
    if len(matchers) > MATCHERS_MAX:
        return (), f"More than {MATCHERS_MAX} matchers."
    if matches_all:
        return (), "This would silence everything: at least one matcher must need a label."
    if wish.do == "add" and not wish.comment.strip():
        return (), "Say why: others will want to know."
    return matchers, ""
