"""A hand that plays entries into the real core and keeps what follows."""

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar

from agent.core.autonomy import modes, promotion
from agent.core.state import State
from agent.core.step import step
from agent.model.alert import Alert
from agent.model.autonomy import Mode, Promotion
from agent.model.autonomy_entries import ModePromoted
from agent.model.calendar import Calendar, CalendarPurpose, CalendarWindow
from agent.model.change import MOVES, Change
from agent.model.effect import Effect, LaunchRun, PrepareRun
from agent.model.entry import (
    AlertsReceived,
    CalendarsExpanded,
    ConfigLoaded,
    Entry,
    RunFinished,
    RunPrepared,
    RunStarted,
    SilenceAdded,
    TimeElapsed,
    What,
)
from agent.model.incident import Incident, TimelineItem
from agent.model.interval import Interval
from agent.model.labels import Matcher, MatchOperator, fingerprint
from agent.model.policy import Policy, PolicyRule, Verdict
from agent.model.remediation import (
    Host,
    Outcome,
    Parameter,
    ParameterType,
    Remediation,
    RunResult,
    Verification,
)
from agent.model.rule import Config, ParameterSource, RemediationRule
from agent.model.service import Entity, EntityKind, ServiceMap
from agent.model.silence import Silence
from agent.model.standard import StandardChange
from agent.model.transition import Record, Transition

Kind = TypeVar("Kind", bound=Effect)

START = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


def alert(
    name: str,
    *,
    at: datetime,
    ends: datetime | None = None,
    expires: datetime | None = None,
    **labels: str,
) -> Alert:
    """An alert as a connector would give it."""
    full = {"alertname": name, "severity": "critical", **labels}
    return Alert(
        fingerprint=fingerprint(full),
        labels=full,
        annotations={"summary": f"{name} on {labels.get('host', 'nowhere')}"},
        starts_at=at,
        ends_at=ends,
        expires_at=expires,
    )


def minutes(number: float) -> timedelta:
    """That many minutes."""
    return timedelta(minutes=number)


def matcher(name: str, value: str, operator: MatchOperator = MatchOperator.EQUAL) -> Matcher:
    """One condition on one label."""
    return Matcher(name=name, operator=operator, value=value)


def ref(name: str) -> str:
    """The reference of a component of the shop."""
    return f"component:default/{name}"


def calendar(
    name: str,
    *windows: tuple[datetime, datetime],
    purpose: CalendarPurpose,
    entities: tuple[str, ...] = (),
    horizon: timedelta = timedelta(days=30),
) -> Calendar:
    """A calendar that is readable around the start of the play."""
    return Calendar(
        name=name,
        permits=(entities,) if purpose is CalendarPurpose.PERMIT else (),
        windows=tuple(
            CalendarWindow(
                interval=Interval(start, end),
                summary=name,
                purposes=(purpose,),
                entities=entities,
            )
            for start, end in windows
        ),
        horizon=Interval(START - timedelta(days=1), START + horizon),
    )


def entity(name: str, *on: str, **more: object) -> Entity:
    """A component that alerts with `service=NAME` belong to."""
    return Entity(
        ref=f"component:default/{name}",
        kind=EntityKind.COMPONENT,
        name=name,
        depends_on=tuple(f"component:default/{lower}" for lower in on),
        matches=((Matcher(name="service", operator=MatchOperator.EQUAL, value=name),),),
        **more,  # type: ignore[arg-type]
    )


def service_map(*entities: Entity) -> ServiceMap:
    """The map of these entities."""
    return ServiceMap.of({item.ref: item for item in entities})


SHOP = service_map(
    entity("shop", "web1", "web2", tier=1, owner="group:default/sales"),
    entity("web1", "db", redundancy_group="web", host=Host(name="app1", address="127.0.0.1")),
    entity("web2", "db", redundancy_group="web", host=Host(name="app2", address="127.0.0.1")),
    entity("db", host=Host(name="app3", address="127.0.0.1"), owner="group:default/dba"),
)

