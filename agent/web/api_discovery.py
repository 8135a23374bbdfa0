"""What the monitoring knows of the map, proposed to a person and written when they say so.

Sources are those of the configuration: no path and no address comes in over the network.
"""

import asyncio
from dataclasses import dataclass
from http import HTTPStatus

from aiohttp import web
from pydantic import Field

from agent.errors import AgentError
from agent.runtime.discover import DiffLine, Discoverer, Proposal, digest_of
from agent.web.permission import Permission
from agent.web.problem import not_found, refuse
from agent.web.routes import Call, Route, Wish, answer

TAG = "Map"
LINES_MAX = 5_000


class DiscoveryWish(Wish):
    """Which source, and how far back."""

    source: str = Field(max_length=100)
    hours: int | None = Field(None, ge=1, le=31 * 24)


class WritingWish(DiscoveryWish):
    """What to write: exactly what was seen."""

    digest: str = Field(pattern="^[0-9a-f]{64}$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovered:
    """The difference that an import would make."""

    source: str
    digest: str
    """Of the file as it would be; whoever lets it be written names this."""
    is_empty: bool
    lines: tuple[DiffLine, ...]
    lines_count: int
    warnings: tuple[str, ...]
    written: str | None = None
    """Where it was written."""


async def discover(call: Call) -> web.StreamResponse:
    """Ask a source, and show the difference to the map; nothing is written."""
    wish = call.body_as(DiscoveryWish)
    return answer(_told(await _propose(_discoverer(call, wish.source), wish)), Discovered)


async def write(call: Call) -> web.StreamResponse:
    """Ask again, and write the source's own file if it is what was seen."""
    wish = call.body_as(WritingWish)
    discoverer = _discoverer(call, wish.source)
    proposal = await _propose(discoverer, wish)
    if digest_of(proposal) != wish.digest:
        said = "The source says something else now; look at the difference again."
        raise refuse(HTTPStatus.CONFLICT, said)
    try:
        path = await asyncio.to_thread(discoverer.write, proposal)
    except AgentError as error:
        raise refuse(HTTPStatus.UNPROCESSABLE_ENTITY, str(error)) from None
    return answer(_told(proposal, str(path)), Discovered)


def _discoverer(call: Call, source: str) -> Discoverer:
    discoverer = call.site.discoverer
    if discoverer is None or source not in discoverer.sources:
        raise not_found("source of the map called", source)
    return discoverer


async def _propose(discoverer: Discoverer, wish: DiscoveryWish) -> Proposal:
    try:
        return await discoverer.propose(wish.source, hours=wish.hours)
    except AgentError as error:
        raise refuse(HTTPStatus.BAD_GATEWAY, str(error)) from None


def _told(proposal: Proposal, written: str | None = None) -> Discovered:
    return Discovered(
        source=proposal.source,
        digest=digest_of(proposal),
        is_empty=proposal.is_empty,
        lines=proposal.lines[:LINES_MAX],
        lines_count=len(proposal.lines),
        warnings=proposal.warnings,
        written=written,
    )


ROUTES = (
    Route(
        method="POST",
        path="/api/v1/map/discoveries",
        permission=Permission.REQUEST,
        summary="What a source knows of the map, as a difference",
        tag=TAG,
        handler=discover,
        body=DiscoveryWish,
        response=Discovered,
        errors=(HTTPStatus.NOT_FOUND, HTTPStatus.BAD_GATEWAY),
    ),
    Route(
        method="POST",
        path="/api/v1/map/discoveries/write",
        permission=Permission.ADMIN,
        summary="Write what was seen to the source's own file",
        tag=TAG,
        handler=write,
        body=WritingWish,
        response=Discovered,
        errors=(
            HTTPStatus.NOT_FOUND,
            HTTPStatus.CONFLICT,
            HTTPStatus.UNPROCESSABLE_ENTITY,
            HTTPStatus.BAD_GATEWAY,
        ),
    ),
)
