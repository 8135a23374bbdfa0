"""Plays scenarios against a rule set: the very core, a world that does as the timeline says.

Runs are prepared and launched at once and end when the timeline says so; tickets and notifications
succeed; metrics are good unless it says otherwise; expected heartbeats are taken to beat.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from agent.config.load import Loaded
from agent.core.state import State
from agent.core.step import step
from agent.model.alert import Alert
from agent.model.change import ChangeState, RunState
from agent.model.change_entries import ApprovalGiven, ApprovalRejected
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
    AlertsReceived,
    CalendarsExpanded,
    ConfigLoaded,
    Entry,
    NotificationSent,
    ProbeAnswered,
    RunFinished,
    RunPrepared,
    RunStarted,
    SignalsMeasured,
    SilenceAdded,
    TicketWritten,
    TimeElapsed,
    What,
)
from agent.model.incident import TimelineItem
from agent.model.labels import Matcher, MatchOperator, fingerprint
from agent.model.preview import Preview, PreviewState
from agent.model.preview_entries import RunPreviewed
from agent.model.remediation import Outcome, RunResult
from agent.model.silence import Silence
from agent.sim.coverage import holding, rules_of
from agent.sim.scenario_facts import Launched, Seen, failure, is_found
from agent.sim.scenario_people import said_by_people
from agent.sim.scenario_schema import Happens, PersonDecides, RunEnds, Scenario, read_scenarios

Load = Callable[[datetime], Loaded]
"""The rule set with its calendars worked out around a moment."""

STEPS_MAX = 20_000
"""More entries than this are no scenario but a loop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioResult:
    """How one scenario went; `failures` are sentences with the place of what was expected."""

    name: str
    about: str
    file: str
    failures: tuple[str, ...]
    timeline: tuple[str, ...]
    """What the rule set did, line by line, for whoever has to find out why."""
    rules: tuple[str, ...] = ()
    """All rules that could have held."""
    held: tuple[str, ...] = ()
    """Those that did."""

    @property
    def has_passed(self) -> bool:
        """Whether everything expected was so."""
        return not self.failures


def run_scenarios(load: Load, files: Iterable[Path]) -> list[ScenarioResult]:
    """Play every scenario of these files. Raises ConfigError for what cannot be read."""
    return [
        _Player(load(scenario.spec.start), scenario).play()
        for file in files
        for scenario in read_scenarios(file)
    ]


