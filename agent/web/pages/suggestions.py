"""The page of the map against the alerts."""

from aiohttp import web

from agent.web.api_suggestions import suggestions_of
from agent.web.pages.render import Page, Renderer
from agent.web.routes import Call, Route
from agent.web.views.suggestions import suggestions_view


class SuggestionPages:
    """Handler of /map."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer

    def routes(self) -> tuple[Route, ...]:
        """What it answers."""
        return (self._renderer.page_route("/map", "the map against the alerts", self.show),)

    async def show(self, call: Call) -> web.StreamResponse:
        """In what the alerts and the map do not agree."""
        found = await suggestions_of(call.site)
        view = suggestions_view(found, call.site.loop.state.config.service_map)
        page = Page(template="map.html", title="Map and alerts", section="services")
        return self._renderer.page(call, page, view=view)
