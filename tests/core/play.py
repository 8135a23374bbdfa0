"""A hand that plays entries into the real core and keeps what follows."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from agent.core.state import State
from agent.core.step import step
from agent.model.alert import Alert
from agent.model.change import Policy, PolicyRule, Verdict
from agent.model.effect import Effect
from agent.model.entry import AlertsReceived, ConfigLoaded, Entry, TimeElapsed, What
from agent.model.incident import TimelineItem
from agent.model.labels import Matcher, MatchOperator, fingerprint
from agent.model.remediation import (
    Host,
    Parameter,
    ParameterType,
    Remediation,
    Verification,
)
from agent.model.rule import Config, ParameterSource, RemediationRule
from agent.model.service import Entity, EntityKind, ServiceMap
from agent.model.transition import Record, Transition

START = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


def alert(name: str, *, at: datetime, ends: datetime | None = None, **labels: str) -> Alert:
    """An alert as a connector would give it."""
    full = {"alertname": name, "severity": "critical", **labels}
    return Alert(
        fingerprint=fingerprint(full),
        labels=full,
        annotations={"summary": f"{name} on {labels.get('host', 'nowhere')}"},
        starts_at=at,
        ends_at=ends,
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

RULE = RemediationRule(
    name="restart-what-is-down",
    author="ann",
    when='alert.name == "ServiceDown"',
    remediation="restart-service",
    parameters={"service": ParameterSource(label="service")},
)

ALLOW = Policy(
    digest="p1",
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
        return transition

    def fire(self, name: str, **labels: str) -> Alert:
        """An alert begins to fire now."""
        said = alert(name, at=self.now, **labels)
        self.feed(AlertsReceived(source="test", alerts=(said,)))
        return said

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

    def take(self, kind: type[Effect]) -> Effect:
        """The oldest effect of a kind that was not taken yet."""
        for effect in self.effects:
            if isinstance(effect, kind):
                self.effects.remove(effect)
                return effect
        raise AssertionError(f"no {kind.__name__} was asked for, only {self.effects}")

    def story(self, subject: str) -> list[str]:
        """The reasons in the timeline of a record, in order."""
        return [
            record.reason.value
            for record in self.records
            if isinstance(record, TimelineItem) and record.subject == subject
        ]


def alert_ended(said: Alert, at: datetime) -> Alert:
    """The same occurrence, resolved."""
    return Alert(
        fingerprint=said.fingerprint,
        labels=said.labels,
        annotations=said.annotations,
        starts_at=said.starts_at,
        ends_at=at,
    )
