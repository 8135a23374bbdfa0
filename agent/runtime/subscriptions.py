"""Subscribed calendars: fetched at their own pace, kept as the last good copy, told when bad.

A copy replaces another only where it is in order to its last entry; what cannot be fetched, or is
not, leaves the copy to grow old, and from `staleAfter` on the calendar is unreadable and policy
denies. Not here: what a calendar means (`config.calendars`), or putting it into force (`reload`).
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from prometheus_client import CollectorRegistry, Counter, Gauge

from agent.config.calendars.copies import FOLDER, Copy, read_copy, write_copy
from agent.config.calendars.expand import expand, horizon
from agent.config.calendars.found import Subscription
from agent.config.calendars.read import CALENDAR_BYTES_MAX, parse_calendar
from agent.config.secrets import read_secret
from agent.connector import Exchange, Request, Response
from agent.errors import AgentError, ConfigError, PermanentError
from agent.runtime.client import NOT_MODIFIED, Client, Endpoint
from agent.runtime.clock import Clock
from agent.runtime.log import logger

SUBSCRIPTIONS_MAX = 200
TIMEOUT = timedelta(seconds=30)
REST_MAX = timedelta(minutes=5)
"""How soon a subscription that came with a reload is noticed, where nothing says so."""
TOLD_SHARE = 8
"""A copy that is as fresh as ever is taken over after this part of `staleAfter`."""

log = logger("calendars")


@dataclass(slots=True)
class _Standing:
    """How the fetching of one calendar goes."""

    due: float = 0.0
    problem: str = ""
    told: datetime | None = None
    """How fresh the copy is that was taken over."""


class Subscriptions:
    """Fetches what the rules subscribe to; `reload` gives `run` a task of its own."""

    def __init__(
        self,
        folder: Path,
        client: Callable[[Endpoint], Client],
        clock: Clock,
        registry: CollectorRegistry,
    ) -> None:
        self._folder = folder / FOLDER
        self._client = client
        self._clock = clock
        self._wanted: Mapping[str, Subscription] = {}
        self._standing: dict[str, _Standing] = {}
        self._changed = asyncio.Event()
        self._fetches = Counter(
            "watchkeeper_calendar_fetches_total",
            "Fetches of subscribed calendars, by what became of them.",
            ("calendar", "outcome"),
            registry=registry,
        )
        self._fetched_at = Gauge(
            "watchkeeper_calendar_fetched_timestamp_seconds",
            "When the copy of a subscribed calendar was good last.",
            ("calendar",),
            registry=registry,
        )

    @property
    def problems(self) -> list[str]:
        """Why copies grow old, each with the name of its calendar."""
        return [
            f"subscribed calendar {name}: {standing.problem}"
            for name, standing in sorted(self._standing.items())
            if standing.problem
        ]

    def want(self, subscriptions: Sequence[Subscription]) -> None:
        """From now on these are fetched, and no others."""
        wanted = {each.name: each for each in subscriptions[:SUBSCRIPTIONS_MAX]}
        for name, before in self._wanted.items():
            if name not in wanted or wanted[name].url != before.url:
                self._standing.pop(name, None)
            elif wanted[name] != before and name in self._standing:
                self._standing[name].due = 0.0
        self._wanted = wanted
        self._changed.set()

    async def run(self, take_over: Callable[[], None]) -> None:
        """Fetch what is due, and say so where a copy is to be taken over; until cancelled."""
        while True:
            self._changed.clear()
            now = self._clock.monotonic()
            for name, subscription in list(self._wanted.items()):
                standing = self._standing.setdefault(name, _Standing())
                if standing.due <= now:
                    standing.due = now + subscription.every.total_seconds()
                    if await self.fetch(subscription):
                        take_over()
            dues = [self._standing[name].due for name in self._wanted if name in self._standing]
            rest = min([REST_MAX.total_seconds(), *(due - self._clock.monotonic() for due in dues)])
            with suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), max(rest, 0.1))

    async def fetch(self, subscription: Subscription) -> bool:
        """Fetch one calendar now; whether what is known of it is to be taken over.

        That is: a copy that says something else, one that is fresher by much, or the age of the
        last one where fetching begins to fail. Nothing is raised.
        """
        standing = self._standing.setdefault(subscription.name, _Standing())
        try:
            copy = await self._copy(subscription)
        except (AgentError, OSError, TimeoutError) as error:
            outcome = "refused" if isinstance(error, ConfigError) else "failed"
            self._fetches.labels(subscription.name, outcome).inc()
            was_well, standing.problem = not standing.problem, _told(error, subscription.url)
            if was_well:
                name = subscription.name
                log.warning("calendar.failed", calendar=name, problem=standing.problem)
            return was_well
        was_ill, standing.problem = bool(standing.problem), ""
        if was_ill:
            log.info("calendar.back", calendar=subscription.name)
        self._fetched_at.labels(subscription.name).set(copy.fetched_at.timestamp())
        told, much = standing.told, subscription.stale_after / TOLD_SHARE
        if not was_ill and told is not None and copy.fetched_at - told < much:
            return False
        standing.told = copy.fetched_at
        return True

    async def _copy(self, subscription: Subscription) -> Copy:
        """The copy that is on disk from now on."""
        name, url = subscription.name, subscription.url
        known = await asyncio.to_thread(read_copy, self._folder, name, url)
        at = self._clock.now()
        response = await self._client(_endpoint(subscription)).drive(_ask(url, known))
        if response.status == NOT_MODIFIED and known is not None and known.is_conditional:
            self._fetches.labels(name, "unchanged").inc()
            copy = replace(known, fetched_at=at)
        elif response.status == NOT_MODIFIED or not response.is_success:
            raise PermanentError(f"status {response.status}")
        else:
            copy = Copy(
                content=response.body,
                fetched_at=at,
                etag=response.headers.get("etag", ""),
                modified=response.headers.get("last-modified", ""),
            )
            await asyncio.to_thread(_refuse_bad, subscription, copy)
            is_same = known is not None and known.content == copy.content
            self._fetches.labels(name, "unchanged" if is_same else "changed").inc()
            if not is_same:
                self._standing.setdefault(name, _Standing()).told = None
        await asyncio.to_thread(write_copy, self._folder, name, url, copy)
        return copy


def _refuse_bad(subscription: Subscription, copy: Copy) -> None:
    """Raises ConfigError where the calendar is not in order to its last entry."""
    name = f"subscribed calendar {subscription.name}"
    calendar = parse_calendar(name, copy.content, subscription.declared)
    expand(calendar, horizon(copy.fetched_at))


def _endpoint(subscription: Subscription) -> Endpoint:
    parts = urlsplit(subscription.url)

    def credentials() -> Mapping[str, str]:
        token = read_secret(None, subscription.token_file)
        return {"Authorization": f"Bearer {token}"} if token else {}

    return Endpoint(
        name=f"calendar {subscription.name}",
        url=f"{parts.scheme}://{parts.netloc}",
        credentials=credentials,
        timeout=TIMEOUT,
        response_bytes_max=CALENDAR_BYTES_MAX,
    )


def _ask(url: str, known: Copy | None) -> Exchange[Response]:
    parts = urlsplit(url)
    headers = {"Accept": "text/calendar"}
    if known is not None and known.etag:
        headers["If-None-Match"] = known.etag
    elif known is not None and known.modified:
        headers["If-Modified-Since"] = known.modified
    path = parts.path or "/"
    target = f"{path}?{parts.query}" if parts.query else path
    response = yield Request(method="GET", path=target, headers=headers)
    return response


def _told(error: Exception, url: str) -> str:
    """What went wrong, without the path: of a private calendar it is a secret."""
    if isinstance(error, ConfigError):
        more = len(error.findings) - 1
        return f"{error.findings[0]}" + (f" (and {more} more)" if more else "")
    parts = urlsplit(url)
    text = str(error) or type(error).__name__
    for secret in (f"{parts.path}?{parts.query}", parts.query, parts.path):
        if len(secret) > 1:
            text = text.replace(secret, "...")
    return text