RESTART = Remediation(
    name="restart-service",
    title="Restart a service",
    digest="sha256:1",
    author="ann",
    parameters=(
        Parameter(name="service", type=ParameterType.STRING, pattern="[a-z][a-z0-9-]{0,30}"),
    ),
    change_model="standard",
    has_rollback=True,
    verification=Verification(
        stable_for=timedelta(seconds=5), within=timedelta(seconds=60), every=timedelta(seconds=2)
    ),
    cooldown=timedelta(seconds=30),
    attempts_max=2,
)

ON_A_WORD = Promotion(precision=0.0, confidence=0.5, cases=0, minimum_uplift=-1.0)
"""A person's signature alone promotes."""

RULE = RemediationRule(
    name="restart-what-is-down",
    author="ann",
    when='alert.name == "ServiceDown"',
    remediation="restart-service",
    parameters={"service": ParameterSource(label="service")},
    mode=Mode.AUTO,
    promotion=ON_A_WORD,
)

TEMPLATE = StandardChange(
    name="restarts",
    remediation="restart-service",
    owner="ann",
    expires=date(2030, 1, 1),
    digest="t1",
    failures=100,
    failures_of=100,
)

ALLOW = Policy(
    digest="p1",
    standard=(TEMPLATE,),
    rules=(
        PolicyRule(name="standard", when='change.type == "standard"', verdict=Verdict.ALLOWED),
        PolicyRule(
            name="normal",
            when='change.type == "normal"',
            verdict=Verdict.NEEDS_APPROVAL,
            roles=("approver",),
        ),
    ),
)

CONFIG = Config(
    digest="c1",
    service_map=SHOP,
    remediations={"restart-service": RESTART},
    remediation_rules=(RULE,),
    policy=ALLOW,
)


