"""One stream a page: it says that something changed, never what. The page then asks again.

So a stream carries no data that a permission would have to guard twice, and an event lost is
made good by the next one. Not here: what is on a page (`pages`).
"""

import asyncio
from datetime import timedelta
from typing import Annotated

from aiohttp import web
from pydantic import Field

from agent.model.alert import AlertRecord
from agent.model.change import Change, Run, RunState
from agent.model.entry import CalendarsExpanded, ConfigLoaded, SilenceAdded, SilenceExpired
from agent.model.incident import Incident, IncidentEntity, StateInterval, TimelineItem
from agent.model.problem import Problem
from agent.model.reported import ReportedChange
from agent.model.transition import Record
from agent.runtime.feed import Resync
from agent.web.headers import streamed
from agent.web.permission import Permission
from agent.web.routes import SERVED, Call, Route, Wish
from agent.web.site import Committed, Feed, Site

TOPICS_MAX = 40
HEARTBEAT = timedelta(seconds=15)
"""Proxies and browsers give up on a line that is silent for longer."""
PACE = timedelta(milliseconds=250)
"""Changes within this time are one event."""
OUTPUT_PACE = timedelta(seconds=1)
"""How often a run under way is asked for new output."""
WRITE_PATIENCE = timedelta(seconds=10)
"""A browser that takes nothing for this long is let go; it connects again by itself."""
EVERYWHERE = "everywhere"


class LiveQuery(Wish):
    """What the page shows: `services`, `incidents`, `changes`, `problems`, `silences`, or ids."""

    topic: tuple[Annotated[str, Field(max_length=60)], ...] = Field((), max_length=TOPICS_MAX)


def live_route() -> Route:
    """The stream that pages listen to."""
    return Route(
        method="GET",
        path="/live",
        permission=Permission.READ,
        summary="Console: that something on a page changed (server-sent events)",
        tag="console",
        query=LiveQuery,
        media_type="text/event-stream",
        handler=live,
        is_stream=True,
    )


async def live(call: Call) -> web.StreamResponse:
    """Events `changed` and `resync` until the browser leaves."""
    response = streamed({"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"})
    if call.request.method == "HEAD":
        return response
    topics = frozenset(call.query_as(LiveQuery).topic)
    feed, feeds = call.site.loop.subscribe(), call.request[SERVED].feeds
    feeds.add(feed)
    try:
        await response.prepare(call.request)
        await _write(response, "retry: 2000\n\n")
        await _Stream(call.site, topics, feed, response).run()
    except (ConnectionError, TimeoutError):
        pass  # the browser is gone, or as good as gone
    finally:
        feeds.discard(feed)
        feed.close()
    return response


def topics_of(committed: Committed) -> frozenset[str]:
    """What pages may show that one entry changed."""
    match committed.entry.what:
        case SilenceAdded() | SilenceExpired():
            own = {"silences"}
        case ConfigLoaded() | CalendarsExpanded():
            own = {EVERYWHERE}
        case _:
            own = set()
    return frozenset(own).union(*(_subjects(record) for record in committed.transition.records))


def _subjects(record: Record) -> tuple[str, ...]:
    match record:
        case Incident():
            return ("incidents", "services", record.id)
        case Change():
            return ("changes", record.id, *([record.incident] if record.incident else []))
        case Run():
            return (record.id, record.change)
        case Problem():
            return ("problems", record.id)
        case ReportedChange():
            return ("reported", record.id)
        case TimelineItem():
            return (record.subject,)
        case AlertRecord():
            return (record.incident,) if record.incident else ()
        case StateInterval():
            return ("services",)
        case IncidentEntity():
            return ()  # the incident itself comes with it


class _Stream:
    """One page that listens: from committed entries and new output to few, evenly paced events."""

    def __init__(
        self, site: Site, topics: frozenset[str], feed: Feed, response: web.StreamResponse
    ) -> None:
        self._site, self._topics, self._feed, self._response = site, topics, feed, response
        self._runs = {topic: 0 for topic in topics if self._is_under_way(topic)}
        """Runs on the page that still print, with the number of the last line seen."""
        self._waiting = ""
        """The event that is to be sent with the next beat."""
        self._said_at = site.clock.monotonic()
        self._asked_at = self._said_at

    async def run(self) -> None:
        """Listen until the feed ends or the browser is gone."""
        while True:
            try:
                async with asyncio.timeout(self._patience()):
                    item = await anext(self._feed)
                self._note(item)
            except TimeoutError:
                pass
            except StopAsyncIteration:
                return
            await self._beat()

    def _patience(self) -> float:
        """Seconds until there is something to do, even if nothing comes in."""
        now = self._site.clock.monotonic()
        due = self._said_at + (PACE if self._waiting else HEARTBEAT).total_seconds()
        if self._runs:
            due = min(due, self._asked_at + OUTPUT_PACE.total_seconds())
        return max(0.0, due - now)

    def _note(self, item: Committed | Resync) -> None:
        if isinstance(item, Resync):
            self._waiting = "resync"
            return
        topics = topics_of(item)
        if not self._waiting and (EVERYWHERE in topics or topics & self._topics):
            self._waiting = "changed"

    async def _beat(self) -> None:
        now = self._site.clock.monotonic()
        if self._runs and now - self._asked_at >= OUTPUT_PACE.total_seconds():
            await self._ask_for_output()
        since = now - self._said_at
        if self._waiting and since >= PACE.total_seconds():
            await self._say(
                f"event: {self._waiting}\ndata: {self._site.loop.state.last_number}\n\n"
            )
            self._waiting = ""
        elif since >= HEARTBEAT.total_seconds():
            await self._say(": still here\n\n")

    async def _ask_for_output(self) -> None:
        self._asked_at = self._site.clock.monotonic()
        for run, seen in tuple(self._runs.items()):
            is_over = not self._is_under_way(run)
            lines = await self._site.store.run_output(run, after=seen)
            if lines:
                self._runs[run] = lines[-1].number
                self._waiting = self._waiting or "changed"
            if is_over:
                del self._runs[run]

    def _is_under_way(self, identifier: str) -> bool:
        run = self._site.loop.state.runs.get(identifier)
        return run is not None and run.state in (RunState.LAUNCHING, RunState.RUNNING)

    async def _say(self, text: str) -> None:
        self._said_at = self._site.clock.monotonic()
        await _write(self._response, text)


async def _write(response: web.StreamResponse, text: str) -> None:
    async with asyncio.timeout(WRITE_PATIENCE.total_seconds()):
        await response.write(text.encode())
