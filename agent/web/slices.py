"""Large answers in slices, so that a hundred thousand alerts do not hold everybody else up."""

import asyncio
from collections.abc import Iterable
from itertools import islice
from typing import TypeVar

import orjson
from aiohttp import web

from agent.web.body import JSON

ITEMS_PER_SLICE = 500

T = TypeVar("T")


async def in_slices(items: Iterable[T]) -> list[T]:
    """The items as a list; others have their turn between two slices."""
    found: list[T] = []
    source = iter(items)
    while piece := list(islice(source, ITEMS_PER_SLICE)):
        found += piece
        if len(piece) == ITEMS_PER_SLICE:
            await asyncio.sleep(0)
    return found


async def answer_list(request: web.Request, items: Iterable[object]) -> web.StreamResponse:
    """A JSON list of plain values; only one slice of it exists at a time, if it is long."""
    source = iter(items)
    piece = list(islice(source, ITEMS_PER_SLICE))
    if len(piece) < ITEMS_PER_SLICE:
        return web.Response(body=orjson.dumps(piece), content_type=JSON)
    response = web.StreamResponse(headers={"Content-Type": JSON})
    await response.prepare(request)
    if request.method == "HEAD":
        return response
    opening = b"["
    while piece:
        await response.write(opening + orjson.dumps(piece)[1:-1])
        # A quick reader never makes the write wait: give way by hand.
        await asyncio.sleep(0)
        opening = b","
        piece = list(islice(source, ITEMS_PER_SLICE))
    await response.write(b"]")
    await response.write_eof()
    return response