@dataclass
class Play:
    """The core, played entry by entry; `now` moves only when told to."""

    config: Config = CONFIG
    now: datetime = START
    state: State = field(default_factory=State.empty)
    effects: list[Effect] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.feed(ConfigLoaded(config=self.config))

    def feed(self, what: What) -> Transition:
        """One entry at the present moment."""
        entry = Entry(self.state.last_number + 1, self.now, what)
        self.entries.append(entry)
        transition = step(self.state, entry)
        self.effects += transition.effects
        self.records += transition.records
        self._assert_restored_is_alike()
        assert [] == [wrong for one in transition.records for wrong in _illegal_moves(one)]
        return transition

    def _assert_restored_is_alike(self) -> None:
        """What a snapshot would bring back leads every later alert to the same incident."""
        restored = State.of(self.state.memory(), self.state.config).derived
        assert restored.reach == self.state.derived.reach
        assert restored.likeness == self.state.derived.likeness

    def fire(self, name: str, **labels: str) -> Alert:
        """An alert begins to fire now."""
        said = alert(name, at=self.now, ends=None, expires=None, **labels)
        self.feed(AlertsReceived(source="test", alerts=(said,)))
        return said

    def say(self, *said: Alert) -> Transition:
        """A source states these alerts in one batch."""
        return self.feed(AlertsReceived(source="test", alerts=said))

    def resolve(self, said: Alert) -> None:
        """The alert clears now."""
        ended = alert_ended(said, self.now)
        self.feed(AlertsReceived(source="test", alerts=(ended,)))

    def wait(self, seconds: float) -> None:
        """Time passes; every timer is heard at its moment."""
        until = self.now + timedelta(seconds=seconds)
        while (due := self.state.next_due()) is not None and due <= until:
            self.now = max(self.now, due)
            self.feed(TimeElapsed())
        self.now = until

    def take(self, kind: type[Kind]) -> Kind:
        """The oldest effect of a kind that was not taken yet."""
        for effect in self.effects:
            if isinstance(effect, kind):
                self.effects.remove(effect)
                return effect
        raise AssertionError(f"no {kind.__name__} was asked for, only {self.effects}")

    def asked(self, kind: type[Effect]) -> int:
        """How many effects of a kind were asked for and not taken."""
        return sum(isinstance(effect, kind) for effect in self.effects)

    def prepare(self, digest: str | None = "sha256:1", problem: str = "") -> PrepareRun:
        """The run that was asked for lies ready, with this digest."""
        asked = self.take(PrepareRun)
        run = asked.spec.run
        self.feed(RunPrepared(effect=asked.id, run=run, digest=digest, problem=problem))
        return asked

    def launch(self) -> LaunchRun:
        """The run that lies ready has begun."""
        self.prepare()
        launch = self.take(LaunchRun)
        self.feed(RunStarted(effect=launch.id, run=launch.run))
        return launch

    def finish(self, launch: LaunchRun, outcome: Outcome = Outcome.CHANGED) -> None:
        """The run is over."""
        result = RunResult(outcome=outcome, summary=f"played: {outcome}")
        self.feed(RunFinished(effect=launch.id, run=launch.run, result=result))

    def play(self, outcome: Outcome = Outcome.CHANGED) -> None:
        """The run that was asked for happens, in no time."""
        self.finish(self.launch(), outcome)

    def reload(self, **changes: object) -> None:
        """A changed rule set comes into force."""
        self.feed(ConfigLoaded(config=replace(self.state.config, **changes)))  # type: ignore[arg-type]

    def calendars(self, *calendars: Calendar) -> None:
        """These calendars are in force, and no others."""
        self.feed(CalendarsExpanded(calendars=calendars))

    def silence(self, name: str, length: timedelta, *, wait: float = 0, **labels: str) -> None:
        """A silence that begins in `wait` seconds."""
        start = self.now + timedelta(seconds=wait)
        silence = Silence(
            id=name,
            matchers=tuple(matcher(label, value) for label, value in labels.items()),
            starts_at=start,
            ends_at=start + length,
            created_by="ann",
            comment="because",
            updated_at=self.now,
        )
        self.feed(SilenceAdded(silence=silence))

    def trust(self, *, by: str = "eve") -> None:
        """A person signs, step by step, that the rules may act by themselves as their files say."""
        for rule in self.state.config.remediation_rules:
            while (step := promotion.next_of(self.state, rule)) is not None:
                said = ModePromoted(
                    rule=rule.name,
                    to=step,
                    binding=modes.text_of(self.state, rule),
                    by=by,
                    roles=("approver",),
                )
                assert self.feed(said).refusal is None

    def incident(self, number: int = 1) -> Incident:
        """The incident of this number as it is now."""
        return self.state.incidents[f"INC-{number}"]

    def change(self, number: int = 1) -> Change:
        """The change of this number as it is now."""
        return self.state.changes[f"CHG-{number}"]

    def said(self, subject: str, reason: str) -> list[str]:
        """What the timeline of a record says with this reason, in order."""
        return [
            record.text
            for record in self.records
            if isinstance(record, TimelineItem)
            and (record.subject, record.reason) == (subject, reason)
        ]

    def story(self, subject: str) -> list[str]:
        """The reasons in the timeline of a record, in order."""
        return [
            record.reason.value
            for record in self.records
            if isinstance(record, TimelineItem) and record.subject == subject
        ]


def _illegal_moves(record: Record) -> list[str]:
    """What a change did that the table of moves does not know."""
    if not isinstance(record, Change):
        return []
    states = [passed.state for passed in record.passed]
    moves = zip([None, *states[:-1]], states, strict=True)
    illegal = [
        f"{record.id}: {before} to {after}" for before, after in moves if after not in MOVES[before]
    ]
    return illegal if states[-1] is record.state else [*illegal, f"{record.id} is {record.state}"]


def alert_ended(said: Alert, at: datetime) -> Alert:
    """The same occurrence, resolved."""
    return Alert(
        fingerprint=said.fingerprint,
        labels=said.labels,
        annotations=said.annotations,
        starts_at=said.starts_at,
        ends_at=at,
    )
