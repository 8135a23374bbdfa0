"""A loop and a history in memory, on the real core: for tests that are about HTTP alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from agent.core.state import State
from agent.core.step import step
from agent.model.alert import AlertRecord
from agent.model.change import Change, ChangeState, Run
from agent.model.entry import ConfigLoaded, Entry, What
from agent.model.incident import Incident, IncidentState, StateInterval, TimelineItem
from agent.model.interval import Interval
from agent.model.problem import Problem
from agent.model.remediation import RunLine
from agent.model.reported import ReportedChange
from agent.model.rule import Config
from agent.model.transition import Record, Transition
from agent.runtime.feed import Feed
from agent.runtime.loop import Overloaded
from agent.runtime.tokens import TokenRecord

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class ManualClock:
    """Stands still until a test moves it."""

    def __init__(self, at: datetime = START) -> None:
        self._at = at
        self._seconds = 0.0

    def now(self) -> datetime:
        return self._at

    def monotonic(self) -> float:
        return self._seconds

    def pass_by(self, length: timedelta) -> None:
        self._at += length
        self._seconds += length.total_seconds()


@dataclass(frozen=True, slots=True)
class Appended:
    entry: Entry
    transition: Transition


class MemoryHistory:
    """Keeps every record of every transition."""

    def __init__(self) -> None:
        self._incidents: dict[str, Incident] = {}
        self._changes: dict[str, Change] = {}
        self._runs: dict[str, Run] = {}
        self._problems: dict[str, Problem] = {}
        self._reported: dict[str, ReportedChange] = {}
        self._alerts: dict[tuple[str, datetime], AlertRecord] = {}
        self._timeline: list[TimelineItem] = []
        self.lines: list[RunLine] = []
        self.tokens: dict[str, TokenRecord] = {}

    def keep(self, records: Sequence[Record]) -> None:
        for record in records:
            match record:
                case Incident():
                    self._incidents[record.id] = record
                case Change():
                    self._changes[record.id] = record
                case Run():
                    self._runs[record.id] = record
                case Problem():
                    self._problems[record.id] = record
                case ReportedChange():
                    self._reported[record.id] = record
                case AlertRecord():
                    self._alerts[record.fingerprint, record.starts_at] = record
                case TimelineItem():
                    self._timeline.append(record)
                case StateInterval():
                    pass

    async def incidents(
        self,
        *,
        states: Sequence[IncidentState] = (),
        entity: str | None = None,
        limit: int = 100,
        before: str | None = None,
    ) -> Sequence[Incident]:
        found = [
            incident
            for incident in reversed(self._incidents.values())
            if (not states or incident.state in states)
            and (entity is None or entity in incident.entities)
            and (before is None or int(incident.id[4:]) < int(before[4:]))
        ]
        return found[:limit]

    async def incident(self, identifier: str) -> Incident | None:
        return self._incidents.get(identifier)

    async def timeline(self, subject: str) -> Sequence[TimelineItem]:
        return [item for item in self._timeline if item.subject == subject]

    async def alerts_of(self, incident: str) -> Sequence[AlertRecord]:
        return [record for record in self._alerts.values() if record.incident == incident]

    async def reported(
        self, *, limit: int = 100, before: str | None = None
    ) -> Sequence[ReportedChange]:
        return list(reversed(self._reported.values()))[:limit]

    async def reported_change(self, identifier: str) -> ReportedChange | None:
        return self._reported.get(identifier)

    async def changes(
        self, *, states: Sequence[ChangeState] = (), limit: int = 100, before: str | None = None
    ) -> Sequence[Change]:
        found = [c for c in reversed(self._changes.values()) if not states or c.state in states]
        return found[:limit]

    async def change(self, identifier: str) -> Change | None:
        return self._changes.get(identifier)

    async def runs_of(self, change: str) -> Sequence[Run]:
        return [run for run in self._runs.values() if run.change == change]

    async def run(self, identifier: str) -> Run | None:
        return self._runs.get(identifier)

    async def run_output(self, run: str, after: int = 0) -> Sequence[RunLine]:
        return [line for line in self.lines if line.run == run and line.number > after]

    async def problems(self) -> Sequence[Problem]:
        return list(self._problems.values())

    def problem_now(self, identifier: str) -> Problem:
        return self._problems[identifier]

    async def problem(self, identifier: str) -> Problem | None:
        return self._problems.get(identifier)

    async def intervals(
        self, entities: Sequence[str], interval: Interval
    ) -> Sequence[StateInterval]:
        return []

    async def add_token(self, record: TokenRecord, *, by: str) -> None:
        self.tokens[record.id] = record

    async def remove_token(self, token_id: str, *, by: str, at: datetime) -> None:
        self.tokens.pop(token_id, None)


class MemoryLoop:
    """Steps at once; durable as long as the test lasts."""

    def __init__(self, config: Config, clock: ManualClock, history: MemoryHistory) -> None:
        self.state = State.empty()
        self.appended: list[What] = []
        self.renewed: dict[str, datetime | None] = {}
        self.is_full = False
        self._clock = clock
        self._history = history
        self._feeds: set[Feed[Appended]] = set()
        self._step(ConfigLoaded(config=config))

    async def append(self, what: What) -> Appended:
        if self.is_full:
            raise Overloaded("full", timedelta(seconds=3))
        self.appended.append(what)
        return self._step(what)

    def renew(self, fingerprint: str, expires_at: datetime | None) -> None:
        self.renewed[fingerprint] = expires_at

    def subscribe(self) -> Feed[Appended]:
        return Feed(self._feeds)

    def _step(self, what: What) -> Appended:
        entry = Entry(self.state.last_number + 1, self._clock.now(), what)
        transition = step(self.state, entry)
        self._history.keep(transition.records)
        appended = Appended(entry, transition)
        for feed in tuple(self._feeds):
            feed.put(appended)
        return appended
