"""Large answers in slices, so that a hundred thousand alerts do not hold everybody else up."""

import asyncio
import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

import orjson
from aiohttp import web

from agent.web.body import JSON
from agent.web.headers import streamed

ITEMS_PER_SLICE = 500
ITEMS_SORTED_AT_ONCE = 5_000

T = TypeVar("T")


async def choose(items: Sequence[T], is_wanted: Callable[[T], bool]) -> list[T]:
    """The wanted items, in their order; others have their turn between two slices."""
    found: list[T] = []
    for start in range(0, len(items), ITEMS_PER_SLICE):
        found += filter(is_wanted, items[start : start + ITEMS_PER_SLICE])
        await asyncio.sleep(0)
    return found


async def in_order(items: Sequence[T], key: Callable[[T], str]) -> Iterator[T]:
    """The items in the order of their keys: sorted in slices, merged as they are taken."""
    runs: list[list[T]] = []
    for start in range(0, len(items), ITEMS_SORTED_AT_ONCE):
        runs.append(sorted(items[start : start + ITEMS_SORTED_AT_ONCE], key=key))
        await asyncio.sleep(0)
    return heapq.merge(*runs, key=key)


async def answer_list(request: web.Request, items: Iterable[object]) -> web.StreamResponse:
    """A JSON list of plain values; only one slice of it exists at a time, if it is long."""
    return await answer_pieces(request, json_list(items))


def json_list(items: Iterable[object]) -> Iterator[bytes]:
    """A JSON list, item by item."""
    opening = b"["
    for item in items:
        yield opening + orjson.dumps(item)
        opening = b","
    yield b"[]" if opening == b"[" else b"]"


async def answer_pieces(request: web.Request, pieces: Iterator[bytes]) -> web.StreamResponse:
    """JSON that comes in pieces; sent at once if it is short, else slice by slice."""
    begun = list(islice(pieces, ITEMS_PER_SLICE))
    if len(begun) < ITEMS_PER_SLICE:
        return web.Response(body=b"".join(begun), content_type=JSON)
    response = streamed({"Content-Type": JSON})
    await response.prepare(request)
    if request.method == "HEAD":
        return response
    while begun:
        await response.write(b"".join(begun))
        # A quick reader never makes the write wait: give way by hand.
        await asyncio.sleep(0)
        begun = list(islice(pieces, ITEMS_PER_SLICE))
    await response.write_eof()
    return response
