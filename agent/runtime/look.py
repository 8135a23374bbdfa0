"""A look at the metrics around an incident: samples are asked for, judged, and become findings.

Bounded in queries at once, points and time; what did not come in time is unknown. The arithmetic
runs beside the loop's thread. Not here: when to look, at what, and what findings mean (`core`).
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from agent.connector import MetricsSource, QueryResult
from agent.core.causes.queries import Query, queries_of
from agent.errors import AgentError, PermanentError, TransientError
from agent.model.effect import MeasureSignals
from agent.model.entry import SignalsMeasured
from agent.model.interval import Interval
from agent.model.rule import Config
from agent.model.service import EntityRef
from agent.model.signal import Finding
from agent.runtime.client import Client
from agent.runtime.log import logger
from agent.runtime.metrics import LookMetrics
from agent.runtime.probe import TOOL
from agent.runtime.standing import Standing

if TYPE_CHECKING:
    from agent.reporting.signals import Measured

log = logger("look")

LOOK_WITHIN = timedelta(seconds=60)
"""What was not answered by then is unknown."""
MINUTE = timedelta(minutes=1)
QUERIES_MAX = 600
QUERIES_AT_ONCE = 8
HISTORY_POINTS_MAX = 2_016
"""Of one series: a week in steps of five minutes."""
RECENT_POINTS_MAX = 500
BEFORE = timedelta(minutes=35)
"""How long before an incident was noticed the samples begin that its course is compared with."""
FAILURES_MAX = 20
"""A tool that refuses so often in a row is not asked on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """One query, and what it gave."""

    query: Query
    history: QueryResult
    recent: QueryResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Observer:
    """Looks at one metrics source."""

    source: MetricsSource
    client: Client
    standing: Standing
    metrics: LookMetrics

    async def look(self, effect: MeasureSignals, config: Config) -> SignalsMeasured:
        """What the signals of the effect's entities did; never raises for a tool that is away."""
        entities = [config.service_map.entities.get(ref) for ref in effect.entities]
        queries = [query for each in entities if each for query in queries_of(config, each)]
        left_out = max(0, len(queries) - QUERIES_MAX)
        task = _Look(self, effect, queries[:QUERIES_MAX])
        problems = [f"{left_out} queries left out"] if left_out else []
        try:
            async with asyncio.timeout(LOOK_WITHIN.total_seconds()):
                await task.ask_all()
        except TimeoutError:
            problems.append(f"not all answered within {LOOK_WITHIN.total_seconds():.0f} s")
        problems += task.problems()
        window = (effect.start, task.step)
        callers = _callers(config, effect)
        findings = await asyncio.to_thread(_find, tuple(task.answered), window, callers)
        known = {each.query.entity for each in task.answered if each.recent.series}
        asked = dict.fromkeys(query.entity for query in task.queries)
        unknown = tuple(entity for entity in asked if entity not in known)
        self.metrics.looked(queries=len(task.queries), unknown=len(unknown))
        return SignalsMeasured(
            effect=effect.id,
            incident=effect.incident,
            findings=findings,
            unknown=unknown,
            queries=len(task.queries),
            problem="; ".join(problems)[:500],
        )


class _Look:
    """One look under way."""

    def __init__(
        self, observer: Observer, effect: MeasureSignals, queries: Sequence[Query]
    ) -> None:
        self.queries = queries
        self.answered: list[Answered] = []
        self._observer = observer
        self._effect = effect
        self._room = asyncio.Semaphore(QUERIES_AT_ONCE)
        wanted = [query.every for query in queries]
        self.step = max([(effect.end - effect.start) / RECENT_POINTS_MAX, MINUTE, *wanted])
        """One for all queries: impacts compare only over the same samples."""
        self._refusals: dict[str, int] = {}
        self._failed_in_a_row = 0

    async def ask_all(self) -> None:
        """Ask every query; what comes before the time is over is kept."""
        async with asyncio.TaskGroup() as group:
            for query in self.queries:
                group.create_task(self._ask(query), name=f"look:{query.signal.name}")

    def problems(self) -> list[str]:
        """What went wrong, each kind once."""
        return [
            f"{problem} ({count} queries)" if count > 1 else problem
            for problem, count in list(self._refusals.items())[:3]
        ]

    async def _ask(self, query: Query) -> None:
        async with self._room:
            if self._failed_in_a_row >= FAILURES_MAX:
                self._refuse("the metrics source does not answer")
                return
            try:
                recent = await self._range(query, *self._recent())
                history = await self._range(query, *self._history(query))
            except PermanentError as error:
                # a query that is at fault says nothing against the tool
                self._observer.standing.answered(TOOL)
                self._refuse(f"{query.signal.name}: {error}")
            except AgentError as error:
                self._failed_in_a_row += 1
                self._observer.standing.failed(TOOL, str(error))
                self._refuse(str(error))
            else:
                self._failed_in_a_row = 0
                self._observer.standing.answered(TOOL)
                self.answered.append(Answered(query=query, history=history, recent=recent))

    async def _range(self, query: Query, interval: Interval, step: timedelta) -> QueryResult:
        source = self._observer.source
        exchange = source.query_range(query.signal.query, interval, step)
        result = await self._observer.client.drive(exchange)
        if len(result.series) > 1:
            # what its series add up to nobody knows: a mean of means is none
            raise PermanentError(f"gives {len(result.series)} series; aggregate them to one")
        if result.warnings:
            raise TransientError(f"only a part answered: {result.warnings[0][:200]}")
        return result

    def _recent(self) -> tuple[Interval, timedelta]:
        start = self._effect.start - BEFORE
        return _aligned(start, self._effect.end, self.step), self.step

    def _history(self, query: Query) -> tuple[Interval, timedelta]:
        end = self._effect.start - BEFORE
        longest = max(each.history for each in self.queries)
        step = max(self.step, longest / HISTORY_POINTS_MAX)
        return _aligned(end - query.history, end, step), step

    def _refuse(self, problem: str) -> None:
        self._refusals[problem] = self._refusals.get(problem, 0) + 1


def _aligned(start: datetime, end: datetime, step: timedelta) -> Interval:
    """From the multiple of the step before `start`, so that all series have the same moments."""
    seconds = step.total_seconds()
    first = datetime.fromtimestamp(start.timestamp() // seconds * seconds, UTC)
    return Interval(first, max(end, first + step))


def _callers(config: Config, effect: MeasureSignals) -> Mapping[EntityRef, Sequence[EntityRef]]:
    dependants = config.service_map.dependants
    return {ref: dependants.get(ref, ()) for ref in effect.entities}


def _find(
    answered: Sequence[Answered],
    window: tuple[datetime, timedelta],
    callers: Mapping[EntityRef, Sequence[EntityRef]],
) -> tuple[Finding, ...]:
    # numpy is loaded by the first look, not by every start
    from agent.reporting.signals import Window, find  # noqa: PLC0415

    start, step = window
    noticed = Window(noticed=start.timestamp(), step_s=step.total_seconds())
    return find([_measured(each) for each in answered], noticed, callers)


def _measured(each: Answered) -> "Measured":
    from agent.reporting.signals import Measured  # noqa: PLC0415
    from agent.reporting.surprise import Samples  # noqa: PLC0415

    def samples(result: QueryResult) -> Samples:
        found = result.series[0].samples if result.series else ()
        return Samples.of([each.at.timestamp() for each in found], [each.value for each in found])

    return Measured(
        entity=each.query.entity,
        signal=each.query.signal,
        history=samples(each.history),
        recent=samples(each.recent),
    )