@dataclass
class _Player:
    loaded: Loaded
    scenario: Scenario
    state: State = field(default_factory=State.empty)
    launched: list[Launched] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)
    story: list[str] = field(default_factory=list)
    failures: dict[int, str] = field(default_factory=dict)
    metrics: str = "good"
    held: dict[str, None] = field(default_factory=dict)
    said: list[TimelineItem] = field(default_factory=list)

    @property
    def seen(self) -> Seen:
        """Everything that can be looked for now."""
        return Seen(self.state, self.launched, self.effects, self.said)

    def play(self) -> ScenarioResult:
        spec = self.scenario.spec
        self.now = spec.start
        config = replace(self.loaded.config, heartbeats=())
        self._feed(ConfigLoaded(config=config))
        self._feed(CalendarsExpanded(calendars=self.loaded.calendars))
        moments = sorted({*(h.at for h in spec.timeline), *(e.at for e in spec.expect if e.at)})
        for moment in moments:
            self._wait(spec.start + moment)
            for happens in spec.timeline:
                if happens.at == moment:
                    self._happen(happens)
            # What follows at once is part of the moment.
            self._wait(self.now)
            for number, expected in enumerate(spec.expect):
                if expected.at == moment:
                    self._expect(number)
        for number, expected in enumerate(spec.expect):
            if expected.at is None and expected.never is None:
                self._expect(number)
        return ScenarioResult(
            name=self.scenario.name,
            about=spec.about,
            file=self.scenario.document.file,
            failures=tuple(self.failures[number] for number in sorted(self.failures)),
            timeline=tuple(self.story),
            rules=rules_of(self.loaded.config),
            held=tuple(self.held),
        )

    def _expect(self, number: int) -> None:
        expected = self.scenario.spec.expect[number]
        if not is_found(self.seen, expected):
            text = failure(self.seen, expected)
            self.failures[number] = f"{self.scenario.place(number)}: {text}"

    def _feed(self, what: What) -> None:
        entry = Entry(self.state.last_number + 1, self.now, what)
        assert entry.number < STEPS_MAX, "the scenario does not come to an end"
        transition = step(self.state, entry)
        self.held.update(dict.fromkeys(holding(self.state)))
        after = self.now - self.scenario.spec.start
        self.said += [each for each in transition.records if isinstance(each, TimelineItem)]
        for record in transition.records:
            text = getattr(record, "text", None)
            if text is not None:
                self.story.append(f"{after} {getattr(record, 'subject', '')} {text}")
        if transition.refusal is not None:
            self.story.append(f"{after} refused: {transition.refusal.text}")
        for effect in transition.effects:
            self.effects.append(effect)
            if isinstance(effect, LaunchRun):
                run = self.state.runs[effect.run]
                change = self.state.changes[run.change]
                self.launched.append(Launched(change.remediation, change.entity, effect.id, run.id))
        for number, expected in enumerate(self.scenario.spec.expect):
            never = expected.never
            if never and is_found(self.seen, never):
                place = self.scenario.place(number)
                self.failures.setdefault(number, f"{place}: at {after} it happened nevertheless")
        for effect in transition.effects:
            for answer in self._answers(effect):
                self._feed(answer)

    def _wait(self, until: datetime) -> None:
        while (due := self.state.next_due()) is not None and due <= until:
            self.now = max(self.now, due)
            self._feed(TimeElapsed())
        self.now = until

    def _answers(self, effect: Effect) -> list[What]:
        match effect:
            case PrepareRun():
                digest = effect.spec.digest
                return [RunPrepared(effect=effect.id, run=effect.spec.run, digest=digest)]
            case PreviewRun():
                shown = Preview(state=PreviewState.COMPLETE, text="no task would change anything")
                return [RunPreviewed(effect=effect.id, change=effect.change, preview=shown)]
            case LaunchRun():
                return [RunStarted(effect=effect.id, run=effect.run)]
            case CancelRun():
                result = RunResult(outcome=Outcome.CANCELLED, summary="cancelled")
                return [RunFinished(effect=effect.id, run=effect.run, result=result)]
            case WriteTicket():
                return [
                    TicketWritten(
                        effect=effect.id,
                        incident=effect.incident,
                        connector=effect.connector,
                        ref=effect.known_ref or f"#{effect.incident.removeprefix('INC-')}",
                        url="https://tickets.example/",
                    )
                ]
            case Notify():
                return [NotificationSent(effect=effect.id)]
            case MeasureSignals():
                return [
                    SignalsMeasured(
                        effect=effect.id,
                        incident=effect.incident,
                        findings=(),
                        unknown=effect.entities,
                        queries=0,
                        problem="a scenario has no metrics",
                    )
                ]
            case Probe():
                holds = {"good": True, "bad": False}.get(self.metrics)
                return [
                    ProbeAnswered(
                        effect=effect.id,
                        change=effect.change,
                        holds=holds,
                        detail="as the scenario says",
                        measured_at=self.now,
                    )
                ]

    def _happen(self, happens: Happens) -> None:
        if happens.metrics is not None:
            self.metrics = happens.metrics
        if happens.fire is not None:
            self._feed(AlertsReceived(source="scenario", alerts=(self._alert(happens.fire),)))
        if happens.resolve is not None:
            self._resolve(happens.resolve)
        for what in said_by_people(self.state, self.loaded, happens, self.now):
            self._feed(what)
        if happens.run_finishes is not None:
            self._finish(happens.run_finishes)
        for person, is_approval in ((happens.approve, True), (happens.reject, False)):
            if person is not None:
                self._decide(person, is_approval=is_approval)
        if happens.silence is not None:
            matchers = tuple(
                Matcher(name=name, operator=MatchOperator.EQUAL, value=value)
                for name, value in sorted(happens.silence.labels.items())
            )
            silence = Silence(
                id=f"silence-{len(self.state.silences) + 1}",
                matchers=matchers,
                starts_at=self.now,
                ends_at=self.now + happens.silence.lasts,
                created_by="somebody",
                comment="",
                updated_at=self.now,
            )
            self._feed(SilenceAdded(silence=silence))

    def _alert(self, labels: dict[str, str]) -> Alert:
        return Alert(
            fingerprint=fingerprint(labels),
            labels=labels,
            annotations={},
            starts_at=self.now,
        )

    def _resolve(self, labels: dict[str, str]) -> None:
        ended = tuple(
            replace(active.alert, ends_at=self.now)
            for active in self.state.alerts.values()
            if labels.items() <= active.alert.labels.items()
        )
        if ended:
            self._feed(AlertsReceived(source="scenario", alerts=ended))

    def _finish(self, ends: RunEnds) -> None:
        for launched in self.launched:
            run = self.state.runs.get(launched.run)
            is_running = run is not None and run.state is RunState.RUNNING
            if is_running and launched.remediation == ends.remediation:
                result = RunResult(outcome=Outcome(ends.outcome), summary="as the scenario says")
                self._feed(RunFinished(effect=launched.effect, run=launched.run, result=result))
                return
        self.story.append(
            f"{self.now - self.scenario.spec.start} no run of {ends.remediation} ends"
        )

    def _decide(self, person: PersonDecides, *, is_approval: bool) -> None:
        for change in self.state.changes.values():
            waits = change.state is ChangeState.AWAITING_APPROVAL
            if waits and change.remediation == person.remediation:
                roles = tuple(person.roles)
                if is_approval:
                    approval = ApprovalGiven(
                        change=change.id, binding=change.binding, by=person.by, roles=roles
                    )
                    self._feed(approval)
                else:
                    self._feed(ApprovalRejected(change=change.id, by=person.by, roles=roles))
                return
        after = self.now - self.scenario.spec.start
        self.story.append(f"{after} no change of {person.remediation} waits for {person.by}")
