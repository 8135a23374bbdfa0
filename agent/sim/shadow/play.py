"""A rule set that is not in force, played over what truly happened.

Its world is the journal's: alerts, people, silences, time and metrics are as they were. What the
rule set asks for and truth never saw is answered by an assumption, and counted as one. What a
change would have done to the alerts nobody knows: they come and go as they did.
"""

import heapq
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta

from agent.core.state import State
from agent.core.step import step
from agent.model.alert import Alert
from agent.model.calendar import Calendar
from agent.model.effect import (
    CancelRun,
    Effect,
    LaunchRun,
    MeasureSignals,
    Notify,
    PrepareRun,
    PreviewRun,
    Probe,
    WriteTicket,
)
from agent.model.entry import (
    AgentStarted,
    AlertsReceived,
    CalendarsExpanded,
    ConfigLoaded,
    Entry,
    NotificationSent,
    ProbeAnswered,
    RunFinished,
    RunLost,
    RunPrepared,
    RunStarted,
    SignalsMeasured,
    TicketWritten,
    TimeElapsed,
    What,
)
from agent.model.preview_entries import RunPreviewed
from agent.model.remediation import Outcome, RunResult
from agent.model.rule import Config
from agent.sim.shadow.assume import Assume
from agent.sim.shadow.names import translated
from agent.sim.shadow.story import Story
from agent.sim.shadow.truth import Truth

LATE = timedelta(seconds=2)
"""A timer that truth did not have is heard so late at most."""
RUN_LASTS = timedelta(seconds=10)
"""How long a run takes that never was."""
MEASURING_LASTS = timedelta(minutes=5)
"""After this nobody will say any more what metrics showed."""
CALENDARS_LAST = timedelta(days=7)
"""So often the calendars are worked out anew."""

CalendarsAt = Callable[[datetime], tuple[Calendar, ...]]


