"""The front page: services by health."""

from typing import Literal

from aiohttp import web

from agent.web.pages.render import Page, PageQuery, Renderer
from agent.web.routes import Call, Route
from agent.web.views.services import services_view


class ServicesQuery(PageQuery):
    """Which services to show."""

    show: Literal["all", "trouble"] = "all"


class ServicePages:
    """Handlers of the front page."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer

    def routes(self) -> tuple[Route, ...]:
        """What they answer."""
        return (self._renderer.page_route("/", "services by health", self.show, ServicesQuery),)

    async def show(self, call: Call) -> web.StreamResponse:
        """The services of the map, those in trouble first."""
        state, only_trouble = call.site.loop.state, call.query_as(ServicesQuery).show == "trouble"
        view = services_view(
            call.site.catalogues.of(state.config.service_map),
            state.health,
            state.incidents.values(),
            call.site.clock.now(),
            only_trouble=only_trouble,
        )
        page = Page(
            template="services.html",
            title="Services",
            section="services",
            topics=("services",),
            announce=", ".join(count.text for count in view.counts),
        )
        return self._renderer.page(call, page, view=view, only_trouble=only_trouble)
