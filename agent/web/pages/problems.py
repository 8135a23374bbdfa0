"""The page of problems."""

from aiohttp import web

from agent.web.pages.render import Page, Renderer
from agent.web.routes import Call, Route
from agent.web.views.problems import problem_rows


class ProblemPages:
    """Handler of /problems."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer

    def routes(self) -> tuple[Route, ...]:
        """What it answers."""
        return (self._renderer.page_route("/problems", "problems", self.list),)

    async def list(self, call: Call) -> web.StreamResponse:
        """Problems, the newest first."""
        site = call.site
        service_map = site.loop.state.config.service_map
        rows = problem_rows(await site.store.problems(), service_map, site.clock.now())
        page = Page(
            template="problems.html", title="Problems", section="problems", topics=("problems",)
        )
        return self._renderer.page(call, page, rows=rows)
