"""What operators and SREs write, checked: all that changes behaviour, as one frozen `Config`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from agent.model.alert import Severity
from agent.model.autonomy import DEFAULT_LIMITS, AutonomyLimits, Mode, Promotion
from agent.model.change import ChangeType
from agent.model.incident import Priority, Targets
from agent.model.labels import Labels, Matcher
from agent.model.policy import Policy
from agent.model.remediation import ParameterValue, Remediation
from agent.model.service import EMPTY_MAP, ServiceMap
from agent.model.signal import SignalSet


class TargetOf(StrEnum):
    """Which entity a remediation rule acts upon."""

    ALERT = "alert"
    """The entity where the alert fires."""
    CAUSE = "cause"
    """The probable cause of the incident; the rule waits until it is that entity's alert."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterSource:
    """Where a rule takes a parameter from: exactly one of the two."""

    value: ParameterValue | None = None
    label: str | None = None
    """A label of the alert: data from outside, checked against the declared type."""


class ThrottleKind(StrEnum):
    """How a rule is held back, in ansible-rulebook's words."""

    ONCE_WITHIN = "once_within"
    """Acts at the first match, then not again until the span is over."""
    ONCE_AFTER = "once_after"
    """Gathers matches from the first one on, and acts when the span is over."""
    ACCUMULATE_WITHIN = "accumulate_within"
    """Acts at the match that makes the threshold full within the span; else forgets them all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttle:
    """How often a rule may act on what is alike. Times are half-open: a span ends at its end."""

    kind: ThrottleKind
    span: timedelta
    group_by: tuple[str, ...] = ()
    """Facts of the alert, such as `alert.labels.host`, that make matches alike; none: all are."""
    threshold: int = 1
    """How many different alerts it takes; for `accumulate_within`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemediationRule:
    """When this condition holds for an alert of an incident, propose that remediation."""

    name: str
    author: str
    when: str
    """A condition over alert.*, service.* and incident.*."""
    also: tuple[str, ...] = ()
    """Conditions that must hold too, each for another alert that fires in the same incident."""
    within: timedelta | None = None
    """All of those alerts must have been heard of within this time; None: whenever."""
    remediation: str
    target: TargetOf = TargetOf.CAUSE
    parameters: Mapping[str, ParameterSource] = field(default_factory=dict)
    change: ChangeType | None = None
    """Overrides the change model that the remediation declares."""
    settle: timedelta = timedelta(0)
    """How long the alert must have been in its incident: time for the cause to show."""
    mode: Mode = Mode.SUGGEST
    """How far it goes by itself when it comes into force."""
    promotion: Promotion | None = None
    """What lets it go further, and how far; None: no further than `mode`."""
    throttle: Throttle | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InhibitRule:
    """While a source alert fires, target alerts with equal labels are suppressed (Alertmanager)."""

    name: str
    source: tuple[Matcher, ...]
    target: tuple[Matcher, ...]
    equal: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """An alert that must always fire; its silence is an incident."""

    name: str
    matchers: tuple[Matcher, ...]
    within: timedelta = timedelta(minutes=5)
    """Silence longer than this is a loss; also counted from the load of the rule."""
    severity: Severity = Severity.CRITICAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Correlation:
    """How alerts become incidents."""

    window: timedelta = timedelta(minutes=2)
    """An alert may join an incident whose last alert is not older than this."""
    hops: int = 3
    """How far on the map from the probable cause an alert may still belong to it."""
    quiet: timedelta = timedelta(minutes=5)
    """A resolved incident reopens within this time, and closes after it."""
    suspect_within: timedelta = timedelta(hours=6)
    """A change that began earlier than this before an incident is no suspect of it."""
    flap_window: timedelta = timedelta(minutes=20)
    """Changes of an alert's state older than this do not count as flapping."""
    flap_begins: float = 8.0
    """More weighed changes than this within the window are flapping..."""
    flap_ends: float = 3.0
    """...until there are fewer than this."""
    storm: int = 200
    """So many incidents opened within ten minutes are a storm: more are gathered in a summary."""
    similar_labels: tuple[str, ...] = ("cluster", "namespace", "service", "job", "host", "instance")
    """For alerts that the map cannot place: those that are present must agree."""
    peer_labels: tuple[str, ...] = ("caller", "client", "peer", "source_workload")
    """Where an alert about a call names the other end; the first that is present counts."""
    faint: float = 0.5
    """An incident with fewer signs than this share of what is usual is no clear evidence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurrence:
    """When incidents of one signature become a problem."""

    incidents: int = 3
    within: timedelta = timedelta(days=30)
    cost: float | None = None
    """What their downtime may cost together before it is a problem however few they are."""
    absent_for: timedelta = timedelta(days=14)
    """A fix holds when nothing of the problem came back for this long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Who is told about which incidents, and how often (Alertmanager's words)."""

    name: str
    receiver: str
    when: str | None = None
    """A condition over incident.* and service.*; None: every incident."""
    group_by: tuple[str, ...] = ("incident",)
    """`incident`, `owner`, `priority` or `cause`."""
    group_wait: timedelta = timedelta(seconds=10)
    group_interval: timedelta = timedelta(minutes=5)
    repeat_interval: timedelta = timedelta(hours=4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticketing:
    """Which incidents get a ticket at which connector."""

    name: str
    connector: str
    when: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """A PromQL query that raises alerts of its own, with hysteresis."""

    name: str
    query: str
    labels: Labels
    annotations: Labels
    every: timedelta = timedelta(seconds=15)
    hold: timedelta = timedelta(0)
    """`for`: how long the query must return a series before its alert fires."""
    keep_firing: timedelta = timedelta(0)
    """How long the alert goes on after the series is gone."""
    clear: str | None = None
    """A second query: once firing, the alert ends only when this one returns the series."""


DEFAULT_TARGETS: Mapping[Priority, Targets] = {
    Priority.P1: Targets(response=timedelta(minutes=5), restoration=timedelta(hours=1)),
    Priority.P2: Targets(response=timedelta(minutes=15), restoration=timedelta(hours=4)),
    Priority.P3: Targets(response=timedelta(hours=1), restoration=timedelta(hours=8)),
    Priority.P4: Targets(response=timedelta(hours=4), restoration=timedelta(days=2)),
    Priority.P5: Targets(response=timedelta(days=1), restoration=timedelta(days=5)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything that decides, by digest: two agents with one digest decide alike."""

    digest: str
    service_map: ServiceMap = EMPTY_MAP
    correlation: Correlation = Correlation()
    recurrence: Recurrence = Recurrence()
    targets: Mapping[Priority, Targets] = field(default_factory=lambda: DEFAULT_TARGETS)
    inhibit_rules: tuple[InhibitRule, ...] = ()
    heartbeats: tuple[Heartbeat, ...] = ()
    remediations: Mapping[str, Remediation] = field(default_factory=dict)
    remediation_rules: tuple[RemediationRule, ...] = ()
    autonomy: AutonomyLimits = DEFAULT_LIMITS
    policy: Policy | None = None
    """None: no readable policy, so nothing may run."""
    calendars: tuple[str, ...] = ()
    """Names of the calendars that must be readable before anything runs."""
    routes: tuple[Route, ...] = ()
    ticketing: tuple[Ticketing, ...] = ()
    watches: tuple[Watch, ...] = ()
    signals: tuple[SignalSet, ...] = ()


EMPTY_CONFIG = Config(digest="empty")
