"""What has to be asked for: tickets that people changed, and queries that raise alerts.

Each tool is asked at its own pace; one that does not answer keeps no other waiting.
Not here: what an answer leads to.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from agent.core.state import State
from agent.core.sync import ticket_key
from agent.core.watch import SERIES_MAX, Memory, evaluate, remember
from agent.errors import AgentError
from agent.model.alert import Alert
from agent.model.entry import TicketChanged, What
from agent.model.labels import Labels
from agent.model.rule import Watch
from agent.runtime.clock import Clock
from agent.runtime.log import logger
from agent.runtime.loop import Overloaded
from agent.runtime.probe import Prober
from agent.runtime.tickets import TicketDesk

log = logger("poll")

WATCH_SOURCE = "watch"
LOOK_FOR_WATCHES = timedelta(seconds=5)
"""How soon a watch that came with a reload is noticed, where none is due earlier."""
SHORTEST_REST_S = 0.1

Take = Callable[[str, Sequence[Alert], datetime], Awaitable[object]]
"""Intake: stops repeats and renews leases."""


class Journal(Protocol):
    """The loop, as far as polling needs it."""

    @property
    def state(self) -> State:
        """Read it, never change it."""

    async def append(self, what: What) -> object:
        """Returns once the entry is durable. Raises `Overloaded`."""


class TicketPoll:
    """Hears what people do to our tickets at one tool.

    The first poll asks for all that was ever said about incidents in the watch: the core knows
    which comments it has taken over, so that nothing is missed over a restart and nothing doubled.
    """

    def __init__(self, desk: TicketDesk, journal: Journal, every: timedelta) -> None:
        self._desk = desk
        self._journal = journal
        self._every = every
        self._cursor: str | None = None
        self._task = f"poll:{desk.name}"

    async def run(self) -> None:
        """Poll until cancelled."""
        while True:
            await self.once()
            await asyncio.sleep(self._every.total_seconds())

    async def once(self) -> None:
        """Ask once; a tool that does not answer is asked again next time from the same place."""
        keys = self._keys()
        if not keys:
            return
        try:
            heard = await self._desk.hear(self._cursor, keys)
            for ticket in heard.tickets:
                await self._journal.append(TicketChanged(connector=self._desk.name, ticket=ticket))
        except Overloaded:
            return
        except AgentError as error:
            self._desk.standing.failed(self._task, str(error))
            return
        self._desk.standing.answered(self._task)
        self._cursor = heard.cursor or None

    def _keys(self) -> Collection[str]:
        state, name = self._journal.state, self._desk.name
        return {ticket_key(state, key) for key, tools in state.tickets.items() if name in tools}


@dataclass(slots=True)
class _Watching:
    """One watch as it stands."""

    watch: Watch
    memory: Memory
    due: float
    is_asked: bool = False
    """Whether an answer is still awaited: a slow query is not asked twice at once."""


class Watches:
    """Evaluates the watches of the rule set in force, each as often as it says."""

    def __init__(self, prober: Prober, journal: Journal, take: Take, clock: Clock) -> None:
        self._prober = prober
        self._journal = journal
        self._take = take
        self._clock = clock
        self._watching: dict[str, _Watching] = {}

    async def run(self) -> None:
        """Evaluate until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                for name in self.due():
                    self._watching[name].is_asked = True
                    group.create_task(self.once(name), name=f"watch:{name}")
                await asyncio.sleep(self._rest_s())

    def due(self) -> list[str]:
        """Names of the watches whose turn it is; takes over what a reload changed."""
        watches = {each.name: each for each in self._journal.state.config.watches}
        now = self._clock.monotonic()
        for name in [name for name in self._watching if name not in watches]:
            del self._watching[name]
        for name, watch in watches.items():
            known = self._watching.get(name)
            if known is None or known.watch != watch:
                memory = remember(watch, self._firing())
                self._watching[name] = _Watching(watch, memory, now)
        due = (n for n, each in self._watching.items() if each.due <= now and not each.is_asked)
        return sorted(due)

    async def once(self, name: str) -> None:
        """Evaluate one watch; where nobody answers, nothing changes and leases run on."""
        watching = self._watching[name]
        watch = watching.watch
        watching.is_asked = True
        watching.due = self._clock.monotonic() + watch.every.total_seconds()
        try:
            found = await self._returned(watch, watch.query)
            cleared = await self._returned(watch, watch.clear) if watch.clear else None
            at = self._clock.now()
            memory, alerts = evaluate(watch, watching.memory, found, cleared, at)
            if alerts:
                await self._take(WATCH_SOURCE, alerts, at)
        except AgentError as error:
            self._prober.standing.failed(f"watch:{name}", str(error))
        else:
            self._prober.standing.answered(f"watch:{name}")
            watching.memory = memory
        finally:
            watching.is_asked = False

    async def _returned(self, watch: Watch, query: str) -> list[Labels]:
        result = await self._prober.query(query)
        if len(result.series) > SERIES_MAX:
            log.warning("watch_too_wide", watch=watch.name, series=len(result.series))
        return [series.labels for series in result.series]

    def _firing(self) -> list[Alert]:
        active = self._journal.state.alerts.values()
        return [each.alert for each in active if each.source == WATCH_SOURCE]

    def _rest_s(self) -> float:
        now = self._clock.monotonic()
        waits = [each.due - now for each in self._watching.values()]
        return max(SHORTEST_REST_S, min([*waits, LOOK_FOR_WATCHES.total_seconds()]))