@dataclass(slots=True, kw_only=True)
class Shadow:
    """The rule set at play; `state` is what was remembered when it takes over."""

    state: State
    truth: Truth
    config: Config
    calendars_at: CalendarsAt
    assume: Assume
    story: Story = field(default_factory=Story)
    assumed: list[str] = field(default_factory=list)
    """Changes whose runs never were."""
    passed_over: Counter[str] = field(default_factory=Counter)
    """Entries about what is not there in this playing, by kind."""
    labels_seen: dict[str, None] = field(default_factory=dict)
    _now: datetime | None = None
    _entry: int = 0
    _agenda: list[tuple[datetime, int, What | Callable[[], None]]] = field(default_factory=list)
    _asked: int = 0
    _twins: dict[str, str] = field(default_factory=dict)
    """By change of ours, the change of truth that it is."""
    _probed: Counter[str] = field(default_factory=Counter)
    """By change of truth, how often its metrics were asked for."""
    _inherited: dict[str, None] = field(default_factory=dict)
    """Effects and runs that were under way when the rule set took over: truth answers them."""
    _calendars_due: datetime | None = None

    def begin(self, at: datetime, entry: int) -> None:
        """The rule set takes over."""
        self._now, self._entry = at, entry
        self._inherited = dict.fromkeys(effect.id for effect in self.state.outbox.all())
        self._inherited |= dict.fromkeys(self.state.runs)
        self._twins = {change: change for change in self.state.changes}
        self._feed(ConfigLoaded(config=self.config))
        self._expand(at)

    def hear(self, entry: Entry) -> None:
        """The next line of the journal."""
        what = entry.what
        alive = what.last_alive if isinstance(what, AgentStarted) else None
        if isinstance(what, TimeElapsed):
            self._wait(entry.at)
        else:
            # While nobody watched, no timer was heard either.
            self._wait(min(entry.at - LATE, alive) if alive else entry.at - LATE)
        self._now, self._entry = self._after(entry.at), entry.number
        if self._calendars_due is not None and self._calendars_due <= entry.at:
            self._expand(entry.at)
        match what:
            case TimeElapsed() | ConfigLoaded():
                return
            case CalendarsExpanded():
                self._expand(entry.at)
            case AlertsReceived():
                for alert in what.alerts:
                    self.labels_seen.update(dict.fromkeys(alert.labels))
                self._feed(what)
            case SignalsMeasured():
                self._measured(entry.number, what)
            case _:
                self._pass_on(entry.number, what)

    def finish(self) -> None:
        """The journal is over."""
        self.story.finish(self.state)

    def _pass_on(self, number: int, what: What) -> None:
        parts = {part.name for part in fields(what)}
        if parts & {"effect", "run"}:
            answered = {getattr(what, name) for name in parts & {"effect", "run"}}
            if answered <= self._inherited.keys():
                self._feed(what)
            return
        named = self.truth.named.get(number)
        meant = what if named is None else translated(self.state, what, named)
        if meant is None:
            self.passed_over[type(what).__name__] += 1
        else:
            self._feed(meant)

    def _measured(self, number: int, what: SignalsMeasured) -> None:
        named = self.truth.named.get(number)
        meant = translated(self.state, what, named) if named else None
        if isinstance(meant, SignalsMeasured):
            for effect in list(self.state.outbox.measure.values()):
                if effect.incident == meant.incident:
                    self._feed(replace(meant, effect=effect.id))
                    return
        self.passed_over["SignalsMeasured"] += 1

    def _feed(self, what: What) -> None:
        assert self._now is not None
        transition = step(self.state, Entry(self.state.last_number + 1, self._now, what))
        self.story.add(self.state, transition, self._now, self._entry)
        for effect in transition.effects:
            self._answer(effect)

    def _wait(self, until: datetime) -> None:
        while True:
            due = self.state.next_due()
            planned = self._agenda[0][0] if self._agenda else None
            moments = [moment for moment in (due, planned) if moment is not None]
            if not moments or min(moments) > until:
                return
            self._now = self._after(min(moments))
            if planned is not None and planned <= min(moments):
                _, _, happens = heapq.heappop(self._agenda)
                if callable(happens):
                    happens()
                else:
                    self._feed(happens)
            else:
                self._feed(TimeElapsed())

    def _after(self, at: datetime) -> datetime:
        return at if self._now is None else max(self._now, at)

    def _plan(self, after: timedelta, happens: What | Callable[[], None]) -> None:
        assert self._now is not None
        self._asked += 1
        heapq.heappush(self._agenda, (self._now + after, self._asked, happens))

    def _expand(self, at: datetime) -> None:
        self._calendars_due = at + CALENDARS_LAST
        self._feed(CalendarsExpanded(calendars=self.calendars_at(at)))

    def _answer(self, effect: Effect) -> None:
        assert self._now is not None
        match effect:
            case PrepareRun():
                self._prepare(effect)
            case PreviewRun(id=asked, change=change):
                self._feed(RunPreviewed(effect=asked, change=change, preview=None))
            case LaunchRun():
                self._launch(effect)
            case CancelRun(id=asked, run=run):
                result = RunResult(outcome=Outcome.CANCELLED, summary="cancelled")
                self._feed(RunFinished(effect=asked, run=run, result=result))
            case Probe():
                self._probe(effect)
            case MeasureSignals():
                self._plan(MEASURING_LASTS, lambda: self._nobody_measured(effect))
            case WriteTicket(id=asked, incident=incident, connector=connector):
                written = TicketWritten(
                    effect=asked,
                    incident=incident,
                    connector=connector,
                    ref=effect.known_ref or f"shadow-{incident}",
                    url="",
                )
                self._feed(written)
            case Notify(id=asked):
                self._feed(NotificationSent(effect=asked))

    def _prepare(self, effect: PrepareRun) -> None:
        assert self._now is not None
        spec = effect.spec
        entity = self.state.changes[self.state.runs[spec.run].change].entity
        was = self.truth.unprepared_like(spec.remediation, entity, spec.phase, self._now)
        if was is not None:
            self._feed(replace(was, effect=effect.id, run=spec.run))
        else:
            self._feed(RunPrepared(effect=effect.id, run=spec.run, digest=spec.digest))

    def _launch(self, effect: LaunchRun) -> None:
        assert self._now is not None
        run = self.state.runs[effect.run]
        change = self.state.changes[run.change]
        self._feed(RunStarted(effect=effect.id, run=run.id))
        true = self.truth.run_like(change.remediation, change.entity, run.phase, self._now)
        if true is not None:
            self._twins[change.id] = true.change
            if true.lasted is not None and true.result is not None:
                ended = RunFinished(effect=effect.id, run=run.id, result=true.result)
                self._plan(true.lasted, ended)
            elif true.lasted is not None:
                self._plan(true.lasted, RunLost(run=run.id, problem=true.problem or ""))
            return
        if change.id not in self.assumed:
            self.assumed.append(change.id)
        outcome = {
            Assume.NOTHING: Outcome.CANCELLED,
            Assume.SUCCESS: Outcome.CHANGED,
            Assume.FAILURE: Outcome.CHANGED if change.rollback_run == run.id else Outcome.FAILED,
        }[self.assume]
        result = RunResult(outcome=outcome, summary=f"never was; assumed: {self.assume}")
        self._plan(RUN_LASTS, RunFinished(effect=effect.id, run=run.id, result=result))
        if self.assume is Assume.SUCCESS and change.trigger is not None:
            trigger = change.trigger
            self._plan(RUN_LASTS, lambda: self._clear(trigger))

    def _clear(self, fingerprint: str) -> None:
        active = self.state.alerts.get(fingerprint)
        if active is not None:
            ended: Alert = replace(active.alert, ends_at=self._now)
            self._feed(AlertsReceived(source=active.source, alerts=(ended,)))

    def _probe(self, effect: Probe) -> None:
        assert self._now is not None
        twin = self._twins.get(effect.change)
        if twin is not None:
            holds = self.truth.probe_like(twin, self._probed[twin])
            self._probed[twin] += 1
        else:
            holds = True if self.assume is Assume.SUCCESS else None
        answered = ProbeAnswered(
            effect=effect.id,
            change=effect.change,
            holds=holds,
            detail="as it was then" if twin else f"assumed: {self.assume}",
            measured_at=self._now,
        )
        self._feed(answered)

    def _nobody_measured(self, effect: MeasureSignals) -> None:
        if effect.id in self.state.outbox.measure:
            nothing = SignalsMeasured(
                effect=effect.id,
                incident=effect.incident,
                findings=(),
                unknown=effect.entities,
                queries=0,
                problem="nobody asked for these metrics then",
            )
            self._feed(nothing)
