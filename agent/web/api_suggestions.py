"""In what the alerts and the map do not agree. Read only: a person decides, in the files."""

import asyncio

from aiohttp import web

from agent.core.drift.suggest import suggest
from agent.model.suggestion import Suggestions
from agent.web.permission import Permission
from agent.web.routes import Call, Route, answer
from agent.web.site import Site

TAG = "Map"


async def suggestions_of(site: Site) -> Suggestions:
    """What is remembered now against the map in force; worked out beside the loop."""
    state = site.loop.state
    return await asyncio.to_thread(
        suggest,
        state.drift.picture(),
        state.config.service_map,
        state.config.correlation,
        watching_since=state.watching_since,
    )


async def get_suggestions(call: Call) -> web.StreamResponse:
    """Edges that the map lacks or that carry nothing, labels that lead nowhere, silent entities."""
    return answer(await suggestions_of(call.site), Suggestions)


ROUTES = (
    Route(
        method="GET",
        path="/api/v1/map/suggestions",
        permission=Permission.READ,
        summary="In what alerts and map do not agree",
        tag=TAG,
        handler=get_suggestions,
        response=Suggestions,
    ),
)
