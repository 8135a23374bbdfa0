"""A running agent takes over changed rules: all or nothing, between two entries.

A rule set with findings leaves the one in force and says why, in the log and in a metric. The
calendars are worked out anew from time to time, since they reach only so far ahead.
"""

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import Protocol

from prometheus_client import CollectorRegistry, Gauge
from watchfiles import awatch

from agent.config.load import Loaded, load_config
from agent.config.schema_settings import Settings
from agent.core.state import State
from agent.errors import ConfigError
from agent.model.entry import CalendarsExpanded, ConfigLoaded, What
from agent.runtime.clock import Clock
from agent.runtime.log import logger
from agent.runtime.subscriptions import Subscriptions

CALENDARS_EVERY = timedelta(hours=6)
QUIET_MS = 300
"""Files that are written one after the other are one change."""

log = logger("reload")


class Inbox(Protocol):
    """The loop, as far as a reload needs it."""

    @property
    def state(self) -> State:
        """What is in force now."""

    async def append(self, what: What) -> object:
        """Returns once the entry is durable."""


class Reload:
    """Watches the folders of rules and remediations. Give `run` a task of its own."""

    def __init__(
        self,
        settings: Settings,
        loop: Inbox,
        clock: Clock,
        registry: CollectorRegistry,
        subscriptions: Subscriptions,
    ) -> None:
        self._settings = settings
        self._loop = loop
        self._clock = clock
        self._subscriptions = subscriptions
        self._wanted = asyncio.Event()
        self.problem = ""
        """Why the files are not what is in force; empty where they are."""
        self.unread: tuple[str, ...] = ()
        """Why subscribed calendars cannot be read: nothing runs meanwhile."""
        self._successful = Gauge(
            "watchkeeper_config_last_reload_successful",
            "Whether the files in the rules folder are what is in force.",
            registry=registry,
        )
        self._successful.set(1)

    def ask(self) -> None:
        """Read everything again now, whatever the files' times say (SIGHUP)."""
        self._wanted.set()

    @property
    def problems(self) -> list[str]:
        """All that is not as the files say it should be."""
        problems = (self.problem, *self.unread, *self._subscriptions.problems)
        return [problem for problem in problems if problem]

    async def apply(self, loaded: Loaded) -> None:
        """Put a rule set into force where it is another one, and its calendars."""
        self.unread = loaded.problems
        self._subscriptions.want(loaded.subscriptions)
        if loaded.config.digest != self._loop.state.config.digest:
            await self._loop.append(ConfigLoaded(config=loaded.config))
            log.info("config.loaded", digest=loaded.config.digest)
        known = tuple(self._loop.state.calendars.values())
        if loaded.calendars != known:
            await self._loop.append(CalendarsExpanded(calendars=loaded.calendars))

    async def run(self) -> None:
        """Take over what changes, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch(), name="watch rules")
            group.create_task(self._subscriptions.run(self.ask), name="subscribed calendars")
            while True:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._wanted.wait(), CALENDARS_EVERY.total_seconds())
                self._wanted.clear()
                await self._read()

    async def _watch(self) -> None:
        folders = [f for f in (self._settings.rules, self._settings.remediations) if f]
        if folders:
            async for _ in awatch(*folders, debounce=QUIET_MS, step=QUIET_MS // 3):
                self._wanted.set()

    async def _read(self) -> None:
        try:
            loaded = await asyncio.to_thread(load_config, self._settings, self._clock.now())
        except ConfigError as error:
            self.problem = str(error)
            self._successful.set(0)
            log.warning(
                "config.refused",
                findings=[str(finding) for finding in error.findings],
                kept=self._loop.state.config.digest,
            )
            return
        self.problem = ""
        self._successful.set(1)
        await self.apply(loaded)
